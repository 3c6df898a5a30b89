from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from multidict import CIMultiDict

from support.rooms import Batches, sse
from support.routes import answered, as_it_is, call_of, target
from tollgate.calls import Answer, Attempt, Call, Failed, Leg, Refused, Target
from tollgate.upstream.journey import LOSS, Journey
from tollgate.upstream.retry import Result

type Say = Callable[[], Result]


def says(status: int, **more: Any) -> Say:
    return lambda: Result(answered(status), status=status, record=Attempt("t", 0.0), **more)


def fails(code: str = "provider_disconnected", **more: Any) -> Say:
    return lambda: Result(error=Failed(code, code=code), **more)


class Visits:
    """Plays what each target says; an asyncio.Event has it wait, None for ever."""

    def __init__(self, **said: list[Say | asyncio.Event | None]) -> None:
        self.said = said
        self.asked: list[str] = []
        self.given_up: list[str] = []
        self.keys = True

    def has_key(self, target: Target) -> bool:
        return self.keys

    async def visit(self, call: Call, target: Target) -> Result:
        self.asked.append(target.name)
        said = self.said[target.name].pop(0)
        try:
            if said is None:
                await asyncio.Event().wait()
            while isinstance(said, asyncio.Event):
                await said.wait()
                said = self.said[target.name].pop(0)
        except asyncio.CancelledError:
            self.given_up.append(target.name)
            raise
        assert callable(said)
        return said()


def call_over(visits: Visits, operation: str = "chat", keys: int = 1, **route: Any) -> Call:
    call = call_of({"route": {"backoff": 0.001, **route}}, operation=operation)
    names = tuple(f"k{n}" for n in range(keys))
    call.plan = tuple(target(name, credentials=names) for name in visits.said)
    return call


async def run(visits: Visits, call: Call | None = None, **options: Any) -> Answer:
    async with asyncio.timeout(5):
        return await Journey(call or call_over(visits, **options), visits).run()


@pytest.mark.parametrize(
    ("said", "retries", "status", "asked"),
    [
        ({"a": [says(200)]}, 3, 200, "a"),
        ({"a": [says(500), says(200)]}, 1, 200, "aa"),
        ({"a": [says(500), says(503)], "b": [says(200)]}, 1, 200, "aab"),
        ({"a": [says(500)], "b": [says(529)]}, 0, 529, "ab"),
        ({"a": [says(400)], "b": [says(200)]}, 3, 400, "a"),
        ({"a": [fails()], "b": [says(200)]}, 0, 200, "ab"),
        ({"a": [says(429)], "b": [fails("circuit_open")]}, 0, 429, "ab"),
        ({"a": [fails("circuit_open")], "b": [says(429)]}, 3, 429, "abbbb"),
        ({"a": [fails("untranslatable", unfit=True)], "b": [says(200)]}, 3, 200, "ab"),
        ({"a": [says(200, broken="cut")], "b": [says(200)]}, 0, 200, "ab"),
    ],
)
async def test_targets_are_asked_until_one_answers(
    said: dict[str, list[Say | asyncio.Event | None]], retries: int, status: int, asked: str
) -> None:
    visits = Visits(**{name: [*answers, *answers * 4] for name, answers in said.items()})

    assert (await run(visits, retries=retries)).status == status
    assert "".join(visits.asked) == asked


async def test_the_last_failure_is_told_where_nobody_answers() -> None:
    with pytest.raises(Failed, match="provider_timeout"):
        await run(Visits(a=[fails()], b=[fails("provider_timeout")]))


async def test_what_no_policy_can_allow_ends_it() -> None:
    def refused() -> Result:
        return Result(error=Refused("never", code="forbidden_address", always=True))

    visits = Visits(a=[refused], b=[says(200)])
    with pytest.raises(Refused, match="never"):
        await run(visits, retries=2)
    assert visits.asked == ["a"]


@pytest.mark.parametrize(("keys", "free", "asked"), [(2, True, 2), (2, False, 1), (1, True, 1)])
async def test_another_key_is_tried_at_once_and_is_no_retry(keys: int, free: bool, asked: int) -> None:
    visits = Visits(a=[says(429, key_refused=True), says(200)])
    visits.keys = free
    await run(visits, keys=keys)

    assert len(visits.asked) == asked


async def test_what_leaves_something_behind_is_asked_once() -> None:
    visits = Visits(a=[says(500)], b=[says(200)])

    assert (await run(visits, operation="files", retries=2, hedge=0.001)).status == 500
    assert visits.asked == ["a"]


async def test_a_slow_target_is_joined_by_the_next_and_given_up() -> None:
    visits = Visits(a=[None], b=[says(200)])

    assert (await run(visits, hedge=0.001)).status == 200
    assert (visits.asked, visits.given_up) == (["a", "b"], ["a"])


