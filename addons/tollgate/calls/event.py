"""One streamed piece of an answer."""

from __future__ import annotations

from typing import Any

import orjson


class Event:
    """One streamed piece of an answer: an SSE event, an NDJSON line, an event-stream message.

    An event that no room changed goes out as the very bytes it came in as (`raw`); one that a room
    makes or changes has no `raw` and is written by the framing of its answer.
    """

    __slots__ = ("_json", "data", "name", "raw")

    def __init__(self, data: bytes | None, name: str = "", raw: bytes | None = None) -> None:
        self.data = data
        """The payload; None for a piece that has none (a keep-alive comment), which rooms are not shown."""
        self.name = name
        """The SSE `event:` field or the event stream's `:event-type`; empty where there is none."""
        self.raw = raw
        """The bytes on the wire, framing included; None where the framing has to write them."""
        self._json: Any = None

    def json(self) -> Any:
        """The payload as JSON, parsed once; do not change it in place. ValueError where it is not JSON."""
        if self._json is None and self.data is not None:
            self._json = orjson.loads(self.data)
        return self._json

    def with_data(self, data: bytes) -> Event:
        """The same event with another payload."""
        return Event(data, self.name)

    def __repr__(self) -> str:
        size = "no data" if self.data is None else f"{len(self.data)} bytes"
        return f"{type(self).__name__}({self.name!r}, {size})"  # never the text: it may end in a log


class End(Event):
    """The last event of every stream: no bytes of its own, a place to flush what was held back."""

    __slots__ = ("error",)

    def __init__(self, error: str = "") -> None:
        super().__init__(None)
        self.error = error
        """Why the stream ended before its dialect's end; empty where it is complete."""
