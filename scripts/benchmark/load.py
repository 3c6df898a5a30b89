"""The load client: makes calls, and notes how long they took."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from benchmark.answers import EVENTS
from benchmark.line import Line, LoadError, Route

_STAMP = re.compile(rb'"obfuscation":"(\d+)"')


@dataclass
class Taken:
    """Seconds that things took."""

    calls: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    """From the provider's writing an event to the client's having it."""
    first_events: list[float] = field(default_factory=list)
    """From asking to the first event."""


type Kind = Callable[[Line, bytes, Taken], Awaitable[None]]


async def call(line: Line, request: bytes, taken: Taken) -> None:
    """A call over a connection that is there."""
    began = time.perf_counter()
    await line.body(await line.ask(request))
    taken.calls.append(time.perf_counter() - began)


async def call_anew(line: Line, request: bytes, taken: Taken) -> None:
    """A call over a connection of its own."""
    began = time.perf_counter()
    own = await Line.open(line.route)
    await own.body(await own.ask(request))
    taken.calls.append(time.perf_counter() - began)
    await own.close()


async def stream(line: Line, request: bytes, taken: Taken) -> None:
    """A call with a streamed answer; LoadError where an event is missing."""
    began = time.perf_counter()
    await line.ask(request)
    held = b""
    events: list[float] = []
    async for chunk in line.chunks():
        now = time.monotonic_ns()
        if not events:
            taken.first_events.append(time.perf_counter() - began)
        whole, _, held = (held + chunk).rpartition(b"\n\n")
        events += [(now - int(sent[1])) / 1e9 for sent in _STAMP.finditer(whole)]
    if len(events) != EVENTS - 1:  # [DONE] has no time
        raise LoadError(f"{len(events) + 1} events came, not {EVENTS}")
    taken.events += events
    taken.calls.append(time.perf_counter() - began)


@asynccontextmanager
async def lines(route: Route, count: int) -> AsyncIterator[list[Line]]:
    """So many connections, closed at the end."""
    opened: list[Line] = []
    try:
        for _ in range(count):
            opened.append(await Line.open(route))
        yield opened
    finally:
        for line in opened:
            await line.close()


async def drive(lines: Sequence[Line], kind: Kind, requests: Iterator[bytes], count: int) -> Taken:
    """Make so many calls, on each connection one after the other."""
    taken = Taken()
    left = iter(range(count))

    async def work(line: Line) -> None:
        for _ in left:
            await kind(line, next(requests), taken)

    async with asyncio.TaskGroup() as group:
        for line in lines:
            group.create_task(work(line))
    return taken
