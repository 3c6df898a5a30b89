"""One connection to the provider, as an SDK has it: CONNECT to the proxy if there is one, then TLS."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass

HOST = "localhost"
LOOPBACK = "127.0.0.1"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
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
