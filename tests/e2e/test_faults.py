"""What goes wrong on either side: the client is told, or gets the very bytes; one record says how it went.

Everything is bounded in time: a hang fails its test.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import sys
import zlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import aiohttp
import brotli
import pytest
import pytest_asyncio

from support.h2client import h2_client
from support.proxy import (
    CHAT,
    KEY,
    LOOPBACK,
    Provider,
    Proxy,
    behave,
    chat,
    policy_for,
    simulated_provider,
    tollgate,
)
from tollgate.dialects import FRAMINGS

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("faults")]

SECONDS = 10.0
"""No call of these may take longer."""
LONG = 100_000_000
NOWHERE = "eu.api.openai.com"
"""A host at which nobody listens."""
MANY = 200


def policy(provider: Provider) -> dict[str, Any]:
    places = policy_for(provider, {})["upstream"]["resolve"]
    return {
        "hosts": [{"host": "ollama.test", "provider": "ollama"}],
        "upstream": {"resolve": {**places, NOWHERE: {"address": LOOPBACK, "port": 1}}},
        "rules": [
            {"name": "long", "when": {"model": "long"}, "set": {"answers": {"oversize": "pass"}}},
            {
                "name": "hanging",
                "when": {"headers": {"x-simulate": '*"hang"*'}},
                "set": {"timeouts": {"first_byte": "200 ms"}},
            },
        ],
    }


@dataclass(frozen=True)
class Api:
    """How one provider is called: whole and streamed."""

    whole: str
    streamed: str
    body: dict[str, Any]
    framing: str
    message: tuple[str, ...]
    """Where its errors say what is wrong."""
    headers: Mapping[str, str] = field(default_factory=lambda: KEY)
    flag: bool = True
    """Whether the body says that the answer is to be streamed."""

    def url(self, stream: bool) -> str:
        return self.streamed if stream else self.whole

    def request(self, stream: bool) -> dict[str, Any]:
        return {**self.body, "stream": stream} if self.flag else self.body


_GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash"
_BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude"
_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": "hello there"}]}]}
_CLAUDE = "https://api.anthropic.com/v1/messages"
_OLLAMA = "https://ollama.test/api/chat"

APIS = {
    "openai": Api(CHAT, CHAT, chat(), "sse", ("error", "message")),
    "anthropic": Api(
        _CLAUDE,
        _CLAUDE,
        {**chat(), "max_tokens": 10},
        "sse",
        ("error", "message"),
        {"x-api-key": "sk-of-nobody", "anthropic-version": "2023-06-01"},
    ),
    "gemini": Api(
        f"{_GEMINI}:generateContent",
        f"{_GEMINI}:streamGenerateContent?alt=sse",
        _CONTENTS,
        "sse",
        ("error", "message"),
        {"x-goog-api-key": "of-nobody"},
        flag=False,
    ),
    "gemini-array": Api(
        f"{_GEMINI}:generateContent",
        f"{_GEMINI}:streamGenerateContent",
        _CONTENTS,
        "json-array",
        ("error", "message"),
        {"x-goog-api-key": "of-nobody"},
        flag=False,
    ),
    "bedrock": Api(
        f"{_BEDROCK}/converse",
        f"{_BEDROCK}/converse-stream",
        {"messages": [{"role": "user", "content": [{"text": "hello there"}]}]},
        "eventstream",
        ("message",),
        flag=False,
    ),
    "ollama": Api(_OLLAMA, _OLLAMA, chat(), "ndjson", ("error",)),
}
EVERY_API = pytest.mark.parametrize("api", APIS.values(), ids=APIS)
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Proxy, aiohttp.ClientSession]]:
    async with tollgate(tmp_path_factory.mktemp("proxy"), provider, policy(provider)) as proxy:
        yield proxy, proxy.client()


@pytest.fixture
def stage(running: tuple[Proxy, aiohttp.ClientSession], provider: Provider) -> Stage:
    provider.simulator.journal.clear()
    return Stage(provider, *running)


@dataclass
class Stage:
    """A client, the proxy and the provider, with nothing of an earlier test between them."""

    provider: Provider
    proxy: Proxy
    client: aiohttp.ClientSession
    earlier: int = 0

    def __post_init__(self) -> None:
        self.earlier = len(self.proxy._lines())

    async def records(self, number: int) -> list[dict[str, Any]]:
        """The records of this test. Nothing is open any more, and no key or prompt stands in them."""
        records = (await self.proxy.records(self.earlier + number))[self.earlier :]
        async with asyncio.timeout(2):
            while self.proxy.master.gate.open:
                await asyncio.sleep(0.01)
        assert "of-nobody" not in str(records)
        assert "hello there" not in str(records)
        return records

    async def record(self) -> dict[str, Any]:
        """The only one."""
        [record] = await self.records(1)
        return record

    async def send(self, url: str, data: Any, headers: Mapping[str, str]) -> Got:
        async with asyncio.timeout(SECONDS), self.client.post(url, data=data, headers=headers) as response:
            return Got(response.status, response.headers, await response.read())

    async def ask(self, api: Api, *, stream: bool = False, **behaviour: Any) -> Got:
        """A call through the proxy to a provider that behaves so."""
        headers = {**behave(**behaviour), "content-type": "application/json", **api.headers}
        return await self.send(api.url(stream), json.dumps(api.request(stream)), headers)

    async def told(self, api: Api, *, stream: bool = False, **behaviour: Any) -> Got:
        """The same call without a proxy. The body comes with its content-encoding undone."""
        scheme, _, rest = api.url(stream).partition("://")
        host, _, path = rest.partition("/")
        headers = {**behave(**behaviour), "content-type": "application/json", **api.headers, "host": host}
        url = f"{scheme}://{LOOPBACK}:{self.provider.port}/{path}"
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=json.dumps(api.request(stream)), headers=headers, ssl=False) as response,
        ):
            return Got(response.status, response.headers, await response.read())


@dataclass(frozen=True)
class Got:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def message(self, api: Api) -> str:
        """What the error says, found where the provider's SDK looks for it."""
        found = json.loads(self.body)
        for key in api.message:
            found = found[key]
        assert isinstance(found, str)
        return found

    def events(self, api: Api) -> list[bytes]:
        """The body, cut as that provider's SDK cuts it. FramingError where it cannot."""
        decoder = FRAMINGS[api.framing].decoder()
        return [e.data for e in (*decoder.feed(self.body), *decoder.close()) if e.data]


