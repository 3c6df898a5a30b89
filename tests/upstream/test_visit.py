from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from support.rooms import sse
from support.routes import call_of, target
from support.upstream import raw
from support.wire import LAST_CHUNK, Peer, Script, Wire, always, answer, chunk, head
from tollgate.calls import (
    Answer,
    Call,
    Checkup,
    End,
    Event,
    Failed,
    Headers,
    Leg,
    Refused,
    Standing,
    Target,
)
from tollgate.calls.plan import CLIENT
from tollgate.dialects import dialect
from tollgate.policy import Upstream
from tollgate.policy.routing import Breaker, Credential, Limits
from tollgate.providers import Providers
from tollgate.upstream import visit as module
from tollgate.upstream.client import Client
from tollgate.upstream.keys import Keys
from tollgate.upstream.retry import Result
from tollgate.upstream.turns import Turns
from tollgate.upstream.visit import Visitor

EVENTS = b'data: {"a":1}\n\ndata: [DONE]\n\n'
STREAM = head() + chunk(EVENTS) + LAST_CHUNK
ERROR = head() + chunk(b'data: {"error":{"code":"busy"}}\n\n') + LAST_CHUNK


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(Upstream())
    yield client
    client.close()
    await asyncio.sleep(0)


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    monkeypatch.setenv("K", "sk-of-nobody")
    found = {name: Credential.model_validate({"env": "K", "hosts": "127.0.0.1"}) for name in ("a", "b")}
    return Keys(found)


class Back:
    """A way back that says where it was."""

    def answer(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]:
        if body == b"foreign":
            raise ValueError("no JSON")
        return status, CIMultiDict({"x-was": "there"}), body.upper()

    def events(self, headers: Headers) -> Back:
        return self

    def feed(self, event: Event) -> list[Event]:
        return [Event(b"translated")]

    def close(self) -> list[Event]:
        return []


def at(server: Wire, back: Back | None = None, **more: Any) -> Target:
    """A target that is this server."""

    def render(call: Call) -> Leg:
        call.request.scheme, call.request.host, call.request.port = "http", "127.0.0.1", server.port
        return Leg(call.request, dialect("openai-chat"), {}, back)

    return target(render=render, **more)


async def visit(
    client: Client, keys: Keys, script: Script, *, plan: int = 2, stream: bool = True, **more: Any
) -> tuple[Result, Call, Target, Wire]:
    async with Wire(script) as server, asyncio.timeout(5):
        call = call_of({"mode": "enforce"})
        call.stream = stream
        there = at(server, **more)
        call.plan = (there,) * plan
        result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call, there)
        return result, call, there, server


async def drained(result: Result) -> list[Event]:
    assert result.answer is not None
    assert result.answer.events is not None
    return [event async for batch in result.answer.events for event in batch]


async def test_a_whole_answer_leaves_the_target_well_and_free(client: Client, keys: Keys) -> None:
    result, call, there, _ = await visit(client, keys, always(answer(b"{}")), stream=False)

    assert result.good
    assert result.record is call.attempts[0]
    assert (there.standing.busy, there.standing.failures) == (0, 0)
    assert there.standing.first_token is not None
    assert (result.record.target, result.record.provider, result.record.model) == ("t", "", "")


@pytest.mark.parametrize("plan", [1, 2])
async def test_a_stream_keeps_its_place_until_it_is_over(client: Client, keys: Keys, plan: int) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(STREAM)

    async with Wire(script) as server, asyncio.timeout(5):
        call = call_of()
        call.stream, there = True, at(server)
        call.plan = (there,) * plan
        result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call, there)
        assert there.standing.busy == 1
        assert raw(await drained(result)) == EVENTS

    assert there.standing.busy == 0


async def test_a_stream_that_breaks_later_is_the_targets_failure(client: Client, keys: Keys) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head() + chunk(b'data: {"a":1}\n\n'))
        await begun.wait()
        peer.cut()

    begun = asyncio.Event()
    async with Wire(script) as server, asyncio.timeout(5):
        call = call_of()
        call.stream, there = True, at(server)
        call.plan = (there, there)
        result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call, there)
        assert result.good
        begun.set()
        last = (await drained(result))[-1]

    assert isinstance(last, End)
    assert last.error
    assert (there.standing.failures, there.standing.busy) == (1, 0)


