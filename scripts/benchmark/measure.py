"""Rounds: in each, every case through every setup in turn, so that a busy machine disturbs all alike."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmark import load
from benchmark.answers import EVENTS
from benchmark.line import Route
from benchmark.load import Kind, Taken, drive, lines
from benchmark.requests import MODEL, requests
from benchmark.setups import (
    BUDGETED,
    CACHE,
    DIRECT,
    MITMDUMP,
    PRICED,
    STREAMING,
    TOLLGATE,
    UNKEPT,
    Setup,
)

CONNECTIONS = 8
"""That are busy at the same time when processor time and throughput are measured."""
WARM_UP = 300
"""Calls that come before all rounds: Python specialises what runs often."""

LONGEST = 60.0
"""Seconds for one case through one setup; it takes about one. What takes this long hangs."""


@dataclass(frozen=True)
class Case:
    """What is asked, and how often in a round."""

    name: str
    kind: Kind
    size: int
    """Bytes of a request's body."""
    single: int
    """Calls one after the other, whose latency counts."""
    parallel: int
    """Calls over eight connections, whose processor time and throughput count."""
    setups: tuple[str, ...] = (DIRECT, MITMDUMP, TOLLGATE)
    pause_ms: int = 0
    """Between two events of a stream. Shorter ones would come in twos and threes, which is cheaper."""
    units: int = 1
    """What a call's processor time is divided by: the events of a stream."""
    again: bool = False
    """Whether all calls ask the same: what measures a cache."""

    def requests(self, route: Route, model: str = MODEL) -> Iterator[bytes]:
        stream = self.units > 1
        told = requests(self.size, route.port, stream=stream, pause_ms=self.pause_ms, model=model)
        return itertools.repeat(next(told)) if self.again else told


_OURS = (DIRECT, MITMDUMP, TOLLGATE, PRICED, BUDGETED, CACHE, UNKEPT)
_STREAMED = (DIRECT, STREAMING, TOLLGATE, PRICED)

CASES = (
    Case("1 KB call", load.call, 1024, 200, 400, _OURS),
    Case("1 KB call again", load.call, 1024, 200, 400, (DIRECT, MITMDUMP, CACHE), again=True),
    Case("100 KB call", load.call, 100 * 1024, 60, 120),
    Case("1 MB call", load.call, 1024 * 1024, 12, 24),
    Case("1 KB, connecting", load.call_anew, 1024, 30, 60),
    Case(f"1 of {EVENTS} events", load.stream, 1024, 2, 8, _STREAMED, 4, EVENTS),
)


@dataclass(frozen=True)
class Sample:
    """One case through one setup, once. Times are in ms."""

    cpu: float
    """Per call, or per event of a stream."""
    p50: float
    p99: float
    first: float
    """Of a stream's first event, the median; 0 where there is no stream."""
    rate: float
    """Calls a second."""


type Samples = Mapping[tuple[Case, str], Sequence[Sample]]


async def warm_up(setups: Mapping[str, Setup]) -> None:
    for setup in setups.values():
        async with lines(setup.route, CONNECTIONS) as opened:
            await drive(opened, load.call, CASES[0].requests(setup.route), WARM_UP)


async def rounds(
    setups: Mapping[str, Setup], most: int, seconds: float, say: Callable[[str], None]
) -> tuple[int, Samples]:
    """As many as fit into the time, one at least. Gives their number too."""
    samples: dict[tuple[Case, str], list[Sample]] = defaultdict(list)
    began = time.monotonic()
    number = 0
    while number == 0 or (number < most and _another_fits(time.monotonic() - began, number, seconds)):
        number += 1
        for case in CASES:
            for name in _turned(case.setups, number):
                say(f"round {number}: {case.name}, {name}")
                samples[case, name].append(await _sample(case, setups[name]))
    return number, samples


def _another_fits(took: float, number: int, seconds: float) -> bool:
    return took + took / number <= seconds


def _turned(names: tuple[str, ...], by: int) -> tuple[str, ...]:
    """Another one begins in each round: who comes first meets a rested machine."""
    by %= len(names)
    return names[by:] + names[:by]


async def _sample(case: Case, setup: Setup) -> Sample:
    wanted = case.requests(setup.route, setup.model)
    async with asyncio.timeout(LONGEST), lines(setup.route, CONNECTIONS) as opened:
        await drive(opened, load.call, CASES[0].requests(setup.route), 2 * CONNECTIONS)
        alone = await drive(opened[:1], case.kind, wanted, case.single)
        await asyncio.sleep(setup.rest)
        cpu, began = setup.cpu(), time.perf_counter()
        await drive(opened, case.kind, wanted, case.parallel)
        took = time.perf_counter() - began
        await asyncio.sleep(setup.rest)
        cpu = setup.cpu() - cpu
    return _summed_up(case, alone, cpu, took)


def _summed_up(case: Case, alone: Taken, cpu: float, took: float) -> Sample:
    hundredths = quantiles(alone.events or alone.calls, n=100, method="inclusive")
    return Sample(
        cpu=cpu * 1000 / case.parallel / case.units,
        p50=hundredths[49] * 1000,
        p99=hundredths[98] * 1000,
        first=median(alone.first_events or [0.0]) * 1000,
        rate=case.parallel / took,
    )
