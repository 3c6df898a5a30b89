"""How much later an agent has the first token: late turns of sessions, streamed, of bodies of some 100 KB."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from statistics import quantiles

from benchmark import load
from benchmark.line import Line, Route
from benchmark.load import drive, lines
from benchmark.requests import request
from benchmark.texts import TURN, Session

TARGET_MS = (3.0, 15.0)
"""What may be added at p50, and at p99."""
SESSIONS, TURNS = 60, 4
"""So many turns of each session are measured, after one that makes the beginning known."""
_SIZE = 100_000
_LONGEST = 120.0


@dataclass(frozen=True)
class FirstToken:
    """Of one way to the provider, in ms: what it adds; of the direct one, the first, all there is."""

    way: str
    calls: int
    p50: float
    p99: float


def measure(ways: Mapping[str, Route]) -> list[FirstToken]:
    """LoadError where a call fails."""
    return asyncio.run(_measure(ways))


async def _measure(ways: Mapping[str, Route]) -> list[FirstToken]:
    taken: dict[str, list[float]] = {way: [] for way in ways}
    async with asyncio.timeout(_LONGEST), AsyncExitStack() as stack:
        opened = {way: await stack.enter_async_context(lines(route, 1)) for way, route in ways.items()}
        for seed in range(SESSIONS):
            bodies = _bodies(seed)
            for way, route in ways.items():
                asked = [request(body, route.port) for body in bodies]
                taken[way] += await _firsts(opened[way], asked)
    return _added(taken)


def _bodies(seed: int) -> list[bytes]:
    session = Session(seed).turns(_SIZE // TURN - TURNS // 2)
    return [session.turns(min(turn, 1)).request(stream=True) for turn in range(TURNS + 1)]


async def _firsts(opened: list[Line], asked: list[bytes]) -> list[float]:
    """Seconds to the first event, but for the first call."""
    taken = await drive(opened, load.stream, iter(asked), len(asked))
    return taken.first_events[1:]


def _added(taken: Mapping[str, list[float]]) -> list[FirstToken]:
    spreads = {way: quantiles(values, n=100, method="inclusive") for way, values in taken.items()}
    direct, *others = (
        FirstToken(way, len(taken[way]), spread[49] * 1000, spread[98] * 1000)
        for way, spread in spreads.items()
    )
    added = (FirstToken(o.way, o.calls, o.p50 - direct.p50, o.p99 - direct.p99) for o in others)
    return [direct, *added]
