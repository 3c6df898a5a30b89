"""The way out over mitmproxy's own leg, taken where our stream layer does not fit."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat
from support.proxy import tollgate as fitting
from support.rooms import Answers, Batches, Spy, sse
from tollgate.calls import Answer, Call, End, Event, Refused
from tollgate.gate import Gate

STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
SECRET = ValueError("the prompt: hello there")


@asynccontextmanager
async def tollgate(
    folder: Path, provider: Provider, policy: Any = None, *addons: object
) -> AsyncIterator[Proxy]:
    """A proxy whose stream layer does not fit."""
    async with fitting(folder, provider, policy, *addons, gate=Gate("HttpStream has no legs")) as proxy:
        yield proxy


@pytest.fixture
async def proxy(tmp_path: Path, provider: Provider) -> AsyncIterator[Proxy]:
    async with tollgate(tmp_path, provider) as proxy:
        yield proxy


async def test_it_is_told_that_the_proxy_falls_back(proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    told = [record.getMessage() for record in caplog.get_records("setup")]
    assert [text for text in told if "own upstream leg" in text and "HttpStream has no legs" in text]


@STREAM
async def test_a_call_is_answered_and_recorded(proxy: Proxy, provider: Provider, stream: bool) -> None:
    body = json.dumps(chat(stream=stream), indent=1).encode()
    async with proxy.client().post(CHAT, data=body, headers={**KEY, "content-type": "application/json"}) as r:
        answer = await r.read()

    [record] = await proxy.records()
    assert provider.simulator.journal.entries[0].body == body
    assert answer.endswith(b"[DONE]\n\n") if stream else json.loads(answer)["object"] == "chat.completion"
    known = {"outcome": "answered", "status": 200, "stream": stream, "answered_model": "gpt-6"}
    assert record.items() >= {**known, "bytes_out": len(answer), "coverage": "inspected"}.items()
    assert proxy.master.gate.report()["open_calls"] == 0


async def test_the_first_event_comes_before_the_second_was_sent(proxy: Proxy, provider: Provider) -> None:
    request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="gate"))
    async with request as response:
        first = await response.content.readuntil(b"\n\n")
        assert len(provider.simulator.journal.entries[0].writes) == 1
        provider.simulator.gates.release("gate")
        rest = await response.read()

    assert first.startswith(b"data: {")
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_a_call_that_cannot_be_inspected_is_refused(proxy: Proxy, provider: Provider) -> None:
    async with proxy.client().post(CHAT, data=b'{"a": 1, "a": 2}', headers=KEY) as response:
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (400, "duplicate_keys")
    assert provider.simulator.journal.entries == []
    assert [r["outcome"] for r in await proxy.records()] == ["refused"]


@pytest.mark.parametrize("status", [400, 401, 429, 500, 529])
async def test_a_providers_error_passes_as_it_is(proxy: Proxy, status: int) -> None:
    headers = behave(status=status, retry_after="7")
    async with proxy.client().post(CHAT, json=chat(stream=True), headers=headers) as response:
        answer = await response.json()

    assert (response.status, response.headers["retry-after"]) == (status, "7")
    assert "error" in answer
    assert [(r["outcome"], r["status"]) for r in await proxy.records()] == [("answered", status)]


def change(event: Event) -> list[Event]:
    return [event] if isinstance(event, End) else [event.with_data(b"changed")]


def edit(call: Call) -> None:
    slot = next(slot for slot in call.request.body.slots if slot.text == "hello there")
    call.request.body.edit(slot, "[redacted]")


async def test_rooms_change_what_goes_through(tmp_path: Path, provider: Provider) -> None:
    spy = Spy(request=edit, event=change, response=lambda answer: setattr(answer, "body", b"changed"))
    async with tollgate(tmp_path, provider, {}, spy) as proxy:
        client = proxy.client()
        async with client.post(CHAT, json=chat(), headers=KEY) as response:
            whole = await response.read()
        async with client.post(CHAT, json=chat(stream=True), headers=KEY) as response:
            streamed = await response.read()
        await proxy.records(2)

    assert whole == b"changed"
    assert set(streamed.split(b"\n\n")) == {b"data: changed", b""}
    for entry in provider.simulator.journal.entries:
        assert b"hello" not in entry.body
        assert json.loads(entry.body)["messages"][0]["content"] == "[redacted]"


@pytest.mark.parametrize("streamed", [False, True])
async def test_a_room_may_answer(tmp_path: Path, provider: Provider, streamed: bool) -> None:
    body = b"data: a\n\ndata: b\n\n"
    answer = Answer(200, events=Batches(sse("a", "b")), framing="sse") if streamed else Answer(200, body=body)
    async with tollgate(tmp_path, provider, {}, Spy(), Answers(answer)) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=True), headers=KEY) as response:
            got = await response.read()
        [record] = await proxy.records()

    assert got == body
    assert provider.simulator.journal.entries == []
    assert (record["outcome"], record["bytes_out"]) == ("answered", len(body))


@pytest.mark.parametrize(("hook", "stream"), [("request", False), ("request", True), ("response", False)])
async def test_a_room_that_fails_is_a_refusal(
    tmp_path: Path, provider: Provider, hook: str, stream: bool
) -> None:
    spy = Spy("spy", **{hook: SECRET})
    async with tollgate(tmp_path, provider, {}, spy) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=stream), headers=KEY) as response:
            answer = await response.json()
        [record] = await proxy.records()

    assert (response.status, answer["error"]["code"]) == (400, "room_failed")
    assert record["outcome"] == "refused"
    assert spy.seen.count("spy.end") == 1
    assert len(provider.simulator.journal.entries) == (hook != "request")


async def test_a_room_that_fails_on_an_event_ends_the_stream(tmp_path: Path, provider: Provider) -> None:
    """Nothing of what the room did not see goes out after the error."""
    async with tollgate(tmp_path, provider, {}, Spy(event=SECRET)) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=True), headers=KEY) as response:
            body = await response.text()
        [record] = await proxy.records()

    assert "spy room failed" in body
    assert "hello" not in body
    assert (record["outcome"], record["code"]) == ("refused", "room_failed")
    assert proxy.master.gate.open == set()


@STREAM
@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd"])
async def test_rooms_see_answers_decoded(
    tmp_path: Path, provider: Provider, stream: bool, encoding: str
) -> None:
    seen: list[bytes] = []
    spy = Spy(
        event=lambda event: seen.append(event.data or b""), response=lambda answer: seen.append(answer.body)
    )
    async with tollgate(tmp_path, provider, {}, spy) as proxy:
        headers = behave(encoding=encoding)
        async with proxy.client().post(CHAT, json=chat(stream=stream), headers=headers) as response:
            body = await response.read()
        [record] = await proxy.records()

    assert b"hello" in b"".join(seen)
    assert "content-encoding" not in response.headers
    assert b"hello" in body
    assert record["outcome"] == "answered"


@STREAM
async def test_a_room_that_fails_at_the_end_changes_nothing(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    async with tollgate(tmp_path, provider, {}, Spy(end=SECRET)) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=stream), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert (response.status, record["outcome"]) == (200, "answered")


@pytest.mark.parametrize(
    ("behaviour", "moment"), [({"hang": "never"}, "arrived"), ({"hold": "never"}, "writes")]
)
async def test_a_client_that_leaves_ends_the_providers_work(
    proxy: Proxy, provider: Provider, behaviour: dict[str, Any], moment: str
) -> None:
    session = proxy.client()
    asking = asyncio.ensure_future(session.post(CHAT, json=chat(stream=True), headers=behave(**behaviour)))
    async with asyncio.timeout(5):
        await provider.simulator.journal.wait(1, moment)
    asking.cancel()
    await session.close()
    async with asyncio.timeout(2):
        await provider.simulator.journal.wait(1, "disconnected")

    assert [r["outcome"] for r in await proxy.records()] == ["abandoned"]
    assert proxy.master.gate.report()["open_calls"] == 0


@pytest.mark.parametrize("behaviour", [{"refuse": True}, {"garbage": "head"}], ids=str)
async def test_a_provider_that_does_not_answer_is_a_failure(proxy: Proxy, behaviour: dict[str, Any]) -> None:
    async with proxy.client().post(CHAT, json=chat(), headers=behave(**behaviour)) as response:
        await response.read()

    assert response.status == 502
    assert [r["outcome"] for r in await proxy.records()] == ["failed"]


async def test_a_provider_that_breaks_off_is_a_failure(proxy: Proxy) -> None:
    async with proxy.client().post(CHAT, json=chat(stream=True), headers=behave(cut=2)) as response:
        with pytest.raises(aiohttp.ClientPayloadError):
            await response.read()

    assert [r["outcome"] for r in await proxy.records()] == ["failed"]


async def test_a_refusal_on_the_way_down_is_told(tmp_path: Path, provider: Provider) -> None:
    spy = Spy(request=Refused("No secrets, please.", code="secret"))
    async with (
        tollgate(tmp_path, provider, {}, spy) as proxy,
        proxy.client().post(CHAT, json=chat(), headers=KEY) as response,
    ):
        answer = await response.json()

    assert answer["error"]["message"] == "No secrets, please."


async def test_a_plan_that_stays_where_the_client_wanted_is_followed(
    tmp_path: Path, provider: Provider
) -> None:
    route = {"models": {"gpt-6": "gpt-6-mini"}, "headers": {"set": {"x-team": "a"}}}
    async with (
        tollgate(tmp_path, provider, {"route": route}) as proxy,
        proxy.client().post(CHAT, json=chat(), headers=KEY) as response,
    ):
        assert response.status == 200

    [entry] = provider.simulator.journal.entries
    assert json.loads(entry.body)["model"] == "gpt-6-mini"
    assert ("x-team", "a") in entry.headers


async def test_a_plan_that_leads_elsewhere_is_refused(tmp_path: Path, provider: Provider) -> None:
    policy = {
        "targets": {"v": {"host": "vllm.test", "dialect": "openai-chat"}},
        "route": {"targets": ["v"]},
    }
    async with (
        tollgate(tmp_path, provider, policy) as proxy,
        proxy.client().post(CHAT, json=chat(), headers=KEY) as response,
    ):
        told = await response.json()

    assert (response.status, provider.simulator.journal.entries) == (400, [])
    assert "cannot route this call" in told["error"]["message"]


@STREAM
async def test_what_was_redacted_comes_back(tmp_path: Path, provider: Provider, stream: bool) -> None:
    email = "jane.doe@corp-mail.com"
    async with (
        tollgate(tmp_path, provider, {"dlp": {"enabled": True}}) as proxy,
        proxy.client().post(CHAT, json=chat(f"write to {email}", stream=stream), headers=KEY) as response,
    ):
        answer = await response.text()

    assert email not in provider.simulator.journal.entries[0].body.decode()
    assert email in answer.replace("\n", "")
