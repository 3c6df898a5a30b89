"""What detection costs: the same calls with and without it, and what other calls notice of them."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median, quantiles

from benchmark import firsttoken, load, texts
from benchmark.answers import EVENTS
from benchmark.firsttoken import FirstToken
from benchmark.line import Route
from benchmark.load import Kind, Taken, drive, lines
from benchmark.measure import warm_up
from benchmark.requests import request, requests
from benchmark.setups import DETECTING, TOLLGATE, Setup, detection_setups, start_ups

MEGABYTE = 1024 * 1024
TURNS = 150
"""Of a session whose bodies are 1 MB large in the end."""
ADDRESS = "jane.doe@example.com"
"""Stands in requests whose answers have something to be restored."""
PAUSE_MS = 4
"""Between two events of a stream."""
_LONGEST = 120.0

type Bodies = Iterator[bytes]
type Spread = tuple[float, float, float]
"""p50, p99 and the most, in ms."""


@dataclass(frozen=True)
class Case:
    """Calls of one sort, each another one."""

    name: str
    bodies: Callable[[], Bodies]
    count: int
    kind: Kind = load.call
    units: int = 1
    """What a call's processor time is divided by."""
    first: bool = False
    """True where all of the body is seen for the first time."""


@dataclass(frozen=True)
class Figures:
    """Of one case through one setup. Times are in ms."""

    case: str
    setup: str
    calls: int
    cpu: float
    """Per call or event: the median of some rounds."""
    mb_per_s: float | None = None
    """Of the body, in the processor time that detection adds."""
    lag: Spread | None = None
    """How late the proxy's loop came meanwhile."""
    busy: float | None = None
    """The longest of that in which the proxy was at work, and not waiting for a processor."""
    events: Spread | None = None
    """From the provider's writing an event of another call to its client's having it."""


def _small(size: int, *, stream: bool = False) -> Bodies:
    """Chat requests with an address in them."""
    for whole in requests(size, 0, stream=stream, pause_ms=0):
        body = whole.partition(b"\r\n\r\n")[2]
        yield body.replace(b'"content":"', b'"content":"' + f"I am {ADDRESS}. ".encode(), 1)


def _megabytes(kind: str) -> Bodies:
    return (texts.chat(kind, MEGABYTE, seed) for seed in _seeds())


def _seeds() -> Iterator[int]:
    dice = random.Random()
    return (dice.getrandbits(32) for _ in itertools.count())


def _turns() -> Bodies:
    """The last turns of a session."""
    session = texts.Session(next(_seeds())).turns(TURNS - 5)
    while True:
        session.turn()
        yield session.request()


CASES = (
    Case("1 KB call", lambda: _small(1024), 400),
    Case(f"1 of {EVENTS} events", lambda: _small(1024, stream=True), 6, load.stream, EVENTS),
    *(Case(f"1 MB of new {kind}", partial(_megabytes, kind), 4, first=True) for kind in texts.KINDS),
    Case(f"turn {TURNS}, 1 MB", _turns, 12),
)


@dataclass(frozen=True)
class Detection:
    """All that is measured of detection."""

    rows: list[Figures]
    first_tokens: list[FirstToken]
    first_calls: list[float]
    """Milliseconds of processor time that each of the first calls of 40 KB takes."""
    start_up: Mapping[str, float]
    """Seconds until Tollgate takes connections: "cold", with its patterns to compile, and "warm"."""
    memory: Mapping[str, tuple[float, float]]
    """MB at the end and at most."""


def measure(folder: Path, rounds: int, say: Callable[[str], None]) -> Detection:
    """LoadError where a call fails, ProcessError where a proxy does not start."""
    say("starting with detection, cold and warm")
    start_up = start_ups(folder)
    with detection_setups(folder) as (others, setups):
        firsts = asyncio.run(_first_calls(setups[DETECTING]))
        rows = asyncio.run(_rows(setups, rounds, say))
        say("first tokens")
        tokens = firsttoken.measure({**others, **{name: setup.route for name, setup in setups.items()}})
        memory = {name: setup.memory() for name, setup in setups.items()}
        return Detection(rows, tokens, firsts, start_up, memory)


async def _rows(setups: Mapping[str, Setup], rounds: int, say: Callable[[str], None]) -> list[Figures]:
    """All cases, without and with detection in turn."""
    await warm_up(setups)
    figures: list[Figures] = []
    for case in CASES:
        cpu: dict[str, list[float]] = {name: [] for name in setups}
        for number in range(1, rounds + 1):
            for name, setup in setups.items():
                say(f"{case.name}, {name}, round {number}")
                cpu[name].append(await _cpu(case, setup))
        used = {name: median(taken) for name, taken in cpu.items()}
        for name, setup in setups.items():
            say(f"{case.name}, {name}: who has to wait")
            beside = await _beside(case, setup) if case.kind is load.call else (None, None, None)
            speed = _speed(used) if case.first and name == DETECTING else None
            figures.append(Figures(case.name, name, case.count * rounds, used[name], speed, *beside))
    return figures


def _speed(used: Mapping[str, float]) -> float | None:
    """MB a second, by the milliseconds that 1 MB takes; None where detection is lost in the noise."""
    extra = used[DETECTING] - used[TOLLGATE]
    return 1000 / extra if extra > 0 else None


async def _first_calls(setup: Setup, number: int = 10) -> list[float]:
    taken = []
    async with lines(setup.route, 1) as opened:
        for seed in range(number):
            whole = request(texts.chat("agent", 40_000, seed), setup.route.port)
            before = setup.cpu()
            await drive(opened, load.call, iter([whole]), 1)
            taken.append((setup.cpu() - before) * 1000)
    return taken


async def _cpu(case: Case, setup: Setup) -> float:
    """Milliseconds of processor time per unit, after two calls that count for nothing."""
    wanted = _requests(case, setup.route)
    ready = list(itertools.islice(wanted, case.count + 2))
    async with asyncio.timeout(_LONGEST), lines(setup.route, 1) as opened:
        await drive(opened, case.kind, iter(ready[:2]), 2)
        before = setup.cpu()
        await drive(opened, case.kind, iter(ready[2:]), case.count)
        return (setup.cpu() - before) * 1000 / case.count / case.units


async def _beside(case: Case, setup: Setup) -> tuple[Spread, float, Spread]:
    """What the loop and somebody's stream notice of a case's calls: how late it comes, how much of that the
    proxy is at work at most, and how long events take."""
    ready = list(itertools.islice(_requests(case, setup.route), case.count + 1))
    calm = requests(1024, setup.route.port, stream=True, pause_ms=PAUSE_MS)
    async with asyncio.timeout(_LONGEST), lines(setup.route, 2) as (streaming, other):
        await drive([other], load.call, iter(ready[:1]), 1)
        stop, seen = asyncio.Event(), Taken()

        async def streams() -> None:
            while not stop.is_set():
                await load.stream(streaming, next(calm), seen)

        going = asyncio.create_task(streams())
        setup.watch()
        await drive([other], load.call, iter(ready[1:]), case.count)
        setup.watch()
        stop.set()
        await going
    late, busy = zip(*setup.lags(), strict=True)
    return _spread(late), max(busy), _spread([seconds * 1000 for seconds in seen.events])


def _requests(case: Case, route: Route) -> Iterator[bytes]:
    pause = PAUSE_MS if case.kind is load.stream else 0
    return (request(body, route.port, pause) for body in case.bodies())


def _spread(values: Sequence[float]) -> Spread:
    hundredths = quantiles(values, n=100, method="inclusive")
    return hundredths[49], hundredths[98], max(values)
