"""Reads a text while it is being written, and says what is found as soon as what follows cannot change it.

A text is looked at every few characters, at places that depend on itself alone: however it is cut into
pieces, the same is found. Each look goes back a while, for context. What stands at the end is not judged yet:
the last characters, the word they begin in, and what was found there so far, for it may go on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tollgate.dlp.running import Running, Stretch
from tollgate.dlp.span import Span

STEP = 32
"""Characters from one look to the next."""
STRIDE = 4096
"""The same, where a piece brings more than this at once."""
CONTEXT = 512
"""Characters before what is judged that are looked at again."""
LONGEST_WORD = 2048
"""A word (ASCII, no blanks) is judged as a whole, up to this length: web tokens have as many characters."""
LONGEST = 17_000
"""What was found so far may grow up to this length: private keys do."""

_OF_WORDS = "".join(map(chr, range(ord("!"), 0x7F)))

type _Until = Callable[[int, list[Span]], int]
"""Up to where is judged, of a text up to there in which that was found."""
type Look = Callable[[str], list[Span]]
"""What is found in a text, from left to right and without overlaps."""


class Seen(NamedTuple):
    """Something found, of which the end is known."""

    span: Span
    """Its place in the text."""
    value: str
    stretches: list[Stretch]
    """Where it stands in what came."""


class Reader:
    """Reads one text."""

    __slots__ = ("_decided", "_look", "_next", "_past", "_text", "_window")

    def __init__(self, text: Running, look: Look, window: int) -> None:
        """`window` is how many characters have to follow before something is judged."""
        self._text = text
        self._look = look
        self._window = window
        self._decided = 0
        self._past: list[Span] = []
        """What was found where a look may begin."""
        self._next = STEP

    @property
    def decided(self) -> int:
        """Up to which character of what came all is judged."""
        return self._text.raw(self._decided)

    def feed(self, piece: str) -> list[Seen]:
        """What is clear now."""
        text, seen = self._text, list[Seen]()
        text.append(piece)
        while self._next <= text.end:
            if text.end - self._next >= STRIDE:
                self._next += STRIDE
            end = self._next
            seen += self._judge(end, self._undisputed)
            self._next = end + max(STEP, (end - self._decided) // 4)
        return seen

    def catch_up(self) -> list[Seen]:
        """What is clear if nothing follows. As something may, what was found at the very end waits: it may be
        the first half of more, or of what is left alone."""
        end = self._text.end
        seen = self._judge(end, _before_the_last)
        self._next = end + STEP
        return seen

    def finish(self) -> list[Seen]:
        """What is clear now that the text is complete."""
        self._text.close()
        return self._judge(self._text.end, _all)

    def _judge(self, end: int, until: _Until) -> list[Seen]:
        start = self._context()
        found = [moved(span, start) for span in self._look(self._text.between(start, end))]
        found = [span for span in found if span.end > self._decided]
        decided = max(until(end, found), self._decided)
        seen = [self._clear(span, decided) for span in found if span.start < decided]
        self._decided = decided
        self._past += [one.span for one in seen]
        self._text.forget(decided - CONTEXT)
        return seen

    def _clear(self, span: Span, decided: int) -> Seen:
        """What of a finding is judged now; all of it, but for one that is too long to wait for."""
        start, end = max(span.start, self._decided), min(span.end, decided)
        return seen_in(self._text, span._replace(start=start, end=end))

    def _context(self) -> int:
        """Where a look begins. Not within a word, nor within what was found: a part of it looks like
        something else, and with what follows like something that is not there."""
        first = self._decided - CONTEXT
        if first <= 0:
            return 0
        start = first + self._text.between(first, self._decided).find(" ") + 1
        self._past = [span for span in self._past if span.end > start]
        return max((span.end for span in self._past if span.start < start), default=start)

    def _undisputed(self, end: int, found: list[Span]) -> int:
        """Up to where what follows cannot change a thing."""
        limit = end - self._window
        if limit <= self._decided:
            return self._decided
        before = self._text.between(max(self._decided, limit - LONGEST_WORD), limit)
        word = len(before) - len(before.rstrip(_OF_WORDS))
        at = limit - word if word < LONGEST_WORD else limit
        for span in reversed(found):
            if span.start < at < span.end and end - span.start <= LONGEST:
                at = span.start
        return max(at, self._decided)


def _all(end: int, found: list[Span]) -> int:
    return end


def _before_the_last(end: int, found: list[Span]) -> int:
    last = next((span.start for span in found if span.end == end), end)
    return last if end - last <= LONGEST else end


def read_whole(text: Running, content: str, look: Look) -> list[Seen]:
    """What is found in a text that is complete: at one look."""
    text.append(content)
    text.close()
    return [seen_in(text, span) for span in look(text.text)]


def moved(span: Span, by: int) -> Span:
    return span._replace(start=span.start + by, end=span.end + by)


def seen_in(text: Running, span: Span) -> Seen:
    return Seen(span, text.between(span.start, span.end), text.stretches(span.start, span.end))
