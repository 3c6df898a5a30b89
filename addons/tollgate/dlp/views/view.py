"""Another way to look at a text, and where its characters stand in the original."""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import NamedTuple

_MARGIN = 160
"""Characters around a changed piece that a view shows: the rest of a value, and words that say what it is."""


_START = itemgetter(0)


class ViewError(ValueError):
    """A text that cannot be looked into, and so is not passed on unseen; `code` says why, for machines."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class TooMuch(Exception):
    """More is to be looked at than the budget allows."""


class Budget:
    """How much the texts of one request may still decode to, in bytes or characters, and how many characters
    of theirs may be looked at."""

    __slots__ = ("left", "limit", "unseen")

    def __init__(self, limit: int, unseen: int = sys.maxsize) -> None:
        self.limit = self.left = limit
        self.unseen = unseen

    def take(self, size: int) -> None:
        """ViewError where that is more than is left. What was decoded is looked at: TooMuch as of `look`."""
        if size > self.left:
            raise ViewError(f"the text decodes to more than {self.limit} bytes", "too_large")
        self.left -= size
        self.look(size)

    def look(self, size: int) -> None:
        """TooMuch where that is more than may be looked at."""
        if size > self.unseen:
            raise TooMuch
        self.unseen -= size


class Piece(NamedTuple):
    """A piece of a text, and what a view shows in its place."""

    start: int
    end: int
    text: str


def in_order(pieces: Iterable[Piece]) -> list[Piece]:
    """Pieces by place; of those that overlap, the first, and where they begin together, the first given."""
    kept: list[Piece] = []
    done = 0
    for piece in sorted(pieces, key=_START):
        if piece.start >= done:
            kept.append(piece)
            done = piece.end
    return kept


class OffsetMap:
    """From a rewritten stretch of a text back to the text: pieces are kept whole, all else is as it was."""

    __slots__ = ("_after", "_at", "_begin", "_pieces")

    def __init__(self, begin: int = 0, pieces: Sequence[Piece] = ()) -> None:
        self._begin = begin
        self._pieces = pieces
        self._at: list[int] = []
        self._after: list[int] = []

    def span(self, start: int, end: int) -> tuple[int, int]:
        """What [start, end) of the view came from; `end` is greater than `start`."""
        if len(self._at) < len(self._pieces):
            self._place()
        first, last = self._piece_of(start), self._piece_of(end - 1)
        left_is_plain = first < 0 or start >= self._after[first]
        right_is_plain = last < 0 or end > self._after[last]
        return (
            self._plain(first, start) if left_is_plain else self._pieces[first].start,
            self._plain(last, end) if right_is_plain else self._pieces[last].end,
        )

    def _place(self) -> None:
        """Find where the pieces stand in the view; only once something was found there, which is rare."""
        moved = -self._begin
        for start, end, text in self._pieces:
            moved += len(text) - (end - start)
            self._after.append(end + moved)
        self._at = [end - len(piece.text) for end, piece in zip(self._after, self._pieces, strict=True)]

    def _piece_of(self, index: int) -> int:
        """The last piece that begins at or before a character of the view; -1 for none."""
        return bisect_right(self._at, index) - 1

    def _plain(self, piece: int, index: int) -> int:
        """The original of an index behind a piece, where the text is as it was."""
        return self._begin + index if piece < 0 else self._pieces[piece].end + index - self._after[piece]


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a text, or at a stretch of it."""

    text: str = field(repr=False)
    name: str
    """How it came about, outermost first: "percent", "base64/pdf", "normalised"."""
    enclosing: tuple[int, int]
    """The piece of the original text that holds it all: the encoded run where it stands in one."""
    offsets: OffsetMap | None = field(default=None, repr=False)
    """None where its characters have no places of their own in the original: base64, documents."""
    within: View | None = field(default=None, repr=False)
    """The view that `offsets` leads to; None for the original text."""

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """Where [start, end) stands in the original text; None where it cannot be rewritten in place."""
        if self.offsets is None:
            return None
        start, end = self.offsets.span(start, end)
        return self.within.span(start, end) if self.within else (start, end)

    def rewritten(self, name: str, pieces: Sequence[Piece]) -> Iterator[View]:
        """Views of the stretches around pieces, which are as `in_order` gives them."""
        for begin, end, some in _stretches(self.text, pieces):
            text = _replaced(self.text, begin, end, some)
            yield View(text, self.below(name), self.enclosing, OffsetMap(begin, some), self)

    def below(self, name: str) -> str:
        """The name of a view of this view."""
        return f"{self.name}/{name}" if self.name else name


def original(text: str) -> View:
    """A text as it stands."""
    return View(text, "", (0, len(text)), OffsetMap())


def _stretches(text: str, pieces: Sequence[Piece]) -> Iterator[tuple[int, int, Sequence[Piece]]]:
    """Pieces that stand near each other, with the text around them, cut at white space only."""
    done = first = 0
    for n, piece in enumerate(pieces):
        upto = pieces[n + 1].start if n + 1 < len(pieces) else len(text)
        end = _space_after(text, piece.end + _MARGIN, upto)
        if end < 0 and n + 1 < len(pieces):
            continue
        begin = _space_before(text, done, pieces[first].start - _MARGIN)
        done = end if end >= 0 else len(text)
        yield begin, done, pieces[first : n + 1]
        first = n + 1


def _space_after(text: str, start: int, end: int) -> int:
    """The first white space in [start, end); -1 for none."""
    found = [at for space in " \n" if (at := text.find(space, start, end)) >= 0] if start < end else []
    return min(found, default=-1)


def _space_before(text: str, start: int, end: int) -> int:
    """Behind the last white space in [start, end); `start` for none."""
    if start >= end:
        return start
    return max(start, text.rfind(" ", start, end) + 1, text.rfind("\n", start, end) + 1)


def _replaced(text: str, begin: int, end: int, pieces: Sequence[Piece]) -> str:
    out: list[str] = []
    for piece in pieces:
        out += (text[begin : piece.start], piece.text)
        begin = piece.end
    out.append(text[begin:end])
    return "".join(out)
