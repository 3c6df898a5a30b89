"""The simulated provider itself: what the other end-to-end tests rely on."""

from __future__ import annotations

import array
import base64
import http.client
import json
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from yarl import URL

from support.stage import Provider, simulated_provider

CHAT = {"model": "gpt-6-mini", "messages": [{"role": "user", "content": "one two three"}]}
CLAUDE = {"model": "claude-haiku-5", "max_tokens": 9, "messages": CHAT["messages"]}
GEMINI = {"contents": [{"parts": [{"text": "one two three"}]}]}
CONVERSE = {"messages": [{"role": "user", "content": [{"text": "one two three"}]}]}
OLLAMA = {"model": "llama3.3", "messages": CHAT["messages"]}

type Place = tuple[str, str, dict[str, str]]
"""Host, path, credentials."""

BEARER = {"authorization": "Bearer x"}
CLAUDE_KEY = {"x-api-key": "x", "anthropic-version": "2026-10-21"}
OPENAI = ("api.openai.com", "/v1/chat/completions", BEARER)
RESPONSES = ("api.openai.com", "/v1/responses", BEARER)
ANTHROPIC = ("api.anthropic.com", "/v1/messages", CLAUDE_KEY)
GOOGLE = (
    "generativelanguage.googleapis.com",
    "/v1/models/m:streamGenerateContent?alt=sse",
    {"x-goog-api-key": "x"},
)
BEDROCK = ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse-stream", BEARER)
COHERE = ("api.cohere.com", "/v2/chat", BEARER)
LOCAL: Place = ("ollama.test", "/api/chat", {})


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with simulated_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture
async def session(provider: Provider) -> AsyncIterator[aiohttp.ClientSession]:
    provider.forget()
    timeout = aiohttp.ClientTimeout(10)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{provider.plain_port}", timeout=timeout) as session:
        yield session


def post(
    session: aiohttp.ClientSession, place: Place, body: Any = CHAT, method: str = "POST", **behaviour: Any
) -> Any:
    host, path, key = place
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", **key, "Host": host, "x-simulate": json.dumps(behaviour)}
    return session.request(method, URL(path, encoded=True), data=data, headers=headers)


@pytest.mark.parametrize(
    ("place", "body", "status", "error"),
    [
        ((*OPENAI[:2], {}), CHAT, 401, {"error": {"code": "invalid_api_key"}}),
        (("api.openai.com", "/v1/unheard-of", BEARER), CHAT, 404, {"error": {"code": "unknown_url"}}),
        (OPENAI, {**CHAT, "unheard_of": 1}, 400, {"error": {"param": "unheard_of"}}),
        (OPENAI, {"model": "m"}, 400, {"error": {"param": "messages"}}),
        (OPENAI, {**CHAT, "temperature": "hot"}, 400, {"error": {"param": "temperature"}}),
        (OPENAI, {**CHAT, "n": True}, 400, {"error": {"param": "n"}}),
        (OPENAI, {**CHAT, "messages": [{"role": "wizard"}]}, 400, {"error": {"param": "messages[0].role"}}),
        (OPENAI, {**CHAT, "stream_options": {}, "stop": [1]}, 400, {"error": {"param": "stop[0]"}}),
        (OPENAI, b'{"model"', 400, {"error": {"type": "invalid_request_error"}}),
        ((*OPENAI[:2], {**BEARER, "content-type": "text/plain"}), CHAT, 415, {"error": {}}),
        ((*OPENAI[:2], {**BEARER, "content-encoding": "zip"}), CHAT, 415, {"error": {}}),
        ((*OPENAI[:2], {**BEARER, "content-encoding": "zstd"}), CHAT, 400, {"error": {}}),
        ((*ANTHROPIC[:2], {"x-api-key": "x"}), CLAUDE, 400, {"type": "error", "error": {}}),
        (ANTHROPIC, {**CLAUDE, "top_k": 5}, 400, {"error": {"type": "invalid_request_error"}}),
        ((*GOOGLE[:2], {}), GEMINI, 403, {"error": {"status": "PERMISSION_DENIED"}}),
        (GOOGLE, {**GEMINI, "model": "m"}, 400, {"error": {"status": "INVALID_ARGUMENT"}}),
        ((*BEDROCK[:2], {}), CONVERSE, 403, {}),
        (COHERE, {"model": "m"}, 400, {"message": "messages: field required"}),
        (LOCAL, {"model": "m"}, 400, {"error": "messages: field required"}),
    ],
)
async def test_a_provider_refuses_in_its_own_words(
    session: aiohttp.ClientSession, place: Place, body: Any, status: int, error: Any
) -> None:
    async with post(session, place, body) as answer:
        told = await answer.json()

    assert answer.status == status
    assert contains(told, error)