# -- the provider fails --------------------------------------------------------------------------------------

UNANSWERED = {
    "refuses": ({"refuse": True}, 502, "provider_disconnected"),
    "hangs": ({"hang": "never"}, 504, "provider_timeout"),
    "garbles": ({"garbage": "head"}, 502, "provider_garbled"),
}


@EVERY_API
@STREAM
@pytest.mark.parametrize(("behaviour", "status", "code"), UNANSWERED.values(), ids=UNANSWERED)
async def test_a_provider_that_does_not_answer_is_told_in_the_dialect(
    stage: Stage, api: Api, stream: bool, behaviour: dict[str, Any], status: int, code: str
) -> None:
    got = await stage.ask(api, stream=stream, **behaviour)

    record = await stage.record()
    assert (got.status, got.headers["x-should-retry"]) == (status, "false")
    assert api.url(stream).split("/")[2] in got.message(api)
    assert (record["outcome"], record["status"], record["code"]) == ("failed", status, code)


async def test_a_provider_that_is_not_there_is_told(stage: Stage) -> None:
    api = replace(APIS["openai"], whole=f"https://{NOWHERE}/v1/chat/completions")

    got = await stage.ask(api)

    assert (got.status, (await stage.record())["code"]) == (502, "provider_unreachable")
    assert f"No connection to {NOWHERE}" in got.message(api)


@EVERY_API
async def test_a_whole_answer_that_is_cut_is_an_error(stage: Stage, api: Api) -> None:
    got = await stage.ask(api, cut=0)

    assert (got.status, "closed the connection" in got.message(api)) == (502, True)
    assert (await stage.record())["outcome"] == "failed"


