"""What a framing is: how a stream of bytes is cut into events, and events become bytes again."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Protocol

from tollgate.calls import Event

MAX_EVENT = 32 * 2**20
"""Bytes that a decoder holds back for one unfinished event before it gives up."""


class FramingError(ValueError):
    """The stream cannot be cut into events any further. Says what is wrong, never what stands there.

    Events before the fault are given first; only then a decoder raises, and then on every call.
    """


class Decoder(Protocol):
    """Bytes in, events out. Any chunking of the same bytes gives the same events."""

    def feed(self, data: bytes) -> list[Event]:
        """The events that these bytes complete; each has `raw`, and all `raw` together are the bytes fed.

        FramingError where the bytes do not follow the framing, or an event is too large.
        """

    def close(self) -> list[Event]:
        """What was still held back when the stream ended. FramingError where that can be no event."""


class Encoder(Protocol):
    """Events in, bytes out. An event that has `raw` goes out as that."""

    def encode(self, event: Event) -> bytes:
        """The bytes to send now. Every event of the answer comes here in turn, its `End` too."""


@dataclass(frozen=True, slots=True)
class Framing:
    name: str
    content_type: str
    """Of an answer that we make ourselves."""
    decoder: Callable[[], Decoder]
    encoder: Callable[[], Encoder]


def check_size(held: Sized, limit: int) -> None:
    """FramingError where more is held back for one event than the limit allows."""
    if len(held) > limit:
        raise FramingError(f"an event of the stream is larger than {limit} bytes")


def until_fault(step: Callable[[], Event | None]) -> list[Event]:
    """The events that a step gives, one each time, until it has none.

    A FramingError after an event is kept back: the step has to raise it again when it is asked again.
    """
    events: list[Event] = []
    try:
        while event := step():
            events.append(event)
    except FramingError:
        if not events:
            raise
    return events
