"""Processes that would ask a provider the same, one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tollgate.cache.turn import turn
from tollgate.store import FileLeases


@pytest.fixture
def leases(tmp_path: Path) -> Iterator[FileLeases]:
    with closing(FileLeases(tmp_path / "leases")) as opened:
        yield opened


@pytest.fixture
def others(tmp_path: Path, leases: FileLeases) -> Iterator[FileLeases]:
    """As another process has them."""
    with closing(FileLeases(tmp_path / "leases")) as opened:
        yield opened


async def test_a_lease_that_nobody_has_is_had_at_once(leases: FileLeases, others: FileLeases) -> None:
    lease = await turn(leases, "a")

    assert lease is not None
    assert others.take("a") is None


async def test_who_comes_later_has_it_once_it_is_released(leases: FileLeases, others: FileLeases) -> None:
    first = others.take("a")
    waiting = asyncio.ensure_future(turn(leases, "a"))
    while not others.awaited(["a"]):
        await asyncio.sleep(0)
    assert first is not None
    assert not waiting.done()
    first.release()

    assert await waiting is not None
    assert not others.awaited(["a"])


async def test_many_have_it_one_after_the_other(leases: FileLeases, others: FileLeases) -> None:
    within = 0

    async def one(mine: FileLeases) -> None:
        nonlocal within
        lease = await turn(mine, "a")
        assert lease is not None
        with lease:
            within += 1
            await asyncio.sleep(0)
            assert within == 1
            within -= 1

    async with asyncio.timeout(10):
        await asyncio.gather(*(one(mine) for mine in (leases, others) * 4))


async def test_nobody_waits_for_ever(leases: FileLeases, others: FileLeases) -> None:
    held = others.take("a")

    assert held is not None
    assert await turn(leases, "a", longest=0.02) is None
    assert not others.awaited(["a"])


async def test_who_leaves_while_waiting_leaves_nothing_behind(leases: FileLeases, others: FileLeases) -> None:
    held = others.take("a")
    waiting = asyncio.ensure_future(turn(leases, "a"))
    while not others.awaited(["a"]):
        await asyncio.sleep(0)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not others.awaited(["a"])
    assert held is not None
    held.release()
    assert leases.take("a") is not None
