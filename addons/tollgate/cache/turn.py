"""Whose turn it is, of several processes that would ask a provider the same."""

from __future__ import annotations

import asyncio

from tollgate.store import Lease, Leases

LONGEST = 300.0
"""Seconds after which a call no longer waits for another process: that one lives, but may be stuck."""
_FIRST = 0.005
_MORE = 1.5
_MOST = 0.1
"""Seconds between two looks, how they grow, and to what. A look takes some microseconds."""


async def turn(leases: Leases, name: str, longest: float = LONGEST) -> Lease | None:
    """The lease of that name, once nobody else has it; None where that takes too long."""
    lease = leases.take(name)
    return lease or await _wait(leases, name, longest)


async def _wait(leases: Leases, name: str, longest: float) -> Lease | None:
    now = asyncio.get_running_loop().time
    ends, pause = now() + longest, _FIRST
    with leases.waiting(name):  # so that the one before us hurries
        while (lease := leases.take(name)) is None and (left := ends - now()) > 0:
            await asyncio.sleep(min(pause, left))
            pause = min(pause * _MORE, _MOST)
    return lease
