"""How much later an agent has the first token: late turns of sessions, streamed, of bodies of some 100 KB.

Each turn is asked twice: when some 7 KB of it are new, and when all of it was seen before.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from statistics import quantiles

from benchmark import load
from benchmark.line import Line, Route
from benchmark.load import drive, lines
from benchmark.requests import request
from benchmark.texts import TURN, Session

TARGET_MS = (3.0, 15.0)
"""What may be added at p50, and at p99, to a body that was seen before."""
SESSIONS, TURNS = 40, 4
"""So many turns of each session are measured, after one that makes the beginning known."""
_SIZE = 100_000
_LONGEST = 120.0


@dataclass(frozen=True)
class FirstToken:
    """Of one way to the provider, in ms: what it adds; of the direct one, the first, all there is."""

    way: str
    calls: int
    new: tuple[float, float]
    """Of new turns, p50 and p99."""
    seen: tuple[float, float]
    """Of turns that were seen before."""


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
    """A turn that makes the beginning known, then each of those that are measured, twice."""
    session = Session(seed).turns(_SIZE // TURN - TURNS // 2)
    first, *turns = (session.turns(min(turn, 1)).request(stream=True) for turn in range(TURNS + 1))
    return [first, *(body for turn in turns for body in (turn, turn))]


async def _firsts(opened: list[Line], asked: list[bytes]) -> list[float]:
    """Milliseconds to the first event, but for the first call."""
    taken = await drive(opened, load.stream, iter(asked), len(asked))
    return [seconds * 1000 for seconds in taken.first_events[1:]]


def _added(taken: Mapping[str, list[float]]) -> list[FirstToken]:
    direct, *others = (
        FirstToken(way, len(values), _spread(values[::2]), _spread(values[1::2]))
        for way, values in taken.items()
    )
    return [
        direct,
        *(replace(o, new=_less(o.new, direct.new), seen=_less(o.seen, direct.seen)) for o in others),
    ]


def _spread(values: list[float]) -> tuple[float, float]:
    hundredths = quantiles(values, n=100, method="inclusive")
    return hundredths[49], hundredths[98]


def _less(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    return one[0] - other[0], one[1] - other[1]