@EVERY_API
async def test_a_stream_that_is_cut_ends_with_the_dialects_error(stage: Stage, api: Api) -> None:
    got = await stage.ask(api, stream=True, cut=2)

    events, record = got.events(api), await stage.record()
    assert got.status == 200
    assert any(b"broke off" in event for event in events[2:])
    assert record["outcome"] == "failed"


@pytest.mark.parametrize("api", [APIS[name] for name in ("openai", "anthropic", "ollama")])
async def test_a_stream_without_its_last_event_passes_and_is_recorded_as_failed(
    stage: Stage, api: Api
) -> None:
    """Its body came whole, so the client may bear it."""
    got = await stage.ask(api, stream=True, garbage="body")

    record = await stage.record()
    assert got.body == (await stage.told(api, stream=True, garbage="body")).body
    assert (record["outcome"], record["error"]) == ("failed", "ended without the dialect's last event")


async def test_frames_that_are_none_end_with_an_error(stage: Stage) -> None:
    got = await stage.ask(APIS["bedrock"], stream=True, garbage="body")

    assert any(b"broke off" in event for event in got.events(APIS["bedrock"]))
    assert (await stage.record())["outcome"] == "failed"


@EVERY_API
async def test_a_whole_answer_that_is_no_json_passes_as_it_is(stage: Stage, api: Api) -> None:
    got = await stage.ask(api, garbage="body")

    assert got.body == (await stage.told(api, garbage="body")).body
    assert (await stage.record())["outcome"] == "answered"


FAITHFUL: dict[str, dict[str, Any]] = {
    "wrong type": {"content_type": "text/plain"},
    "no type": {"content_type": "none"},
    "another case": {"content_type": "Application/JSON; Charset=UTF-8"},
    "no UTF-8, byte by byte": {"invalid_utf8": True, "split": 1},  # in Bedrock's frames, a wrong checksum
    "byte by byte": {"split": 1},
    "gzip": {"encoding": "gzip"},
    "deflate": {"encoding": "deflate"},
    "br": {"encoding": "br"},
    "zstd": {"encoding": "zstd"},
}


@EVERY_API
@STREAM
@pytest.mark.parametrize("behaviour", FAITHFUL.values(), ids=FAITHFUL)
async def test_an_unusual_answer_arrives_as_it_was_sent(
    stage: Stage, api: Api, stream: bool, behaviour: dict[str, Any]
) -> None:
    if "invalid_utf8" in behaviour and stream and api.framing == "eventstream":
        behaviour = {"split": 1}
    plain = {name: value for name, value in behaviour.items() if name != "encoding"}
    expected = await stage.told(api, stream=stream, **plain)

    got = await stage.ask(api, stream=stream, **behaviour)

    record = await stage.record()
    assert (got.status, got.body) == (200, expected.body)
    assert got.headers.get("content-type") == expected.headers.get("content-type")
    assert (record["outcome"], record["bytes_out"]) == ("answered", len(expected.body))


@EVERY_API
@STREAM
@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
async def test_a_providers_own_error_passes_with_its_headers(
    stage: Stage, api: Api, stream: bool, status: int
) -> None:
    behaviour = {"status": status, "retry_after": "7"}
    expected = await stage.told(api, stream=stream, **behaviour)

    got = await stage.ask(api, stream=stream, **behaviour)

    passing = {"date", "content-length", "transfer-encoding", "connection"}
    kept = [{k.lower(): v for k, v in g.headers.items() if k.lower() not in passing} for g in (got, expected)]
    record = await stage.record()
    assert (got.status, got.body, got.headers["retry-after"]) == (status, expected.body, "7")
    assert kept[0] == kept[1]
    assert (record["outcome"], record["status"]) == ("answered", status)


