from __future__ import annotations

import pytest

from support.upstream import make_request
from tollgate.calls import Body, Refused, Request
from tollgate.upstream.headers import outgoing, returned

SIGNED = (
    "AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/bedrock/aws4_request,"
    " SignedHeaders=accept-encoding;host;x-amz-date, Signature=0f"
)
TEXT = b'{"messages":[{"content":"hello"}]}'


def edited(request: Request) -> Request:
    request.body.parse({})
    slot = next(slot for slot in request.body.slots if slot.text == "hello")
    request.body.edit(slot, "good day")
    return request


def test_case_order_and_duplicates_stay() -> None:
    fields = [("Host", "api.x"), ("X-B", "1"), ("x-a", "2"), ("X-B", "3"), ("AUTHORIZATION", "Bearer k")]

    headers, _ = outgoing(make_request(headers=fields))

    assert list(headers.items()) == fields


@pytest.mark.parametrize(
    "name",
    [
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Expect",
    ],
)
def test_what_is_for_one_connection_only_stays_here(name: str) -> None:
    headers, _ = outgoing(make_request(headers=[("Host", "api.x"), (name, "x")]))

    assert list(headers) == ["Host"]


def test_what_connection_names_stays_here() -> None:
    fields = [("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-Other", "2")]

    headers, _ = outgoing(make_request(headers=fields))

    assert list(headers) == ["X-Other"]


def test_an_untouched_body_goes_out_as_it_came_encoding_and_all() -> None:
    request = make_request(headers=[("Content-Encoding", "gzip"), ("Content-Length", "4")])
    request.body = Body(b"\x1f\x8b..", TEXT, "gzip")

    headers, body = outgoing(request)

    assert body == b"\x1f\x8b.."
    assert list(headers.items()) == [("Content-Encoding", "gzip"), ("Content-Length", "4")]


def test_an_edited_body_goes_out_plain_without_what_described_the_old_one() -> None:
    old = [("content-encoding", "gzip"), ("Content-MD5", "x"), ("Digest", "x"), ("Content-Digest", "x")]
    request = make_request(headers=[("Host", "api.x"), *old, ("Content-Length", "4")])
    request.body = Body(b"\x1f\x8b..", TEXT, "gzip")

    headers, body = outgoing(edited(request))

    assert body == TEXT.replace(b"hello", b"good day")
    assert list(headers.items()) == [("Host", "api.x"), ("Content-Length", str(len(body)))]


def test_answers_are_asked_for_without_an_encoding() -> None:
    headers, _ = outgoing(make_request(headers=[("Accept-Encoding", "gzip, br")]))

    assert list(headers.items()) == [("Accept-Encoding", "identity")]


def test_a_signed_accept_encoding_stays() -> None:
    fields = [("authorization", SIGNED), ("accept-encoding", "gzip")]

    headers, _ = outgoing(make_request(headers=fields))

    assert list(headers.items()) == fields


def test_a_signature_that_would_break_is_refused_whatever_the_mode() -> None:
    request = edited(make_request(TEXT, headers=[("authorization", SIGNED)]))

    with pytest.raises(Refused, match="Signature Version 4") as caught:
        outgoing(request)

    assert (caught.value.code, caught.value.always) == ("signed_request_changed", True)


def test_an_answer_keeps_all_but_what_the_gate_decides() -> None:
    received = [
        ("Content-Type", "application/json"),
        ("set-cookie", "a=1"),
        ("Set-Cookie", "b=2"),
        ("Content-Length", "5"),
        ("Content-Encoding", "gzip"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive, X-Hop"),
        ("X-Hop", "1"),
        ("X-Request-Id", "req_1"),
    ]

    kept = list(returned(received, decoded=True).items())

    assert kept == [received[0], received[1], received[2], received[8]]


def test_an_encoding_that_was_not_undone_stays_named() -> None:
    assert list(returned([("Content-Encoding", "gzip")], decoded=False)) == ["Content-Encoding"]
