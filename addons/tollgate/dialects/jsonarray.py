"""A JSON array sent element by element: how Google's REST APIs stream where `alt=sse` is not asked for.

Their client: https://github.com/googleapis/python-api-core/blob/main/google/api_core/_rest_streaming_base.py
"""

from __future__ import annotations

import re

from tollgate.calls import End, Event
from tollgate.dialects.framing import MAX_EVENT, FramingError, check_size, until_fault

_NOT_SPACE = re.compile(rb"[^ \t\r\n]")
_INSIDE_STRING = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
_UP_TO_BRACKET = re.compile(rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+', re.DOTALL)
_DEPTH = {b"{": 1, b"[": 1, b"}": -1, b"]": -1}

_STEPS = {
    ("start", b"["): "open",
    ("open", b"{"): "element",
    ("open", b"["): "element",
    ("open", b"]"): "closed",
    ("element", b","): "comma",
    ("element", b"]"): "closed",
    ("comma", b"{"): "element",
    ("comma", b"["): "element",
}
"""What may follow what, outside the elements."""


class JsonArrayDecoder:
    """Cuts after each element; looks at each byte once, however the array arrives.

    What precedes an element belongs to its `raw`; the closing bracket is an event without data. Elements are
    objects or arrays: of a number one could not tell that it has ended.
    """

    __slots__ = ("_at", "_begin", "_depth", "_held", "_in_string", "_limit", "_place")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._held = bytearray()
        self._limit = limit
        self._at = 0
        """All of `_held` before this has been looked at."""
        self._place = "start"
        self._begin = 0
        """Where in `_held` the element begins."""
        self._depth = 0
        """Brackets open in the element; 0 outside of one."""
        self._in_string = False

    def feed(self, data: bytes) -> list[Event]:
        check_size(self._held, self._limit)
        self._held += data
        return until_fault(self._next)

    def close(self) -> list[Event]:
        """White space at the end. FramingError where the stream ended inside an element."""
        self.feed(b"")  # a fault that was kept back
        if self._held.strip():
            raise FramingError("the JSON array ended inside an element")
        self._at = len(self._held)
        return [self._cut()] if self._held else []

    def _next(self) -> Event | None:
        return self._inside() if self._depth else self._between()

    def _between(self) -> Event | None:
        while found := _NOT_SPACE.search(self._held, self._at):
            self._step(found[0])
            self._at = found.end()
            if self._place == "closed":
                return self._cut()
            if self._place == "element":
                self._begin, self._depth = found.start(), 1
                return self._inside()
        self._at = len(self._held)
        return None

    def _step(self, char: bytes) -> None:
        try:
            self._place = _STEPS[self._place, char]
        except KeyError:
            raise FramingError(f"no JSON array of objects: wrong character after {self._place!r}") from None

    def _inside(self) -> Event | None:
        while self._depth:
            skipped = (_INSIDE_STRING if self._in_string else _UP_TO_BRACKET).match(self._held, self._at)
            self._at = skipped.end() if skipped else self._at
            char = bytes(self._held[self._at : self._at + 1])
            if not char or char == b"\\":  # an escape whose second half is still to come
                return None
            if char == b'"':
                self._in_string = not self._in_string
            else:
                self._depth += _DEPTH[char]
            self._at += 1
        return self._cut(self._begin)

    def _cut(self, begin: int | None = None) -> Event:
        """The event of all that has been looked at; its data begins there."""
        raw = bytes(self._held[: self._at])
        del self._held[: self._at]
        self._at = 0
        return Event(None if begin is None else raw[begin:], raw=raw)


class JsonArrayEncoder:
    """Keeps the array valid whatever events were dropped, added or changed.

    The closing bracket waits for the `End`, since rooms may still add events before that. An `End` with an
    error leaves the array open: the error's own events follow, and an `End` without one.
    """

    __slots__ = ("_closing", "_opened")

    def __init__(self) -> None:
        self._closing = b""
        self._opened = False

    def encode(self, event: Event) -> bytes:
        if isinstance(event, End):
            return b"" if event.error else self._close()
        if event.data is None:
            self._closing += event.raw or b""
            return b""
        opened, self._opened = self._opened, True
        if event.raw is not None and _opens(event.raw, event.data) != opened:
            return event.raw
        return (b",\r\n" if opened else b"[") + event.data

    def _close(self) -> bytes:
        closing = self._closing if b"]" in self._closing else self._closing + b"]"
        if self._opened:
            return closing.replace(b"[", b"")
        return closing if b"[" in closing else b"[" + closing


def _opens(raw: bytes, data: bytes) -> bool:
    """True where the element came with the array's opening bracket."""
    return b"[" in raw[: len(raw) - len(data)]