def contains(told: Any, expected: Any) -> bool:
    if isinstance(expected, dict):
        return all(name in told and contains(told[name], value) for name, value in expected.items())
    return bool(told == expected)


async def test_a_path_takes_only_its_own_method(session: aiohttp.ClientSession) -> None:
    async with post(session, OPENAI, method="PUT") as answer:
        assert answer.status == 405


@pytest.mark.parametrize(
    ("place", "body", "end"),
    [
        (OPENAI, {**CHAT, "stream": True}, b'"type":"server_error","param":null,"code":null}}\n\n'),
        (RESPONSES, {"model": "m", "input": "a b c", "stream": True}, b'"sequence_number":9999}\n\n'),
        (ANTHROPIC, {**CLAUDE, "stream": True}, b'your request."}}\n\n'),
        (GOOGLE, GEMINI, b'"status":"INTERNAL"}}\r\n\r\n'),
        (COHERE, {**CHAT, "stream": True}, b'your request."}}\n\n'),
        (LOCAL, OLLAMA, b'your request."}\n'),
    ],
)
async def test_a_stream_can_end_in_the_dialects_own_error(
    session: aiohttp.ClientSession, place: Place, body: Any, end: bytes
) -> None:
    async with post(session, place, body, error_after=2) as answer:
        told = await answer.read()

    assert answer.status == 200
    assert told.endswith(end)


async def test_an_event_stream_can_end_in_an_exception(session: aiohttp.ClientSession) -> None:
    async with post(session, BEDROCK, CONVERSE, error_after=1) as answer:
        told = await answer.read()

    assert b":exception-type\x07\x00\x17internalServerException" in told


@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_any_status_can_be_asked_for(session: aiohttp.ClientSession, status: int) -> None:
    async with post(session, ANTHROPIC, CLAUDE, status=status, retry_after="7") as answer:
        told = await answer.json()

    assert (answer.status, answer.headers["retry-after"], told["type"]) == (status, "7", "error")


@pytest.mark.parametrize("encoding", ["", "gzip", "deflate", "br", "zstd"])
async def test_an_encoded_stream_is_the_same_stream(session: aiohttp.ClientSession, encoding: str) -> None:
    body = {**CHAT, "stream": True}
    async with post(session, OPENAI, body) as answer:
        plain = await answer.read()
    async with post(session, OPENAI, body, encoding=encoding, split=3) as answer:
        assert answer.headers.get("content-encoding", "") == encoding
        assert await answer.read() == plain


@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ({"refuse": True}, aiohttp.ServerDisconnectedError),
        ({"garbage": "head"}, aiohttp.ClientResponseError),
        ({"cut": 0}, aiohttp.ClientPayloadError),
        ({"cut": 2}, aiohttp.ClientPayloadError),
    ],
)
async def test_a_connection_breaks_where_the_test_says(
    session: aiohttp.ClientSession, behaviour: Any, error: type[Exception]
) -> None:
    with pytest.raises(error):
        async with post(session, OPENAI, {**CHAT, "stream": True}, **behaviour) as answer:
            await answer.read()


async def test_garbage_comes_in_place_of_events(session: aiohttp.ClientSession) -> None:
    async with post(session, OPENAI, {**CHAT, "stream": True}, garbage="body") as answer:
        assert b"data:" not in await answer.read()


async def test_bytes_that_are_not_utf8_stand_in_the_text(session: aiohttp.ClientSession) -> None:
    async with post(session, OPENAI, {**CHAT, "stream": True}, invalid_utf8=True) as answer:
        told = await answer.read()

    assert told.count(b"\xe2\x28\xa1\xff") == len(["You", "said:", "one", "two", "three"])


