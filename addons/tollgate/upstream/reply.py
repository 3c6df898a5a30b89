"""A provider's answer as it comes in."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable

import aiohttp
from aiohttp.client_proto import ResponseHandler
from multidict import CIMultiDict

from tollgate.calls import Headers
from tollgate.upstream.failures import EXPECTED, Where, within_the_body


class Reply:
    """The head of an answer, and its body piece by piece. Whoever holds one closes it."""

    def __init__(
        self, response: aiohttp.ClientResponse, sent: float, where: Where, ended: Callable[[], None]
    ) -> None:
        self.first_byte = time.monotonic()
        self.sent = sent
        """When the request's last byte had left; like `first_byte`, seconds on the monotonic clock."""
        self.status = response.status
        self.delimited = "content-length" in response.headers or "transfer-encoding" in response.headers
        """True where the head says how the body ends; else it ends with the connection, as a cut one does."""
        self.headers: Headers = CIMultiDict(
            (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
            for name, value in response.raw_headers
        )
        """As received: case, order and duplicates."""
        self._response = response
        self._where = where
        self._ended: Callable[[], None] | None = ended
        self._held: deque[bytes] = deque()
        self._waiting_since: float | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._lost: asyncio.Future[None] | None = None
        if response.connection is not None and response.connection.protocol is not None:
            self._watch(response.connection.protocol)

    async def read(self) -> bytes:
        """The next piece of the body, as much as is there; b"" at its end. Failed where it breaks off."""
        if self._held:
            return self._held.popleft()
        if self._lost is not None and self._lost.done():
            self._break_off()
        self._waiting_since = time.monotonic()
        try:
            return await self._response.content.readany()
        except EXPECTED as e:
            raise within_the_body(e, self._where) from e
        finally:
            self._waiting_since = None

    def put_back(self, pieces: Iterable[bytes]) -> None:
        """Have `read` give these again first."""
        self._held.extendleft(reversed(list(pieces)))

    def close(self) -> None:
        """Hang up, unless the answer was read to its end: then the connection waits for the next call.

        The connection is aborted. Closed politely, TLS waits up to 30 seconds for the provider's good-bye, in
        which it may go on generating, and billing.
        """
        if self._ended is None:
            return
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()
        if self._lost is not None:
            self._lost.remove_done_callback(self._break_off)
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._response.close()
        self._ended()
        self._ended = None

    def _watch(self, protocol: ResponseHandler) -> None:
        """Take care that `read` ends when the provider goes silent, or the connection is lost.

        aiohttp would see to silence itself, but sets a new timer for each piece, and counts the time in which
        a slow client keeps us from reading. And of a malformed chunk its C parser tells the connection only,
        not the body (3.14.5), and whoever reads that would wait for ever.
        """
        protocol.read_timeout = None  # it was that of the head
        protocol.start_timeout()
        self._look_again(self._where.timeouts.idle)
        self._lost = protocol.closed
        if self._lost is None:
            self._break_off()
        else:
            self._lost.remove_done_callback(_hear)
            self._lost.add_done_callback(_hear)
            self._lost.add_done_callback(self._break_off)

    def _look_again(self, seconds: float) -> None:
        self._watchdog = asyncio.get_running_loop().call_later(seconds, self._check_silence)

    def _check_silence(self) -> None:
        idle = self._where.timeouts.idle
        silent = time.monotonic() - self._waiting_since if self._waiting_since is not None else 0.0
        if silent < idle:
            self._look_again(idle - silent)
        else:
            self._response.content.set_exception(aiohttp.SocketTimeoutError("silence"))

    def _break_off(self, lost: asyncio.Future[None] | None = None) -> None:
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was lost"))


def _hear(lost: asyncio.Future[None]) -> None:
    """Take note of how a connection was lost, also one that nobody uses: asyncio reports it as a bug else."""
    if not lost.cancelled():
        lost.exception()
