"""mitmproxy's requests and responses, and ours."""

from __future__ import annotations

import pytest
from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.test.tflow import tflow
from mitmproxy.test.tutils import treq
from multidict import CIMultiDict

from tollgate.gate.flows import failure_of, headers_of, request_of, response_of

FIELDS = [(b"X-One", b"1"), (b"x-two", b"caf\xc3\xa9"), (b"X-One", b"\xff")]


def request(version: bytes = b"HTTP/1.1", **changes: object) -> http.Request:
    return treq(http_version=version, **changes)


def test_headers_keep_their_order_case_and_repetitions() -> None:
    assert list(headers_of(FIELDS).items()) == [("X-One", "1"), ("x-two", "café"), ("X-One", "\udcff")]


def test_headers_go_back_out_as_the_bytes_they_were() -> None:
    assert response_of(request(), 200, headers_of(FIELDS), None).headers.fields[:3] == tuple(FIELDS)


def test_a_request_is_what_the_client_sent_to_the_host_that_all_names_agree_on() -> None:
    headers = http.Headers([(b"Host", b"x"), (b"Content-Encoding", b" GZip ")])
    ours = request_of(
        request(host="192.0.2.1", port=8443, path=b"/v1?a=%20", headers=headers, content=b"\x1f"), "x.org"
    )

    assert (ours.method, ours.url, ours.target) == ("GET", "http://x.org:8443/v1?a=%20", "/v1?a=%20")
    assert (ours.body.wire, ours.body.encoding) == (b"\x1f", "gzip")
    assert list(ours.headers) == ["Host", "Content-Encoding"]


def test_a_request_without_a_body_has_an_empty_one() -> None:
    assert request_of(request(content=None), "x.org").body.wire == b""


ANSWER = CIMultiDict({"Content-Type": "text/plain", "Content-Length": "999", "Transfer-Encoding": "chunked"})


@pytest.mark.parametrize(
    ("version", "body", "expected"),
    [
        (b"HTTP/1.1", b"abc", {"Content-Type": "text/plain", "content-length": "3"}),
        (b"HTTP/1.1", None, {"Content-Type": "text/plain", "transfer-encoding": "chunked"}),
        (b"HTTP/1.0", None, {"Content-Type": "text/plain"}),
        (b"HTTP/2.0", b"abc", {"content-type": "text/plain", "content-length": "3"}),
        (b"HTTP/2.0", None, {"content-type": "text/plain"}),
    ],
)
def test_the_length_of_an_answer_is_said_as_its_protocol_says_it(
    version: bytes, body: bytes | None, expected: dict[str, str]
) -> None:
    response = response_of(request(version), 200, ANSWER, body)

    assert dict(response.headers.items()) == expected
    assert list(response.headers) == list(expected)
    assert response.raw_content == body
    assert response.reason == ("" if version == b"HTTP/2.0" else "OK")


@pytest.mark.parametrize(("method", "status"), [(b"HEAD", 200), (b"HEAD", 400), (b"GET", 204), (b"GET", 304)])
def test_an_answer_that_has_no_body_gets_none(method: bytes, status: int) -> None:
    """A client would take such bytes for the beginning of the next answer."""
    response = response_of(request(method=method), status, CIMultiDict(), b"an error, perhaps")

    assert response.raw_content == b""
    assert "content-length" not in response.headers


def test_a_status_that_nobody_knows_has_no_reason() -> None:
    assert response_of(request(), 529, CIMultiDict(), b"").reason == ""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            "HTTP/1 protocol error: illegal chunk header: bytearray(b'a prompt\\n\\n')",
            "HTTP/1 protocol error: illegal chunk header",
        ),
        ('invalid header "a: prompt"', "invalid header"),
        ("Client disconnected.", "Client disconnected."),
    ],
)
def test_why_a_flow_ended_is_told_without_what_stood_in_it(said: str, told: str) -> None:
    flow = tflow()
    assert failure_of(flow) == ""

    flow.error = mflow.Error(said)

    assert failure_of(flow) == told
