from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.routes import runtime
from support.wire import LAST_CHUNK, Peer, Script, Wire, always, answer, chunk, head
from tollgate.policy.schema import Upstream
from tollgate.providers import Providers
from tollgate.upstream import checks
from tollgate.upstream.checks import Checks, Doctor
from tollgate.upstream.checkups import Subject, subjects_of
from tollgate.upstream.client import Client
from tollgate.upstream.keys import Keys

KEY = "sk-company-of-nobody"
OFTEN = {"path": "/v1/models", "every": "100 ms", "failures": 1}


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", KEY)


def subject_at(port: int, hosts: str = "127.0.0.1", target: Any = None, **check: Any) -> tuple[Subject, Keys]:
    """A target at that port, with a key for those hosts."""
    place = {"host": "127.0.0.1", "port": port, "scheme": "http", "dialect": "openai-chat"}
    settings = {**place, "check": {**OFTEN, **check}, **(target or {})}
    credentials = {"k": {"env": "KEY", "hosts": hosts}, "l": {"env": "KEY", "hosts": hosts}}
    told = runtime(credentials=credentials, targets={"t": settings})
    [subject] = subjects_of(told)
    return subject, Keys(told.policy.file.credentials)


@asynccontextmanager
async def doctor(keys: Keys) -> AsyncIterator[Doctor]:
    client = Client(Upstream())
    try:
        yield Doctor(client, keys, Providers.builtin())
    finally:
        client.close()
        await asyncio.sleep(0)


async def asked(script: Script, **more: Any) -> tuple[str, Wire]:
    """What a doctor says of a server with that script."""
    async with Wire(script) as server, asyncio.timeout(10):
        subject, keys = subject_at(server.port, **more)
        async with doctor(keys) as asks:
            return await asks.ask(subject), server


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.01)


async def test_a_target_is_asked_with_its_own_key() -> None:
    problem, server = await asked(always(answer(b"{}")), target={"credential": ["client", "k"]})

    [heard] = server.heard
    assert problem == ""
    assert (heard.line, heard.header("authorization")) == ("GET /v1/models HTTP/1.1", f"Bearer {KEY}")
    assert heard.body == b""


async def test_without_a_key_of_its_own_it_is_shown_none() -> None:
    _, server = await asked(always(answer(b"{}")))

    assert "authorization" not in {name.lower() for name, _ in server.heard[0].headers}


async def test_a_key_never_goes_where_it_may_not() -> None:
    """The policy's reader refuses such a target already."""
    problem, server = await asked(always(answer(b"{}")), hosts="api.openai.com", target={"credential": "k"})

    assert "may not be sent to 127.0.0.1" in problem
    assert KEY not in problem
    assert server.heard == []


@pytest.mark.parametrize(
    ("status", "statuses", "problem"),
    [
        ("202 So", ["2xx"], ""),
        ("429 Slow", ["2xx", "429"], ""),
        ("500 So", ["2xx"], "127.0.0.1 answers with HTTP 500"),
        ("404 Not", ["2xx"], "127.0.0.1 answers with HTTP 404"),
        ("404 Not", [404], ""),
    ],
)
async def test_the_policy_says_which_statuses_are_well(status: str, statuses: Any, problem: str) -> None:
    assert (await asked(always(answer(b"{}", status)), statuses=statuses))[0] == problem


async def hangs(peer: Peer) -> None:
    await peer.reader.read()


async def drips(peer: Peer) -> None:
    await peer.send(head("application/json"))
    while True:
        await peer.send(chunk(b" "))
        await asyncio.sleep(0.01)


async def cuts(peer: Peer) -> None:
    await peer.send(head("application/json") + chunk(b" "))
    peer.cut()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (hangs, "did not answer within 0.1 s"),
        (drips, "did not answer within 0.1 s"),
        (cuts, "closed the connection in the middle of its answer"),
    ],
)
async def test_what_does_not_answer_in_time_or_to_its_end_fails(script: Script, said: str) -> None:
    problem, _ = await asked(script, timeout="100 ms")

    assert said in problem


async def test_an_answer_without_end_is_not_read_to_its_end() -> None:
    async def floods(peer: Peer) -> None:
        await peer.send(head("application/json"))
        while True:
            await peer.send(chunk(b" " * 65536))

    problem, server = await asked(floods)

    assert problem == ""
    assert server.connections == 1


