"""A streamed answer, as the batches of events that its pieces hold."""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from tollgate.calls import Attempt, End, Event, Failed
from tollgate.calls.coding import CodingError, ContentDecoder
from tollgate.dialects import Framing, FramingError
from tollgate.upstream.metering import Meter
from tollgate.upstream.reply import Reply

_GIVEN_UP = "given up before its end"
REST_SECONDS = 1.0
"""How long the bytes behind an answer's last event are waited for."""


class Stream:
    """The events of a reply, one batch for each piece that came in; the last event is an `End`.

    It never raises: whatever breaks the answer off is told by that `End`. A class, because an async generator
    that was never begun would forget to hang up when it is closed.
    """

    __slots__ = ("_attempt", "_coding", "_decoder", "_meter", "_over", "_reply")

    def __init__(
        self,
        attempt: Attempt,
        reply: Reply,
        framing: Framing,
        coding: ContentDecoder | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._attempt = attempt
        self._reply = reply
        self._decoder = framing.decoder()
        self._coding = coding
        self._meter = meter
        self._over = False

    def __aiter__(self) -> Stream:
        return self

    async def __anext__(self) -> list[Event]:
        while not self._over:
            if events := await self._next():
                return events
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """Hang up. The provider notices at once, and stops generating."""
        if self._over:
            return
        if self._attempt.complete:  # many clients leave at the last event: the connection can be used again
            await self._read_rest()
        self._end("" if self._attempt.complete else _GIVEN_UP)

    async def _read_rest(self) -> None:
        with suppress(TimeoutError, Failed):
            async with asyncio.timeout(REST_SECONDS):
                while await self._reply.read():
                    pass

    async def _next(self) -> list[Event]:
        try:
            if data := await self._reply.read():
                self._attempt.ready = self._attempt.ready or time.monotonic()
                return self._events(data)
            return self._last()
        except Failed as e:
            return [self._end(e.message.rstrip("."))]
        except (CodingError, FramingError) as e:
            return [self._end(str(e))]

    def _events(self, data: bytes) -> list[Event]:
        events = self._decoder.feed(self._coding.feed(data) if self._coding else data)
        if self._meter:
            self._meter.events(events)
        return events

    def _last(self) -> list[Event]:
        """What the end of the body completes. It may come before the end of the answer."""
        events = self._decoder.close()
        if self._meter:
            self._meter.events(events)
        if self._coding and not (self._attempt.complete and self._reply.delimited):
            self._coding.close()  # not otherwise: some servers flush their compressor, and never finish
        return [*events, self._end(self._missing())]

    def _missing(self) -> str:
        """What speaks against the end of the body being the end of the answer. A body with a length, or in
        chunks, was not cut: not everyone's streams end as their dialect says, and clients bear it."""
        if self._attempt.complete or self._meter is None:
            return ""
        self._attempt.error = self._attempt.error or "ended without the dialect's last event"
        return "" if self._reply.delimited else "it was cut before its last event"

    def _end(self, error: str) -> End:
        self._over = True
        attempt, said = self._attempt, self._meter is None or self._meter.said
        attempt.ended = time.monotonic()
        attempt.error = attempt.error or error
        attempt.fruitless = attempt.error not in ("", _GIVEN_UP) and not said
        self._reply.close()
        self._meter = None  # its call refers to us: a circle, which only the garbage collector would undo
        return End(error)
