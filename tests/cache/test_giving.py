"""Two processes with one folder: what one is about to keep, the other one waits for."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from support.upstream import make_call, make_request
from tollgate.cache import shelf, turn
from tollgate.cache.addon import Cache
from tollgate.cache.entry import Entry
from tollgate.cache.semantic.likes import Like, Likes
from tollgate.cache.shelf import LEASES
from tollgate.calls import Answer, Call, Failed, Runtime, Usage
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester, FileLeases

ON: dict[str, Any] = {"cache": {"enabled": True}}
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "model": "gpt-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "four"}, "finish_reason": "stop"}],
}


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[tuple[Cache, Cache]]:
    """Rooms as two processes have them that share a state folder."""
    policy = Policy(PolicyFile.model_validate(ON))
    runtime = Runtime(policy, Providers.builtin(), tmp_path, Digester(b"k" * 32))
    one, other = Cache(), Cache()
    for room in (one, other):
        room.llm_prepare(runtime)
        room.llm_setup(runtime)
    yield one, other
    one.done()
    other.done()


def asks(
    text: str = "two and two",
    stream: bool = False,
    headers: dict[str, str] | None = None,
    cache: dict[str, Any] | None = None,
) -> Call:
    body = {"model": "gpt-6", "messages": [{"role": "user", "content": text}], "stream": stream}
    request = make_request(json.dumps(body).encode(), headers=list((headers or {}).items()))
    call = make_call(request, stream=stream, policy={"cache": {"enabled": True, **(cache or {})}})
    request.body.parse(call.dialect.shape)
    call.time = time.time()
    return call


async def leads(room: Cache, call: Call) -> None:
    """The call goes on to the provider."""
    await room.llm_request(call)
    assert call.answer is None
    assert call.cache == "miss"


def comes_later(room: Cache, call: Call) -> asyncio.Task[None]:
    return asyncio.ensure_future(room.llm_request(call))


async def until_awaited(tmp_path: Path) -> None:
    """Once a process waits for what another one is about to keep."""
    leases = FileLeases(tmp_path / "answers" / LEASES)
    async with asyncio.timeout(10):
        while not leases._is_seen(0, 2**62):
            await asyncio.sleep(0.001)
    leases.close()


async def ends(room: Cache, call: Call, status: int = 200) -> None:
    """The provider answers, and the client has it."""
    call.usage = Usage(input=3)
    await room.llm_response(call, Answer(status, CIMultiDict(), json.dumps(ANSWER).encode()))
    room.llm_end(call)


def said(call: Call) -> str:
    assert call.answer is not None
    return str(json.loads(call.answer.body)["choices"][0]["message"]["content"])


async def test_another_process_has_what_the_first_one_brings(
    processes: tuple[Cache, Cache], tmp_path: Path
) -> None:
    one, other = processes
    first, later = asks(), [asks() for _ in range(3)]
    await leads(one, first)
    waiting = [comes_later(other, call) for call in later]
    await until_awaited(tmp_path)
    assert not any(task.done() for task in waiting)
    await ends(one, first)
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)

    assert [said(call) for call in later] == ["four"] * 3
    assert [(call.cache, call.usage) for call in later] == [("hit", Usage(input=3))] * 3
    assert {verdict.code for call in later for verdict in call.verdicts} == {"shared"}
    for call in later:
        other.llm_end(call)
    assert other._flights == {}


async def test_who_waits_does_not_wait_for_what_gathers(
    processes: tuple[Cache, Cache], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither who waits when the answer comes, nor who comes while it waits to be written."""
    monkeypatch.setattr(shelf, "_GATHER", 3600.0)
    one, other = processes
    first, second = asks(), asks()
    await leads(one, first)
    waiting = comes_later(other, second)
    await until_awaited(tmp_path)
    await ends(one, first)
    async with asyncio.timeout(10):
        await waiting
    assert second.cache == "hit"

    third, fourth = asks("three and three"), asks("three and three")
    await leads(one, third)
    await ends(one, third)
    async with asyncio.timeout(10):
        await other.llm_request(fourth)
    assert fourth.cache == "hit"