async def test_a_lone_target_is_asked_twice() -> None:
    visits = Visits(a=[None, says(200)])

    assert (await run(visits, hedge=0.001)).status == 200
    assert visits.asked == ["a", "a"]


async def test_a_quick_target_is_not_joined() -> None:
    visits = Visits(a=[says(200)], b=[])

    assert (await run(visits, hedge=5)).status == 200
    assert visits.asked == ["a"]


async def test_where_one_of_two_fails_the_other_is_waited_for() -> None:
    gate = asyncio.Event()

    def failing() -> Result:
        gate.set()
        return says(500)()

    visits = Visits(a=[gate, says(200)], b=[failing])

    assert (await run(visits, hedge=0.001)).status == 200


async def test_where_there_is_nobody_to_join_the_first_is_waited_for() -> None:
    gate = asyncio.Event()

    def failing() -> Result:
        asyncio.get_running_loop().call_later(0.01, gate.set)
        return fails()()

    visits = Visits(a=[failing], b=[gate, says(200)])

    assert (await run(visits, hedge=0.005)).status == 200
    assert visits.asked == ["a", "b"]


async def test_of_two_answers_one_is_hung_up_on() -> None:
    streams, gate = [Batches(sse("x")), Batches(sse("y"))], asyncio.Event()

    def streamed(events: Batches) -> Result:
        gate.set()
        return Result(Answer(200, events=events), status=200)

    visits = Visits(a=[gate, lambda: streamed(streams[0])], b=[lambda: streamed(streams[1])])
    answer = await run(visits, hedge=0.001)

    [other] = [events for events in streams if events is not answer.events]
    assert other.closed or visits.given_up == ["a"]
    assert isinstance(answer.events, Batches)
    assert not answer.events.closed


async def test_the_slower_target_is_given_up() -> None:
    visits = Visits(a=[asyncio.Event(), says(200)], b=[says(200)])

    assert (await run(visits, hedge=0.001)).status == 200
    assert visits.given_up == ["a"]


async def test_a_deadline_counts_from_the_calls_beginning() -> None:
    visits = Visits(a=[None])
    call = call_over(visits, deadline=1000.0)
    call.timings.started -= 1000

    with pytest.raises(Failed, match=r"1000 s of route\.deadline") as caught:
        await run(visits, call)
    assert (caught.value.code, caught.value.status) == ("deadline", 504)


async def test_a_client_that_leaves_ends_both() -> None:
    visits = Visits(a=[None], b=[None])
    asking = asyncio.ensure_future(run(visits, hedge=0.001))
    async with asyncio.timeout(5):
        while len(visits.asked) < 2:
            await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)

    assert sorted(visits.given_up) == ["a", "b"]


@pytest.mark.parametrize(("on_loss", "told"), [("warn", True), ("drop", False)])
async def test_the_call_remembers_whose_answer_it_is(on_loss: str, told: bool) -> None:
    visits = Visits()
    call = call_over(visits, on_loss=on_loss)
    winner = Attempt("a", 0.0, answered_model="m", first_byte=1.0)
    call.attempts = [winner, Attempt("b", 0.0)]
    leg = as_it_is(call)
    leg.losses = ("top_k", "a – dash (messages[0])")
    visits.said["a"] = [lambda: Result(answered(), status=200, leg=leg, record=winner)]
    call.plan = (target("a"),)
    answer = await run(visits, call)

    assert [attempt.target for attempt in call.attempts] == ["b", "a"]
    assert (call.answered_model, call.timings.first_byte) == ("m", 1.0)
    assert call.verdicts[-1].reason == "lost in translation: top_k; a – dash (messages[0])"
    assert answer.headers.get(LOSS) == ("top_k; a \\u2013 dash (messages[0])" if told else None)
    assert isinstance(leg, Leg)


@pytest.mark.parametrize("then", [says(200), None], ids=["answered", "too late"])
async def test_a_stream_that_was_none_is_hung_up_on_when_another_target_is_asked(then: Say | None) -> None:
    events = Batches(sse("error"))
    broken = Result(Answer(200, events=events), status=200, broken="overloaded", record=Attempt("a", 0.0))
    visits = Visits(a=[lambda: broken], b=[then])

    if then is None:
        with pytest.raises(Failed, match="deadline"):
            await run(visits, deadline=0.05)
    else:
        assert (await run(visits)).status == 200

    assert events.closed


async def test_a_pause_beyond_the_deadline_is_not_waited_for() -> None:
    later = CIMultiDict({"retry-after": "5"})
    visits = Visits(a=[says(429, headers=later)], b=[says(200)])

    assert (await run(visits, retries=3, deadline=2)).status == 200
    assert visits.asked == ["a", "b"]
    assert (await run(Visits(a=[says(429, headers=later)]), retries=3, deadline=2)).status == 429
