"""A request's body on its way out."""

from __future__ import annotations

import asyncio
import time
from typing import cast
from weakref import WeakSet

import aiohttp
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http import StreamWriter

Connections = WeakSet[asyncio.Transport]
"""Connections that have carried a request already."""

_SLICE = 64 * 1024
"""Bytes that are encrypted and written at a time, so that a large body does not hold up other calls."""

_RACE = 2.0
"""Seconds within which a lost race shows: a round trip, on a bad line."""


class Upload(aiohttp.Payload):
    """Writes a body, and notes when it left and by which connection."""

    _autoclose = True

    def __init__(self, body: bytes, timeout: float, known: Connections) -> None:
        super().__init__(body)
        self._size = len(body)
        self._timeout = timeout
        self._known = known
        self._connection: asyncio.Transport | None = None
        self.reused = False
        """True where the connection had carried a request before."""
        self.sent = time.monotonic()
        """When the last byte left: seconds on the monotonic clock."""

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return cast(bytes, self._value).decode(encoding, errors)

    async def write(self, writer: AbstractStreamWriter) -> None:
        """Write it all. TimeoutError where the provider does not take it in."""
        self._note(cast(StreamWriter, writer).transport)
        if len(self._value) <= _SLICE:
            await writer.write(self._value)
        else:
            async with asyncio.timeout(self._timeout):
                view = memoryview(self._value)
                for start in range(0, len(view), _SLICE):
                    await writer.write(view[start : start + _SLICE])
                    await asyncio.sleep(0)  # a connection that takes all of it in lets nobody else go on
        self.sent = time.monotonic()

    def _note(self, connection: asyncio.Transport | None) -> None:
        self._connection = connection
        self.sent = time.monotonic()
        if connection is not None:
            self.reused = connection in self._known
            self._known.add(connection)

    def lost_a_race(self, error: BaseException) -> bool:
        """True where the provider closed an idle connection in the moment in which we used it.

        The request may then go out again, though a POST is not idempotent (RFC 9112 section 9.3.1): no byte
        of an answer came, the connection had been idle, and it broke at once. Browsers do the same. A
        provider that breaks off later, or on a new connection, may have done the work: it is not asked twice.
        """
        broken = isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientOSError)
        return broken and self.reused and time.monotonic() - self.sent < _RACE

    def hang_up(self) -> None:
        """Drop the connection without waiting until all is written, or until TLS has said good-bye."""
        if self._connection is not None:
            self._connection.abort()
