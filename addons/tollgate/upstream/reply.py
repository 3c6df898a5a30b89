"""A provider's answer as it comes in."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable

import aiohttp
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
        self._wait_for(where.timeouts.idle)

    async def read(self) -> bytes:
        """The next piece of the body, as much as is there; b"" at its end. Failed where it breaks off."""
        if self._held:
            return self._held.popleft()
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
        self._response.close()
        self._ended()
        self._ended = None

    def _wait_for(self, seconds: float) -> None:
        """From here on it is the time between two pieces that counts, no longer that up to the head."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = seconds
            connection.protocol.start_timeout()