@pytest.mark.parametrize("api", [api for name, api in APIS.items() if name != "gemini-array"])
async def test_a_providers_error_in_a_stream_passes_as_it_is(stage: Stage, api: Api) -> None:
    got = await stage.ask(api, stream=True, error_after=2)

    assert got.body == (await stage.told(api, stream=True, error_after=2)).body
    [attempt] = (await stage.record())["attempts"]
    assert "ended its answer with an error" in attempt["error"]


async def test_a_whole_answer_of_100_mb_is_refused(stage: Stage) -> None:
    got = await stage.ask(APIS["openai"], size=LONG, text="x" * 1000)

    record = await stage.record()
    assert (got.status, "answers.max_size" in got.message(APIS["openai"])) == (502, True)
    assert (record["outcome"], record["code"]) == ("failed", "answer_too_large")


async def test_a_whole_answer_of_100_mb_passes_where_the_policy_says_so(stage: Stage) -> None:
    got = await stage.ask(replace(APIS["openai"], body=chat(model="long")), size=LONG, text="x" * 1000)

    record = await stage.record()
    assert (got.status, len(got.body) > LONG, record["bytes_out"]) == (200, True, len(got.body))
    assert record["verdicts"][0]["code"] == "answer_too_large"


async def test_a_streamed_answer_of_100_mb_passes(stage: Stage) -> None:
    got = await stage.ask(APIS["openai"], stream=True, size=LONG, text="x" * 1000, events=500)

    record = await stage.record()
    assert (got.status, len(got.body) > LONG, record["bytes_out"]) == (200, True, len(got.body))
    assert (record["outcome"], got.body[-14:]) == ("answered", b"data: [DONE]\n\n")


# -- the client is odd ---------------------------------------------------------------------------------------

ODD: dict[str, tuple[bytes, str, str]] = {
    "duplicate keys": (b'{"model": "a", "model": "b"}', "", "duplicate_keys"),
    "truncated": (b'{"messages": [{"role": "us', "", "invalid_json"),
    "not UTF-8": (b'{"model": "\xff\xfe"}', "", "invalid_json"),
    "60 MB": (b'"' + b"x" * 60_000_000 + b'"', "", "body_too_large"),
    "a bomb": (gzip.compress(b'"' + b"x" * 40_000_000 + b'"'), "gzip", "body_too_large"),
    "a bomb in a bomb": (gzip.compress(gzip.compress(b"x" * 40_000_000)), "gzip, gzip", "body_too_large"),
    "an unknown encoding": (b"{}", "rot13", "unknown_encoding"),
    "broken gzip": (gzip.compress(b'{"a": 1}')[:-4], "gzip", "broken_encoding"),
    "not what it says": (b'{"a": 1}', "br", "broken_encoding"),
}


@EVERY_API
@pytest.mark.parametrize(("wire", "encoding", "code"), ODD.values(), ids=ODD)
async def test_a_body_that_cannot_be_inspected_is_refused_in_the_dialect(
    stage: Stage, api: Api, wire: bytes, encoding: str, code: str
) -> None:
    headers = {**api.headers, "content-type": "application/json"}
    if encoding:
        headers["content-encoding"] = encoding

    got = await stage.send(api.whole, io.BytesIO(wire), headers)

    record = await stage.record()
    assert (got.status, len(got.message(api)) > 20) == (400, True)
    assert (record["outcome"], record["code"]) == ("refused", code)
    assert stage.provider.simulator.journal.entries == []


PACKERS = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
}


@EVERY_API
@pytest.mark.parametrize("encoding", PACKERS)
async def test_an_encoded_body_is_read_and_arrives_as_it_was(stage: Stage, api: Api, encoding: str) -> None:
    wire = PACKERS[encoding](json.dumps(api.request(False)).encode())
    headers = {**api.headers, "content-type": "application/json", "content-encoding": encoding}

    got = await stage.send(api.whole, wire, headers)

    record = await stage.record()
    assert (got.status, record["coverage"], record["outcome"]) == (200, "inspected", "answered")
    assert stage.provider.simulator.journal.entries[0].body == wire


