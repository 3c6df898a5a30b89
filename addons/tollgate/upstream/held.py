"""A target's stream as the client is to have it: its first events seen already, the rest as they come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tollgate.calls import End, Event, Events, Translator

GIVEN_UP = "given up"

type Over = Callable[[str], None]
"""Told once, when the stream is over: why it broke off, or nothing."""


class Held:
    """The events of a stream; a translation of them, where there is a translator.

    A class, because an async generator that was never begun would forget to hang up when it is closed.
    """

    __slots__ = ("_events", "_first", "_over", "_pieces", "_translator")

    def __init__(self, events: Events, over: Over, translator: Translator | None = None) -> None:
        self._events = events
        self._pieces = events.__aiter__()
        self._first: Sequence[Event] | None = None
        self._over: Over | None = over
        self._translator = translator

    async def peek(self) -> Sequence[Event]:
        """The first batch, as the target has it; it comes again when the events are read."""
        self._first = await anext(self._pieces)
        return self._first

    def __aiter__(self) -> Held:
        return self

    async def __anext__(self) -> Sequence[Event]:
        while True:
            if batch := await self._seen(await self._next()):
                return batch

    async def aclose(self) -> None:
        """Hang up."""
        await self._events.aclose()
        self._tell(GIVEN_UP)

    async def _next(self) -> Sequence[Event]:
        first, self._first = self._first, None
        return first if first is not None else await anext(self._pieces)

    async def _seen(self, batch: Sequence[Event]) -> Sequence[Event]:
        if self._translator is not None:
            try:
                batch = translated(batch, self._translator)
            except ValueError as e:
                await self._events.aclose()
                batch = [End(f"it cannot be translated: {e}")]
        if batch and isinstance(batch[-1], End):
            self._tell(batch[-1].error)
        return batch

    def _tell(self, error: str) -> None:
        over, self._over = self._over, None
        if over is not None:
            over(error)


def translated(batch: Sequence[Event], translator: Translator) -> list[Event]:
    """A batch in the client's dialect, without what has no payload: keep-alives of the other framing."""
    out: list[Event] = []
    for event in batch:
        if isinstance(event, End):
            out += [*([] if event.error else translator.close()), event]
        elif event.data is not None:
            out += translator.feed(event)
    return out
