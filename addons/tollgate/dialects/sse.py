"""Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream"""

from __future__ import annotations

import re

from tollgate.calls import Event
from tollgate.dialects.framing import MAX_EVENT, check_size

_BOM = b"\xef\xbb\xbf"

# An event ends with an empty line. A line ends with LF, CRLF or CR, so LF-CR is the end of one only where
# no LF follows. CR-CR is taken at once, so that no stream has to wait for its next byte: a LF after it
# counts as an empty line before the next event, which means nothing.
_END = re.compile(rb"\n(?:\n|\r\n|\r(?=[^\n]))")
_END_OR_CRS = re.compile(rb"\r\r|" + _END.pattern)
"""Finds every end, but slower: a pattern with one possible first byte is searched in C by that byte."""

_EMPTY_LINE = (b"\n\n", b"\r\r", b"\n\r\n", b"\n\r")


class SseDecoder:
    """Cuts at empty lines. What stands between two of them is an event, without data if it has none."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._held = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[Event]:
        if self._held:
            data = self._join(data)
        events, start = [], 0
        ends = _END_OR_CRS if b"\r\r" in data else _END
        for end in ends.finditer(data):
            events.append(read_event(data[start : end.end()]))
            start = end.end()
        self._held += data[start:]
        return events

    def close(self) -> list[Event]:
        """An event that no empty line ended: browsers drop it, but some providers end their streams so."""
        check_size(self._held, self._limit)
        rest = bytes(self._held)
        self._held.clear()
        return [read_event(rest)] if rest else []

    def _join(self, data: bytes) -> bytes:
        """All that is held with the new data, or nothing while no event ends there.

        Only the new data and the seam are searched, so that a large event costs no more per byte.
        """
        check_size(self._held, self._limit)
        seam = max(0, len(self._held) - 2)
        self._held += data
        if not _END_OR_CRS.search(self._held, seam):
            return b""
        joined = bytes(self._held)
        self._held.clear()
        return joined


class SseEncoder:
    """Writes events with LF line ends."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last = b"\n\n"

    def encode(self, event: Event) -> bytes:
        if event.raw is not None:
            self._last = event.raw
            return event.raw
        if event.data is None:
            return b""
        ending = b"" if self._last.endswith(_EMPTY_LINE) else b"\n\n"
        self._last = ending + write_event(event.name, event.data)
        return self._last


def read_event(raw: bytes) -> Event:
    """The event that a block of lines is. Its data is None where no line is data, and so no event is sent."""
    block = raw.rstrip(b"\r\n")
    named, _, line = block.rpartition(b"\n")
    usual = not named or (named.startswith(b"event: ") and b"\n" not in named)
    if usual and line.startswith(b"data: ") and b"\r" not in block:
        return Event(line[6:], named[7:].decode(errors="replace"), raw)
    return _read_fields(raw)


def _read_fields(raw: bytes) -> Event:
    fields = [line.partition(b":") for line in raw.removeprefix(_BOM).splitlines()]
    lines = [value.removeprefix(b" ") for field, _, value in fields if field == b"data"]
    names = [value.removeprefix(b" ") for field, _, value in fields if field == b"event"]
    name = names[-1].decode(errors="replace") if names else ""
    return Event(b"\n".join(lines) if lines else None, name, raw)


def write_event(name: str, data: bytes) -> bytes:
    """An event as bytes; data of several lines is one `data:` field for each."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    field = b"event: %b\ndata: " % name.encode() if name else b"data: "
    return b"%b%b\n\n" % (field, data.replace(b"\n", b"\ndata: "))