@pytest.mark.parametrize(("claimed", "sent"), [("text/plain", "text/plain"), ("none", None)])
async def test_the_content_type_can_be_wrong_or_missing(
    session: aiohttp.ClientSession, claimed: str, sent: str | None
) -> None:
    async with post(session, OPENAI, content_type=claimed) as answer:
        assert answer.headers.get("content-type") == sent


async def test_an_answer_can_be_of_any_size_in_any_number_of_events(session: aiohttp.ClientSession) -> None:
    async with post(session, LOCAL, OLLAMA, size=1_000_000, events=5) as answer:
        lines = (await answer.read()).splitlines()

    assert len(lines) == 6
    assert sum(len(json.loads(line)["message"]["content"]) for line in lines) >= 1_000_000


async def test_an_answer_holds_after_its_first_event_until_it_is_released(
    provider: Provider, session: aiohttp.ClientSession
) -> None:
    async with post(session, LOCAL, OLLAMA, hold="second event") as answer:
        first = await answer.content.readline()
        written = len(provider.journal(1, until="writes")[0]["writes"])
        provider.release("second event")
        rest = await answer.read()

    assert (written, json.loads(first)["done"]) == (1, False)
    assert json.loads(rest.splitlines()[-1])["done"]


async def test_an_answer_hangs_before_its_head_until_it_is_released(
    provider: Provider, session: aiohttp.ClientSession
) -> None:
    provider.release("head")
    async with post(session, LOCAL, OLLAMA, hang="head") as answer:
        assert answer.status == 200


@pytest.mark.parametrize(("behaviour", "writes"), [({"hang": "for ever"}, 0), ({"hold": "for ever"}, 1)])
def test_the_journal_says_when_a_client_left(provider: Provider, behaviour: Any, writes: int) -> None:
    provider.forget()
    client = http.client.HTTPConnection("127.0.0.1", provider.plain_port, timeout=10)
    headers = {"Host": "ollama.test", "x-simulate": json.dumps(behaviour)}
    client.request("POST", "/api/chat", json.dumps(OLLAMA), headers)
    provider.journal(1, until="writes" if writes else "arrived")
    client.close()
    (entry,) = provider.journal(1, until="disconnected")

    assert entry["arrived"] <= entry["disconnected"]
    assert (entry["ended"], len(entry["writes"])) == (None, writes)


async def test_the_journal_has_the_request_as_it_came(
    provider: Provider, session: aiohttp.ClientSession
) -> None:
    body = zlib.compress(json.dumps(CHAT).encode())
    key = {**BEARER, "content-encoding": "deflate", "X-Odd-Case": "ä"}
    async with post(session, ("api.openai.com", "/v1/chat/completions?a=%2f&b", key), body) as answer:
        assert answer.status == 200
    (entry,) = provider.journal(1)

    assert entry["body"] == body
    assert entry["target"] == "/v1/chat/completions?a=%2f&b"
    assert ["X-Odd-Case", "ä".encode().decode("latin-1")] in entry["headers"]
    assert entry["usage"] == {"input": 7, "cache_read": 0, "cache_write": 0, "output": 6, "reasoning": 0}


async def test_over_tls_the_journal_has_the_name_asked_for(provider: Provider) -> None:
    context = ssl.create_default_context(cafile=provider.ca)
    url = f"https://127.0.0.1:{provider.port}/v1/models"
    headers = {**BEARER, "Host": "api.openai.com"}
    provider.forget()
    async with (
        aiohttp.ClientSession() as session,
        session.get(url, headers=headers, ssl=context, server_hostname="api.openai.com") as answer,
    ):
        assert answer.status == 200

    assert provider.journal(1)[0]["sni"] == "api.openai.com"


async def test_embeddings_are_the_same_in_both_formats(session: aiohttp.ClientSession) -> None:
    place = ("api.openai.com", "/v1/embeddings", BEARER)
    vectors = []
    for encoding in ("float", "base64"):
        body = {"model": "m", "input": "text", "encoding_format": encoding}
        async with post(session, place, body) as answer:
            vectors.append((await answer.json())["data"][0]["embedding"])
    unpacked = array.array("f", base64.b64decode(vectors[1]))

    assert list(unpacked) == vectors[0]


async def test_an_unknown_behaviour_is_an_error(session: aiohttp.ClientSession) -> None:
    async with post(session, OPENAI, unheard_of=1) as answer:
        assert "'unheard_of' is no behaviour" in await answer.text()
