from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Any

import pytest
from multidict import CIMultiDict

from support.routes import call_of
from tollgate.calls import Answer, End, Event, Refused, Request
from tollgate.policy.routing import Credential
from tollgate.providers import Provider, Providers
from tollgate.upstream.headers import outgoing
from tollgate.upstream.inject import scrub, with_key

SECRET = "sk-of-nobody"
AWS = "AKIATESTTESTTESTTEST:of-nobody:token"
ROWS = {row.id: row for row in Providers.builtin().rows}


def put(
    kind: str | None = None,
    provider: Provider | None = None,
    secret: str = SECRET,
    hosts: str = "*",
    host: str = "api.openai.com",
    **request: Any,
) -> Request:
    credential = Credential.model_validate({"env": "K", "hosts": hosts, "kind": kind})
    return with_key(call_of(host=host, **request).request, "k", credential, secret, provider)


@pytest.mark.parametrize(
    ("kind", "provider", "header", "value"),
    [
        (None, None, "authorization", f"Bearer {SECRET}"),
        (None, "openai", "authorization", f"Bearer {SECRET}"),
        (None, "anthropic", "x-api-key", SECRET),
        (None, "azure", "api-key", SECRET),
        (None, "gemini", "x-goog-api-key", SECRET),
        (None, "chatgpt", "authorization", f"Bearer {SECRET}"),
        ("bearer", "anthropic", "authorization", f"Bearer {SECRET}"),
    ],
)
def test_a_key_is_shown_as_the_provider_wants_it(
    kind: str | None, provider: str | None, header: str, value: str
) -> None:
    request = put(kind, ROWS[provider] if provider else None)

    assert request.headers[header] == value
    assert "of-the-client" not in str(request.headers)


@pytest.mark.parametrize(
    ("target", "expected"), [("/x", "/x?key=sk-of-nobody"), ("/x?key=old&a=1", "/x?a=1&key=sk-of-nobody")]
)
def test_a_key_in_the_query_takes_the_old_ones_place(target: str, expected: str) -> None:
    assert put("query-key", target=target).target == expected


def test_the_clients_request_is_not_touched() -> None:
    call = call_of()
    with_key(call.request, "k", Credential.model_validate({"env": "K", "hosts": "*"}), SECRET, None)

    assert call.request.headers["authorization"] == "Bearer of-the-client"


def test_a_key_is_never_sent_to_another_host() -> None:
    with pytest.raises(Refused, match=r"credentials\.k\.hosts") as caught:
        put(hosts="api.anthropic.com")
    assert caught.value.always
    assert SECRET not in caught.value.message


def test_a_signature_covers_the_body_as_it_leaves() -> None:
    host = "bedrock-runtime.us-east-1.amazonaws.com"
    call = call_of(
        body=b'{"a":"secret"}', host=host, headers=[("Content-Encoding", "gzip"), ("X-Amz-Date", "old")]
    )
    call.request.body.edit(call.request.body.slots[-1], "TOKEN")
    credential = Credential.model_validate({"env": "K", "hosts": "*", "kind": "sigv4"})
    request = with_key(call.request, "k", credential, AWS, None)
    headers, body = outgoing(request)

    assert body == b'{"a":"TOKEN"}'
    assert headers["host"] == host
    assert headers["authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIATESTTESTTESTTEST/")
    assert "SignedHeaders=host;x-amz-date;x-amz-security-token," in headers["authorization"]
    assert headers["x-amz-date"] != "old"
    assert "content-encoding" not in headers


@pytest.mark.parametrize(
    ("secret", "host", "said"),
    [(SECRET, "bedrock-runtime.us-east-1.amazonaws.com", "no AWS"), (AWS, "x.test", "no AWS region")],
)
def test_a_key_that_cannot_be_used_is_told_without_it(secret: str, host: str, said: str) -> None:
    with pytest.raises(Refused, match=said) as caught:
        put("sigv4", secret=secret, host=host)
    assert "of-nobody" not in caught.value.message


@pytest.mark.parametrize("status", [200, 400])
def test_an_answer_is_told_without_the_key(status: int) -> None:
    headers = CIMultiDict({"x-error": f"no such key: {SECRET}", "x-other": "1"})
    answer = Answer(status, headers, b'{"error":"no such key: sk-of-nobody"}')

    scrub(answer, SECRET)

    assert answer.body == b'{"error":"no such key: [key]"}'
    assert dict(answer.headers) == {"x-error": "no such key: [key]", "x-other": "1"}


async def test_a_stream_is_told_without_the_key() -> None:
    closed = asyncio.Event()

    async def events() -> AsyncGenerator[Sequence[Event]]:
        try:
            yield [Event(b"hm", raw=b"data: hm\n\n")]
            yield [Event(b"{sk-of-nobody}", "error", b"data: {sk-of-nobody}\n\n")]
            yield [Event(None, raw=b": sk-of-nobody\n"), End()]
        finally:
            closed.set()

    answer = Answer(200, events=events(), framing="sse")
    scrub(answer, SECRET)
    assert answer.events is not None
    told = [event async for batch in answer.events for event in batch]

    assert [(event.data, event.name, event.raw) for event in told] == [
        (b"hm", "", b"data: hm\n\n"),
        (b"{[key]}", "error", None),
        (None, "", b": [key]\n"),
        (None, "", None),
    ]
    assert type(told[-1]) is End
    assert closed.is_set()