async def test_stacked_encodings_are_read_and_arrive_as_they_were(stage: Stage) -> None:
    """The simulated provider does not take them; what matters is that we do."""
    wire = brotli.compress(gzip.compress(json.dumps(chat()).encode()))
    headers = {**KEY, "content-type": "application/json", "content-encoding": "gzip, br"}

    got = await stage.send(CHAT, wire, headers)

    record = await stage.record()
    assert (got.status, record["model"], record["coverage"]) == (415, "gpt-6", "inspected")
    assert stage.provider.simulator.journal.entries[0].body == wire


@EVERY_API
async def test_a_body_in_chunks_arrives_whole(stage: Stage, api: Api) -> None:
    body = json.dumps(api.request(False)).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for n in range(0, len(body), 7):
            yield body[n : n + 7]

    got = await stage.send(api.whole, chunks(), {**api.headers, "content-type": "application/json"})

    assert (got.status, (await stage.record())["outcome"]) == (200, "answered")
    assert stage.provider.simulator.journal.entries[0].body == body


@pytest.mark.parametrize(("wrong", "answered"), [(-1, True), (1, False)], ids=["too short", "too long"])
async def test_a_wrong_content_length_never_hangs(stage: Stage, wrong: int, answered: bool) -> None:
    """One byte less is broken JSON and then a broken request; one more never comes."""
    body = json.dumps(chat()).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: {len(body) + wrong}"
    )
    reader, writer = await asyncio.open_connection(LOOPBACK, stage.proxy.port)
    writer.write(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(stage.proxy.trust, server_hostname="api.openai.com")
    writer.write(f"{head}\r\n\r\n".encode() + body)
    if answered:
        async with asyncio.timeout(SECONDS):
            assert (await reader.readuntil(b"\r\n")).startswith(b"HTTP/1.1 400")
        assert (await stage.record())["code"] == "invalid_json"
    writer.transport.abort()
    if not answered:
        assert (await stage.record())["outcome"] == "failed"

    assert stage.provider.simulator.journal.entries == []


# -- many at once --------------------------------------------------------------------------------------------


async def test_200_streams_run_at_once_over_http1(stage: Stage) -> None:
    begun: list[int] = []

    async def stream(number: int) -> bytes:
        headers = behave(hold="200 over http1")
        request = stage.client.post(CHAT, json=chat(f"call {number}", stream=True), headers=headers)
        async with request as response:
            await response.content.readuntil(b"\n\n")
            begun.append(number)
            if len(begun) == MANY:
                stage.provider.simulator.gates.release("200 over http1")
            return await response.read()

    async with asyncio.timeout(30):
        bodies = await asyncio.gather(*map(stream, range(MANY)))

    assert all(body.endswith(b"[DONE]\n\n") for body in bodies)
    assert [f'"{number}"'.encode() in body for number, body in enumerate(bodies)] == [True] * MANY
    outcomes = {(record["outcome"], record.get("error", "")) for record in await stage.records(MANY)}
    assert outcomes == {("answered", "")}


async def test_200_streams_run_over_one_http2_connection(stage: Stage) -> None:
    """All of them at once: none waits for another one's end."""
    body = json.dumps(chat(stream=True)).encode()
    async with h2_client(stage.proxy.port, "api.openai.com", stage.proxy.trust) as client:
        first = await client.ask("/v1/chat/completions", body, behave(hold="200 over http2"))
        at_once = min(MANY, 1 + client.room)
        held = [
            await client.ask("/v1/chat/completions", body, behave(hold="200 over http2"))
            for _ in range(at_once - 1)
        ]
        async with asyncio.timeout(30):
            await client.until(lambda: all(stream.body for stream in held))
            stage.provider.simulator.gates.release("200 over http2")
            rest = [await client.ask("/v1/chat/completions", body, KEY) for _ in range(MANY - at_once)]
            streams = [first, *held, *rest]
            await client.until(lambda: all(stream.ended for stream in streams))

    assert at_once == MANY
    assert all(stream.body.endswith(b"[DONE]\n\n") for stream in streams)
    outcomes = {(record["outcome"], record.get("error", "")) for record in await stage.records(MANY)}
    assert outcomes == {("answered", "")}
