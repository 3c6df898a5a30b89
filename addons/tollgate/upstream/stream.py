"""A streamed answer, as the batches of events that its pieces hold."""

from __future__ import annotations

import time

from tollgate.calls import Attempt, End, Event, Failed
from tollgate.calls.coding import CodingError, ContentDecoder
from tollgate.dialects import Framing, FramingError
from tollgate.upstream.metering import Meter
from tollgate.upstream.reply import Reply


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
        if not self._over:
            self._end("given up before its end")

    async def _next(self) -> list[Event]:
        try:
            if data := await self._reply.read():
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
        if self._coding:
            self._coding.close()
        events = self._decoder.close()
        if self._meter:
            self._meter.events(events)
        cut = self._meter is not None and not self._meter.complete
        return [*events, self._end("it was cut before its last event" if cut else "")]

    def _end(self, error: str) -> End:
        self._over = True
        self._attempt.ended = time.monotonic()
        self._attempt.error = self._attempt.error or error
        self._reply.close()
        return End(error)
