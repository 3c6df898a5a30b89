"""Calls that share one that is under way."""

from __future__ import annotations

import asyncio

import pytest
from multidict import CIMultiDict

from support.upstream import make_call
from tollgate.cache.flight import Flight, Head
from tollgate.calls import Answer, Call, End, Event, Usage

STREAM = Head(200, CIMultiDict({"content-type": "text/event-stream"}), "sse")
WHOLE = Head(200, CIMultiDict(), body=b"{}")


def leading() -> tuple[Flight, Call]:
    leader = make_call()
    return Flight(leader), leader


async def read(answer: Answer | None) -> list[Event]:
    assert answer is not None
    assert answer.events is not None
    return [event async for batch in answer.events for event in batch]


async def test_a_whole_answer_is_everyones() -> None:
    flight, leader = leading()
    calls = [make_call() for _ in range(3)]
    waiting = [asyncio.ensure_future(flight.share(call)) for call in calls]
    await asyncio.sleep(0)
    leader.usage = Usage(input=2)

    flight.begin(WHOLE)

    answers = await asyncio.gather(*waiting)
    assert [answer.body for answer in answers if answer] == [b"{}"] * 3
    assert [call.usage for call in calls] == [Usage(input=2)] * 3
    assert flight.over


async def test_a_stream_is_shared_as_it_comes_by_those_who_came_later_too() -> None:
    flight, leader = leading()
    early = asyncio.ensure_future(flight.share(make_call()))
    await asyncio.sleep(0)
    flight.begin(STREAM)
    flight.add(Event(b"1"))
    late_call = make_call()
    late = await flight.share(late_call)
    reading = [asyncio.ensure_future(read(await early)), asyncio.ensure_future(read(late))]
    await asyncio.sleep(0)

    leader.usage = Usage(output=1)
    flight.add(Event(b"2"))
    flight.add(End())

    for events in await asyncio.gather(*reading):
        assert [event.data for event in events] == [b"1", b"2", None]
        assert isinstance(events[-1], End)
        assert not events[-1].error
    assert late_call.usage == Usage(output=1)


async def test_a_leader_that_brings_nothing_to_share_leaves_the_others_to_themselves() -> None:
    flight, _ = leading()
    waiting = asyncio.ensure_future(flight.share(make_call()))
    await asyncio.sleep(0)

    flight.end()

    assert await waiting is None


async def test_an_answer_that_is_none_to_share_is_not() -> None:
    flight, _ = leading()
    flight.begin(None)

    assert await flight.share(make_call()) is None


async def test_who_comes_after_a_whole_answer_has_it_at_once() -> None:
    flight, _ = leading()
    flight.begin(WHOLE)
    flight.begin(None)
    flight.end()

    answer = await flight.share(make_call())

    assert answer is not None
    assert (answer.body, answer.events) == (b"{}", None)


async def test_a_stream_that_breaks_off_tells_everyone() -> None:
    flight, _ = leading()
    flight.begin(STREAM)
    answer = await flight.share(make_call())
    flight.end()

    [*_, end] = await read(answer)

    assert isinstance(end, End)
    assert end.error


async def test_the_call_is_given_up_when_the_last_one_leaves() -> None:
    flight, leader = leading()
    given_up: list[bool] = []
    leader.audience.when_empty(lambda: given_up.append(True))
    flight.begin(STREAM)
    one, other = await flight.share(make_call()), await flight.share(make_call())
    assert one is not None
    assert other is not None
    assert one.events is not None
    assert other.events is not None

    leader.audience.leave()
    await one.events.aclose()
    await one.events.aclose()
    assert given_up == []

    await other.events.aclose()
    assert given_up == [True]


async def test_who_leaves_before_the_head_leaves_too() -> None:
    flight, leader = leading()
    waiting = asyncio.ensure_future(flight.share(make_call()))
    await asyncio.sleep(0)
    leader.audience.leave()

    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert leader.audience.empty


async def test_nobody_gives_up_what_is_over() -> None:
    flight, leader = leading()
    flight.begin(STREAM)
    answer = await flight.share(make_call())
    flight.add(End())
    leader.audience.leave()
    assert answer is not None
    assert answer.events is not None

    await answer.events.aclose()

    assert not leader.audience.empty
