from __future__ import annotations

import asyncio

import pytest

from support.routes import target
from tollgate.calls import Failed, Target
from tollgate.policy.routing import Limits
from tollgate.upstream.turns import Turns


def limited(concurrent: int | None = 1, queue: int = 100, wait: float = 5.0) -> Target:
    return target(limits=Limits(concurrent=concurrent, queue=queue, wait=wait))


async def test_without_a_limit_nobody_waits() -> None:
    turns = Turns()
    ends = [await turns.take(limited(None)) for _ in range(100)]
    for end in ends:
        end()


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    turns, order = Turns(), []

    async def work(number: int) -> None:
        end = await turns.take(limited(2))
        order.append(number)
        running.append(number)
        assert len(running) <= 2
        await asyncio.sleep(0)
        running.remove(number)
        end()
        end()  # twice is as good as once

    running: list[int] = []
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(work(number))
    assert order == list(range(20))
    assert (turns._taken, turns._waiting) == ({}, {})


async def test_a_full_queue_sends_calls_away() -> None:
    turns = Turns()
    await turns.take(limited(queue=0))

    with pytest.raises(Failed, match=r"its queue is full \(targets\.t\.limits\.queue\)") as caught:
        await turns.take(limited(queue=0))
    assert (caught.value.code, caught.value.status) == ("target_busy", 503)


async def test_nobody_waits_for_longer_than_the_policy_says() -> None:
    turns = Turns()
    end = await turns.take(limited())

    with pytest.raises(Failed, match=r"no turn came within 0\.01 s"):
        await turns.take(limited(wait=0.01))
    end()
    (await turns.take(limited()))()
    assert turns._taken == {}


async def test_a_client_that_leaves_takes_no_turn() -> None:
    turns = Turns()
    end = await turns.take(limited())
    waiting = asyncio.ensure_future(turns.take(limited()))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    end()

    assert turns._taken == {}


async def test_a_turn_that_comes_as_the_client_leaves_goes_to_the_next() -> None:
    turns = Turns()
    end = await turns.take(limited())
    leaving = asyncio.ensure_future(turns.take(limited()))
    staying = asyncio.ensure_future(turns.take(limited()))
    await asyncio.sleep(0)
    end()
    leaving.cancel()
    async with asyncio.timeout(5):
        (await staying)()

    assert turns._taken == {}
