"""One text of an answer that is being written, and the events that wait until it is judged."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from tollgate.calls import Event, Slot
from tollgate.dlp.place import Marks, Place
from tollgate.dlp.reader import Reader
from tollgate.dlp.running import Running


class Edit(NamedTuple):
    start: int
    end: int
    text: str


@dataclass(slots=True)
class Waiting:
    """An event on its way."""

    event: Event
    came: bytes = b""
    """Its payload."""
    data: bytes = b""
    """The same, with other numbers in it where something was found in these."""
    document: Any = None
    edits: dict[int, str] = field(default_factory=dict)
    """What its strings become that change, by their ordinals."""
    open: int = 0
    """How many of its strings are not judged yet."""


@dataclass(slots=True)
class Piece:
    """A string of an event, as a piece of a text."""

    waiting: Waiting
    slot: Slot
    start: int
    end: int


@dataclass(slots=True)
class Channel:
    """One text that is being written."""

    reader: Reader
    text: Running
    place: Place
    marks: Marks
    length: int = 0
    digest: Any = field(default_factory=lambda: blake2b(digest_size=16))
    pieces: deque[Piece] = field(default_factory=deque)
    """Those that wait, in order."""
    edits: list[Edit] = field(default_factory=list)
    overtaken: int = 0
    """How many characters of other texts have come since."""

    def take(self, slot: Slot, waiting: Waiting | None) -> None:
        start, self.length = self.length, self.length + len(slot.text)
        self.digest.update(slot.text.encode("utf-8", "surrogatepass"))
        self.overtaken = 0
        if waiting is not None:
            waiting.open += 1
            self.pieces.append(Piece(waiting, slot, start, self.length))

    def settle(self) -> None:
        """Let go of the pieces that are judged."""
        while self.pieces and self.pieces[0].end <= self.reader.decided:
            piece = self.pieces.popleft()
            piece.waiting.open -= 1
            text = edited(piece.slot.text, self.edits, piece.start)
            if text != piece.slot.text:
                piece.waiting.edits[piece.slot.ordinal] = text


def edited(text: str, edits: Sequence[Edit], offset: int = 0) -> str:
    """A piece of a text, from that offset on, with its part of the edits."""
    out: list[str] = []
    done = 0
    for start, end, stand_in in edits[bisect_right(edits, offset, key=_end) :]:
        first, last = start - offset, end - offset
        if first >= len(text):
            break
        if first >= 0:
            out += (text[done:first], stand_in)
        done = min(last, len(text))
    return "".join((*out, text[done:]))


def _end(edit: Edit) -> int:
    return edit.end