async def test_nobody_there_is_a_failure() -> None:
    subject, keys = subject_at(1)
    async with doctor(keys) as asks:
        assert "No connection to 127.0.0.1" in await asks.ask(subject)


async def test_one_connection_serves_all_checks() -> None:
    async with Wire(always(head("application/json") + chunk(b"{}") + LAST_CHUNK)) as server:
        subject, keys = subject_at(server.port)
        async with doctor(keys) as asks:
            assert [await asks.ask(subject) for _ in range(3)] == [""] * 3

    assert {heard.connection for heard in server.heard} == {0}


async def test_a_key_that_is_refused_is_read_anew_and_a_resting_one_is_spared() -> None:
    async with Wire(always(answer(b"{}", "401 No"))) as server:
        subject, keys = subject_at(server.port, target={"credential": ["k", "l"]})
        async with doctor(keys) as asks:
            keys.rest("k", 60.0)
            assert (await asks.ask(subject)).endswith("HTTP 401")
            assert (keys._keys["l"].read_at, keys._keys["k"].read_at > 0) == (float("-inf"), True)
            keys.rest("l", 30.0)
            await asks.ask(subject)

    assert len(server.heard) == 2


# -- again and again ---------------------------------------------------------------------------------------


class Scripted(Doctor):
    """Says what the test wants, and counts."""

    def __init__(self, problem: str = "") -> None:
        self.problem = problem
        self.asked: list[str] = []
        self.error: Exception | None = None

    async def ask(self, subject: Subject) -> str:
        self.asked.append(subject.name)
        if self.error:
            raise self.error
        return self.problem


def subjects(*names: str, **check: Any) -> list[Subject]:
    settings = {"provider": "openai", "check": {**OFTEN, **check}}
    return subjects_of(runtime(targets=dict.fromkeys(names, settings)))


async def test_a_target_goes_down_and_comes_back_and_the_log_says_so(
    caplog: pytest.LogCaptureFixture,
) -> None:
    doctor, running = Scripted("down"), Checks(subjects("t"))
    with caplog.at_level(logging.WARNING, "tollgate"):
        running.start(doctor)
        await until(lambda: bool(running.checkups["t"].problem) and len(doctor.asked) > 2)
        assert running.health()["t"] == {"check": "failing", "problem": "down", "seconds": 0}
        doctor.problem = ""
        await until(lambda: not running.checkups["t"].problem)
        running.stop()

    assert running.health() == {"t": {"check": "passing"}}
    assert [record.getMessage().partition(", after")[0] for record in caplog.records] == [
        "Tollgate: the target t fails its check and is left alone: down",
        "Tollgate: the target t passes its check again",
    ]


async def test_what_is_stopped_ends() -> None:
    doctor, running = Scripted(), Checks(subjects("t"))
    running.start(doctor)
    await until(lambda: bool(doctor.asked))
    running.stop()
    await until(lambda: not running._tasks)

    assert len(doctor.asked) >= 1


async def test_only_so_many_are_under_way_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "AT_ONCE", 2)
    busy, most, free = 0, 0, asyncio.Event()

    class Slow(Scripted):
        async def ask(self, subject: Subject) -> str:
            nonlocal busy, most
            busy += 1
            most = max(most, busy)
            self.asked.append(subject.name)
            await free.wait()
            busy -= 1
            return ""

    doctor, running = Slow(), Checks(subjects(*"abcdef"))
    running.start(doctor)
    await until(lambda: busy == 2)
    free.set()
    await until(lambda: set(doctor.asked) == set("abcdef"))
    running.stop()

    assert most == 2


async def test_what_is_known_of_a_target_outlives_a_policy_that_leaves_it_alone() -> None:
    before = Checks(subjects("a", "b"))
    before.checkups["a"].problem = before.checkups["b"].problem = "down"
    after = Checks([*subjects("a"), *subjects("b", path="/other")], before)

    assert after.checkups["a"] is before.checkups["a"]
    assert after.checkups["b"].problem == ""


async def test_checks_that_end_by_a_bug_leave_nobody_alone_for_ever(
    caplog: pytest.LogCaptureFixture,
) -> None:
    doctor, running = Scripted("down"), Checks(subjects("t"))
    running.start(doctor)
    await until(lambda: bool(running.checkups["t"].problem))
    doctor.error = ZeroDivisionError()
    await until(lambda: not running._tasks)

    assert running.checkups["t"].problem == ""
    assert "the checks of t ended" in caplog.text
