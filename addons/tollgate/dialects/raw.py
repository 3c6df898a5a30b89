"""Streams without a framing that we know: sounds, images, files. Each chunk is an event."""

from __future__ import annotations

from tollgate.calls import Event


class RawDecoder:
    """Gives the chunks as they come. They carry no meaning, so this alone depends on how they were cut."""

    __slots__ = ()

    def feed(self, data: bytes) -> list[Event]:
        return [Event(data, raw=data)] if data else []

    def close(self) -> list[Event]:
        return []


class RawEncoder:
    """Writes the data and nothing around it."""

    __slots__ = ()

    def encode(self, event: Event) -> bytes:
        return event.raw if event.raw is not None else event.data or b""