async def test_what_was_kept_while_a_question_was_understood_is_found(
    processes: tuple[Cache, Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_GATHER", 0.0)
    one, other = processes
    first, second = asks(), asks()

    async def understand(*_: object) -> object:
        await leads(one, first)
        await ends(one, first)
        async with asyncio.timeout(10):
            while one._shelf is None or one._shelf._writing:
                await asyncio.sleep(0.001)
        return object()

    async def nothing_like_it(*_: object) -> None:
        return None

    monkeypatch.setattr(other._likes, "understand", understand)
    monkeypatch.setattr(other._likes, "find", nothing_like_it)
    await other.llm_request(second)

    assert second.cache == "hit"


@pytest.mark.parametrize("how", ["answered with an error", "failed", "left"])
async def test_where_the_first_brings_nothing_the_next_one_asks(
    processes: tuple[Cache, Cache], tmp_path: Path, how: str
) -> None:
    one, other = processes
    first, second = asks(), asks()
    await leads(one, first)
    waiting = comes_later(other, second)
    await until_awaited(tmp_path)
    if how == "answered with an error":
        await one.llm_response(first, Answer(500, CIMultiDict(), b"{}"))
    else:
        one.llm_end(first)
    async with asyncio.timeout(10):
        await waiting

    assert (second.answer, second.cache) == (None, "miss")
    if how == "answered with an error":
        one.llm_end(first)
    third = comes_later(one, asks())  # which now waits for the second
    await until_awaited(tmp_path)
    await ends(other, second)
    async with asyncio.timeout(10):
        await third


async def test_where_a_process_ends_the_next_one_asks(processes: tuple[Cache, Cache], tmp_path: Path) -> None:
    one, other = processes
    await leads(one, asks())
    second = asks()
    waiting = comes_later(other, second)
    await until_awaited(tmp_path)
    one.done()
    async with asyncio.timeout(10):
        await waiting

    assert (second.answer, second.cache) == (None, "miss")


async def test_who_leaves_while_waiting_holds_nobody_up(
    processes: tuple[Cache, Cache], tmp_path: Path
) -> None:
    one, other = processes
    first, second, third = asks(), asks(), asks()
    await leads(one, first)
    waiting = comes_later(other, second)
    await until_awaited(tmp_path)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    other.llm_end(second)
    assert other._flights == {}
    after = comes_later(other, third)
    await until_awaited(tmp_path)
    await ends(one, first)
    async with asyncio.timeout(10):
        await after

    assert third.cache == "hit"


async def test_a_process_that_is_stuck_is_not_waited_for_any_longer(
    processes: tuple[Cache, Cache], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn.turn, "__defaults__", (0.02,))
    one, other = processes
    await leads(one, asks())
    second = asks()

    await leads(other, second)
    await ends(other, second)


async def test_a_stream_waits_for_no_other_process(processes: tuple[Cache, Cache]) -> None:
    one, other = processes
    for first, second in ((asks(), asks(stream=True)), (asks(stream=True), asks())):
        await leads(one, first)
        await leads(other, second)
        one.llm_end(first)
        other.llm_end(second)


@pytest.mark.parametrize("second", [{"headers": {"cache-control": "no-cache"}}, {"cache": {"share": False}}])
async def test_who_wants_an_answer_of_its_own_waits_for_nobody(
    processes: tuple[Cache, Cache], second: dict[str, Any]
) -> None:
    one, other = processes
    await leads(one, asks())

    await leads(other, asks(**second))


async def test_who_wants_only_what_is_kept_neither_waits_nor_is_waited_for(
    processes: tuple[Cache, Cache],
) -> None:
    one, other = processes
    only = asks(headers={"cache-control": "only-if-cached"})
    for room in (one, other):
        with pytest.raises(Failed, match="only-if-cached"):
            await room.llm_request(only)
        room.llm_end(only)
        assert room._flights == {}

    await leads(one, asks())


async def test_where_there_are_no_leases_each_process_asks_by_itself(
    processes: tuple[Cache, Cache], caplog: pytest.LogCaptureFixture
) -> None:
    one, other = processes
    for room in processes:
        assert room._shelf is not None
        room._shelf._leases.close()
    for _ in range(2):
        for room in (one, other):
            call = asks()
            await leads(room, call)
            room.llm_end(call)

    assert caplog.text.count("Other processes are not waited for") == 2


# -- what is kept already ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["two and two", "long " * 10_000], ids=["small", "large"])
async def test_what_is_kept_is_given(processes: tuple[Cache, Cache], text: str) -> None:
    one, _ = processes
    first, second = asks(text), asks(text)
    await leads(one, first)
    await ends(one, first)
    await one.llm_request(second)

    assert (said(second), second.cache, second.usage) == ("four", "hit", Usage(input=3))
    assert second.verdicts == []


async def test_what_is_too_old_is_remembered_for_a_provider_that_fails(
    processes: tuple[Cache, Cache],
) -> None:
    one, _ = processes
    stale = {"ttl": 0.000001, "stale_if_error": 60.0}
    first, second = asks(cache=stale), asks(cache=stale)
    await leads(one, first)
    await ends(one, first)
    await leads(one, second)
    await one.llm_failed(second, Failed("gone", code="gone"))

    assert (said(second), second.verdicts[-1].code) == ("four", "stale")


async def test_calls_of_one_process_share_a_stream(processes: tuple[Cache, Cache]) -> None:
    one, _ = processes
    first, second = asks(stream=True), asks(stream=True)
    await leads(one, first)
    sharing = comes_later(one, second)
    await asyncio.sleep(0)
    answer = Answer(200, CIMultiDict({"content-type": "text/event-stream"}), framing="sse")
    one.llm_head(first, answer)
    await sharing

    assert second.answer is not None
    assert (second.answer.framing, second.cache, second.verdicts[-1].code) == ("sse", "hit", "shared")


class Liking(Likes):
    """Finds every question like the last one that was kept."""

    def __init__(self, mode: str) -> None:
        super().__init__()
        self.entry: Entry | None = None
        self.mode = mode

    async def understand(self, call: Call, name: Any) -> Any:
        return object() if self.entry else None

    async def find(self, *asked: object) -> Like | None:
        return Like(self.entry, 0.97, "") if self.entry else None


@pytest.mark.parametrize(("mode", "cache"), [("serve", "hit"), ("shadow", "miss")])
async def test_an_answer_to_a_like_question_is_given_where_the_policy_says_so(
    processes: tuple[Cache, Cache], mode: str, cache: str
) -> None:
    one, _ = processes
    likes = one._likes = Liking(mode)
    first, second = asks(), asks("three and three", cache={"semantic": {"mode": mode}})
    await leads(one, first)
    name = first.notes["cache"].name
    await ends(one, first)
    assert one._shelf is not None
    likes.entry = await one._shelf.find(name)
    await one.llm_request(second)

    assert second.cache == cache
    if second.answer is not None:
        assert second.answer.headers["x-tollgate-cache"] == "hit; semantic; score=0.97"
        assert second.verdicts[-1].code == "semantic"
    else:
        assert second.notes["cache"].like is not None
