"""JSON values, one a line: https://github.com/ndjson/ndjson-spec"""

from __future__ import annotations

from tollgate.calls import Event
from tollgate.dialects.framing import MAX_EVENT, check_size


class NdjsonDecoder:
    """Cuts after each LF. The last line may lack one; an empty line is an event without data."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._held = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[Event]:
        check_size(self._held, self._limit)
        *lines, rest = data.split(b"\n")
        if lines and self._held:
            lines[0] = bytes(self._held) + lines[0]
            self._held.clear()
        self._held += rest
        return [_event(line, line + b"\n") for line in lines]

    def close(self) -> list[Event]:
        check_size(self._held, self._limit)
        line = bytes(self._held)
        self._held.clear()
        return [_event(line, line)] if line else []


class NdjsonEncoder:
    """Writes each event as a line."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\n"

    def encode(self, event: Event) -> bytes:
        if event.raw is not None:
            self._last = event.raw
            return event.raw
        if event.data is None:
            return b""
        ending = b"" if self._last.endswith(b"\n") else b"\n"
        # In JSON a line feed is white space: one in a string is written as \n.
        self._last = ending + event.data.replace(b"\n", b" ") + b"\n"
        return self._last


def _event(line: bytes, raw: bytes) -> Event:
    return Event(line.strip() or None, raw=raw)
