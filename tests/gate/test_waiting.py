"""Waiting for what has no event."""

from __future__ import annotations

import time

from tollgate.gate.waiting import wait_for


async def test_what_holds_already_is_not_waited_for() -> None:
    assert await wait_for(lambda: True, 0)


async def test_it_waits_until_the_condition_holds() -> None:
    looks = iter([False, False, True])

    assert await wait_for(lambda: next(looks))


async def test_it_gives_up_after_the_time_it_has() -> None:
    began = time.monotonic()

    assert not await wait_for(lambda: False, 0.05)
    assert time.monotonic() - began < 5
