"""Waiting for what has no event to wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

POLL = 0.02
"""Seconds between looks."""


async def wait_for(condition: Callable[[], bool], seconds: float = float("inf")) -> bool:
    """Wait until a condition holds, at most so long; gives whether it does."""
    deadline = asyncio.get_running_loop().time() + seconds
    while not (holds := condition()) and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 -- no event
        await asyncio.sleep(POLL)
    return holds
