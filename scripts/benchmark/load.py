"""The load client: calls over CONNECT and TLS, as an SDK makes them, and how long they took."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from benchmark.payloads import EVENTS

HOST = "localhost"
LOOPBACK = "127.0.0.1"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STAMP = re.compile(rb'"obfuscation":"(\d+)"')
_BUFFER = 2**20


class LoadError(RuntimeError):
    """An answer that is not the one that the provider gives."""


@dataclass(frozen=True)
class Route:
    """How the provider is reached."""

    port: int
    """The provider's."""
    trust: ssl.SSLContext
    proxy: int = 0
    """The proxy's port; 0 for none."""


@dataclass
class Taken:
    """Seconds that things took."""

    calls: list[float] = field(default_factory=list)
    events: list[float] = field(default_factory=list)
    """From the provider's writing an event to the client's having it."""
    first_events: list[float] = field(default_factory=list)
    """From asking to the first event."""


class Line:
    """A connection to the provider, through the proxy if there is one."""

    def __init__(self, route: Route, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.route = route
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, route: Route) -> Line:
        reader, writer = await asyncio.open_connection(LOOPBACK, route.proxy or route.port, limit=_BUFFER)
        line = cls(route, reader, writer)
        if route.proxy:
            target = b"%b:%d" % (HOST.encode(), route.port)
            await line.ask(b"CONNECT %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, target))
        await writer.start_tls(route.trust, server_hostname=HOST)
        return line

    async def close(self) -> None:
        self._writer.close()
        with suppress(OSError, ssl.SSLError):  # how the other side says good-bye is not what is measured
            await self._writer.wait_closed()

    async def ask(self, request: bytes) -> bytes:
        """Send a request; gives the head of its answer."""
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        if b" 200 " not in head[:16]:
            raise LoadError(f"answered with {head!r} {(await self._reader.read(2000))!r}")
        return head

    async def body(self, head: bytes) -> bytes:
        if length := _LENGTH.search(head):
            return await self._reader.readexactly(int(length[1]))
        return b"".join([chunk async for chunk in self.chunks()])

    async def chunks(self) -> AsyncIterator[bytes]:
        while size := int(await self._reader.readuntil(b"\r\n"), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await self._reader.readexactly(2)


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