@pytest.mark.parametrize(
    ("script", "broken"),
    [
        (ERROR, "busy"),
        (head() + chunk(b": ping\n\n") + LAST_CHUNK, ""),
        (head() + LAST_CHUNK, "it ended before it said anything"),
    ],
)
async def test_what_a_stream_begins_with_is_looked_at(
    client: Client, keys: Keys, script: bytes, broken: str
) -> None:
    async def play(peer: Peer) -> None:
        await peer.send(script)

    async with Wire(play) as server, asyncio.timeout(5):
        call = call_of()
        call.stream, there = True, at(server)
        call.plan = (there, there)
        result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call, there)
        await result.discard()

    assert result.broken == broken
    assert there.standing.failures == bool(broken)
    assert there.standing.busy == 0


async def test_a_failure_is_in_the_result_and_in_the_standing(client: Client, keys: Keys) -> None:
    async def script(peer: Peer) -> None:
        peer.cut()

    result, _, there, _ = await visit(client, keys, script)

    assert isinstance(result.error, Failed)
    assert (result.sick, there.standing.failures, there.standing.busy) == (True, 1, 0)


async def test_a_target_that_is_left_alone_is_not_asked(client: Client, keys: Keys) -> None:
    ill = Standing(failures=1, closed_at=float("inf"))
    result, call, _, server = await visit(
        client, keys, always(b""), standing=ill, breaker=Breaker(failures=1)
    )

    assert result.error is not None
    assert result.error.code == "circuit_open"
    assert (call.attempts, server.heard) == ([], [])


async def test_a_target_whose_checks_fail_is_not_asked_and_the_error_says_why(
    client: Client, keys: Keys
) -> None:
    result, call, there, server = await visit(
        client, keys, always(b""), checkup=Checkup(problem="localhost answers with HTTP 500")
    )

    assert result.error is not None
    assert result.error.code == "circuit_open"
    assert "its check fails: localhost answers with HTTP 500 (targets.t.check)" in result.error.message
    assert (call.attempts, server.heard, there.standing.probing) == ([], [], False)


async def test_a_target_without_room_is_not_asked(client: Client, keys: Keys) -> None:
    there = target(limits=Limits(concurrent=1, queue=0))
    turns, call = Turns(), call_of()
    await turns.take(there)
    result = await Visitor(client, keys, turns, Providers.builtin()).visit(call, there)

    assert result.error is not None
    assert result.error.code == "target_busy"
    assert there.standing.busy == 0


async def test_what_does_not_fit_is_not_asked(client: Client, keys: Keys) -> None:
    def render(call: Call) -> Leg:
        raise Refused("it does not fit", code="untranslatable")

    there = target(render=render)
    result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call_of(), there)

    assert (result.unfit, there.standing.busy, there.standing.failures) == (True, 0, 0)


async def test_a_client_that_leaves_leaves_its_place(client: Client, keys: Keys) -> None:
    async def script(peer: Peer) -> None:
        asked.set()
        await peer.reader.read()

    asked = asyncio.Event()
    async with Wire(script) as server, asyncio.timeout(5):
        there = at(server, standing=Standing(failures=1, probing=False), breaker=Breaker(failures=1))
        visitor = Visitor(client, keys, Turns(), Providers.builtin())
        task = asyncio.ensure_future(visitor.visit(call_of(), there))
        await asked.wait()
        assert there.standing.probing
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert (there.standing.busy, there.standing.probing) == (0, False)


# -- keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "headers", "names", "next_"),
    [
        (200, {}, ("a", "b"), "a"),
        (429, {"Retry-After": "60"}, ("a", "b"), "b"),
        (429, {}, ("a", "b"), "b"),
        (429, {}, ("a",), "a"),
        (403, {}, ("a", "b"), "b"),
        (401, {}, ("a",), None),
        (401, {}, (CLIENT,), CLIENT),
    ],
)
async def test_a_key_that_is_refused_rests(
    client: Client,
    keys: Keys,
    status: int,
    headers: dict[str, str],
    names: tuple[str, ...],
    next_: str | None,
) -> None:
    play = always(answer(b"sk-of-nobody", f"{status} So", headers))
    result, _, _, _ = await visit(client, keys, play, stream=False, credentials=names)

    assert keys.pick(names) == next_
    assert result.key_refused is (status != 200 and names != (CLIENT,))
    if result.key_refused and result.answer is not None:
        assert result.answer.body == b"[key]"


