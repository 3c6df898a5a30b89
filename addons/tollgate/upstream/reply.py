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
        self.headers: Headers = CIMultiDict(
            (name.decode("utf-8", "surrogateescape"), value.decode("utf-8", "surrogateescape"))
            for name, value in response.raw_headers
        )
        """As received: case, order and duplicates."""
        self._response = response
        self._where = where
        self._ended: Callable[[], None] | None = ended
        self._held: deque[bytes] = deque()
        self._lost: asyncio.Future[None] | None = None
        if response.connection is not None and response.connection.protocol is not None:
            self._watch(response.connection.protocol)

    async def read(self) -> bytes:
        """The next piece of the body, as much as is there; b"" at its end. Failed where it breaks off."""
        if self._held:
            return self._held.popleft()
        if self._lost is not None and self._lost.done():
            self._break_off()
        try:
            return await self._response.content.readany()
        except EXPECTED as e:
            raise within_the_body(e, self._where) from e

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
        self._response.close()
        self._ended()
        self._ended = None

    def _watch(self, protocol: ResponseHandler) -> None:
        """Take care that `read` ends when the provider goes silent, or the connection is lost.

        aiohttp sees to most of that itself. But of a malformed chunk its C parser tells the connection only,
        not the body (3.14.5), and whoever reads that would wait for ever.
        """
        protocol.read_timeout = self._where.timeouts.idle  # no longer that of the head
        protocol.start_timeout()
        self._lost = protocol.closed
        if self._lost is None:
            self._break_off()
        else:
            self._lost.remove_done_callback(_hear)
            self._lost.add_done_callback(_hear)
            self._lost.add_done_callback(self._break_off)

    def _break_off(self, lost: asyncio.Future[None] | None = None) -> None:
        content = self._response.content
        if not content.is_eof() and content.exception() is None:
            content.set_exception(aiohttp.ClientPayloadError("the connection was lost"))


def _hear(lost: asyncio.Future[None]) -> None:
    """Take note of how a connection was lost, also one that nobody uses: asyncio reports it as a bug else."""
    lost.exception()