async def test_a_key_of_ours_that_is_wrong_is_no_answer_for_the_client(client: Client, keys: Keys) -> None:
    result, _, there, _ = await visit(client, keys, always(answer(b"", "401 No")), credentials=("a",))

    assert result.answer is None
    assert result.error is not None
    assert result.error.code == "credential_refused"
    assert there.standing.failures == 0


@pytest.mark.parametrize(("plan", "asked"), [(2, 0), (1, 1)])
async def test_where_all_keys_rest_only_a_lone_target_is_asked(
    client: Client, keys: Keys, plan: int, asked: int
) -> None:
    keys.rest("a", 60)
    result, _, _, server = await visit(
        client, keys, always(answer(b"{}")), stream=False, plan=plan, credentials=("a",)
    )

    assert len(server.heard) == asked
    assert result.error is None or result.error.code == "keys_resting"


@pytest.mark.parametrize(("names", "asked"), [(("gone", "a"), 1), (("gone",), 0)])
async def test_the_next_key_is_used_where_one_cannot_be_had(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...], asked: int
) -> None:
    monkeypatch.setenv("K", "sk-of-nobody")
    (file := tmp_path / "key").write_text("sk-that-goes")
    sources: dict[str, dict[str, Any]] = {"gone": {"file": file}, "a": {"env": "K"}}
    keys = Keys(
        {name: Credential.model_validate({**of, "hosts": "127.0.0.1"}) for name, of in sources.items()}
    )
    file.unlink()
    keys.age("gone")
    result, _, _, server = await visit(client, keys, always(answer(b"{}")), stream=False, credentials=names)

    assert (len(server.heard), result.good) == (asked, bool(asked))
    assert keys.pick(("gone",)) is None


@pytest.mark.parametrize(("names", "own"), [(("a",), True), ((CLIENT, "a"), False), ((), False)])
async def test_whose_key_was_shown_is_on_record(
    client: Client, keys: Keys, names: tuple[str, ...], own: bool
) -> None:
    """Who pays depends on it."""
    result, _, _, _ = await visit(client, keys, always(answer(b"{}")), stream=False, credentials=names)

    assert result.record is not None
    assert result.record.own_key is own


async def test_a_target_without_keys_is_asked_without(client: Client, keys: Keys) -> None:
    result, _, _, server = await visit(client, keys, always(answer(b"{}")), stream=False, credentials=())

    assert result.good
    assert "sk-of-nobody" not in str(server.heard[0].headers)


def test_a_visitor_knows_whether_a_key_is_free(client: Client, keys: Keys) -> None:
    visitor = Visitor(client, keys, Turns(), Providers.builtin())
    assert visitor.has_key(target(credentials=("a",)))
    keys.rest("a", 60)
    assert not visitor.has_key(target(credentials=("a",)))


# -- other dialects ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("off_loop", [0, 10_000])
async def test_a_whole_answer_is_brought_back(
    client: Client, keys: Keys, monkeypatch: pytest.MonkeyPatch, off_loop: int
) -> None:
    monkeypatch.setattr(module, "OFF_LOOP", off_loop)
    result, _, _, _ = await visit(client, keys, always(answer(b'{"a":1}')), stream=False, back=Back())

    assert isinstance(result.answer, Answer)
    assert (result.answer.body, result.answer.headers["x-was"]) == (b'{"A":1}', "there")


async def test_a_stream_is_brought_back_in_the_clients_framing(client: Client, keys: Keys) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(STREAM)

    async with Wire(script) as server, asyncio.timeout(5):
        call = call_of(speaks="ollama")
        call.stream, there = True, at(server, back=Back())
        call.plan = (there,)
        result = await Visitor(client, keys, Turns(), Providers.builtin()).visit(call, there)
        events = await drained(result)

    assert result.answer is not None
    assert (result.answer.framing, result.answer.headers["content-type"]) == (
        "ndjson",
        "application/x-ndjson",
    )
    assert [event.data for event in events[:-1]] == [b"translated"] * 2


@pytest.mark.parametrize(
    "data", [answer(b"foreign"), answer(b"\x00\x01", headers={"Content-Type": "application/octet-stream"})]
)
async def test_an_answer_that_cannot_be_brought_back_is_a_failure(
    client: Client, keys: Keys, data: bytes
) -> None:
    result, _, there, _ = await visit(client, keys, always(data), stream=False, back=Back())

    assert result.error is not None
    assert result.error.code == "answer_untranslatable"
    assert there.standing.busy == 0


def test_streams_of_these_tests_end() -> None:
    assert isinstance(sse("a")[-1], End)
