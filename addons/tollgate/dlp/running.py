"""Text that is still being written: what of it is at hand, and where that stands in what came.

Indices are absolute: they count from the beginning of the text, also when that is no longer kept.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import orjson

_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}|\\u(?![0-9a-fA-F]{0,3}\Z)|\\[^u]", re.DOTALL)
"""An escape that is complete; a broken one is read as its letter."""
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_BETWEEN = re.compile(r"[\s:,{}\[\]]*(?:(?:true|false|null)[\s:,{}\[\]]*)*")
"""What stands between the strings and numbers of JSON."""
_NUMBER = re.compile(r"[-+.eE\d]*\d[-+.eE\d]*", re.ASCII)
_OF_NUMBERS = frozenset("0123456789+-.eE")


class Stretch(NamedTuple):
    """A stretch of what came, in its own characters."""

    start: int
    end: int
    bare: bool = False
    """True for a number of JSON: what takes its place needs quotes."""


class Running:
    """Plain text: what came is what it says."""

    def __init__(self) -> None:
        self.text = ""
        """What is at hand."""
        self.start = 0
        """Index of its first character."""

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def append(self, piece: str) -> None:
        self.text += piece

    def close(self) -> None:
        """No more comes."""

    def between(self, start: int, end: int) -> str:
        return self.text[start - self.start : end - self.start]

    def forget(self, before: int) -> None:
        """What stands before is no longer needed. Not each time: to move the rest takes time, too."""
        if 2 * (before - self.start) > len(self.text):
            self._drop(before - self.start)

    def _drop(self, number: int) -> None:
        self.text = self.text[number:]
        self.start += number

    def raw(self, at: int) -> int:
        """Where in what came this index stands."""
        return at

    def stretches(self, start: int, end: int) -> list[Stretch]:
        """Where what stands from `start` to `end` can be replaced."""
        return [Stretch(start, end)]

    def written(self, text: str, stretch: Stretch) -> str:
        """How a text is written in the place of a stretch."""
        return text


class RunningJson(Running):
    r"""JSON as it is written: "\n" is one character here. Quotes of strings are kept apart."""

    def __init__(self) -> None:
        super().__init__()
        self._after = [0]
        """Indices behind escapes, from where on characters are what came ..."""
        self._raw = [0]
        """... and where in what came these stand."""
        self._pending = ""
        """An escape whose end has not come yet."""
        self._quotes: list[int] = []
        """Indices of the quotes at hand that begin or end a string."""
        self._quotes_before = 0

    def append(self, piece: str) -> None:
        piece, parts, done = self._pending + piece, list[str](), 0
        at, raw = self.end, self.raw(self.end)
        for escape in _ESCAPE.finditer(piece):
            plain = piece[done : escape.start()]
            self._note_quotes(plain, at)
            at += len(plain) + 1
            raw += escape.end() - done
            done = escape.end()
            parts += (plain, _unescaped(escape[0]))
            self._after.append(at)
            self._raw.append(raw)
        plain, begun, escape_begun = piece[done:].partition("\\")
        self._note_quotes(plain, at)
        self._pending = begun + escape_begun
        self.text += "".join((*parts, plain))

    def close(self) -> None:
        """What is left of an escape stands for itself."""
        self.text += self._pending
        self._pending = ""

    def _note_quotes(self, plain: str, at: int) -> None:
        quote = plain.find('"')
        while quote >= 0:
            self._quotes.append(at + quote)
            quote = plain.find('"', quote + 1)

    def _drop(self, number: int) -> None:
        super()._drop(number)
        gone = bisect_right(self._after, self.start) - 1
        del self._after[:gone], self._raw[:gone]
        quotes = bisect_left(self._quotes, self.start)
        del self._quotes[:quotes]
        self._quotes_before += quotes

    def raw(self, at: int) -> int:
        n = bisect_right(self._after, at) - 1
        return self._raw[n] + at - self._after[n]

    def stretches(self, start: int, end: int) -> list[Stretch]:
        """Strings and numbers in it, each by itself: what stands between them has to stay."""
        return list(self._stretches(start, end))

    def _stretches(self, start: int, end: int) -> Iterator[Stretch]:
        first, last = bisect_left(self._quotes, start), bisect_left(self._quotes, end)
        inside = (self._quotes_before + first) % 2 == 1
        edges = [start - 1, *self._quotes[first:last], end]
        for before, after in pairwise(edges):
            if before + 1 < after:
                yield from self._within(before + 1, after) if inside else self._outside(before + 1, after)
            inside = not inside

    def _within(self, start: int, end: int) -> Iterator[Stretch]:
        yield Stretch(self.raw(start), self.raw(end))

    def _outside(self, start: int, end: int) -> Iterator[Stretch]:
        """The numbers between strings; all of it where this is no JSON."""
        text = self.between(start, end)
        if _BETWEEN.fullmatch(_NUMBER.sub("", text)):
            yield from (self._number(start + n.start(), start + n.end()) for n in _NUMBER.finditer(text))
        else:
            yield from self._within(start, end)

    def _number(self, start: int, end: int) -> Stretch:
        """All of the number of which this is a part."""
        while start > self.start and self.between(start - 1, start) in _OF_NUMBERS:
            start -= 1
        while end < self.end and self.between(end, end + 1) in _OF_NUMBERS:
            end += 1
        return Stretch(self.raw(start), self.raw(end), bare=True)

    def written(self, text: str, stretch: Stretch) -> str:
        quoted = orjson.dumps(text).decode()
        return quoted if stretch.bare else quoted[1:-1]


def _unescaped(escape: str) -> str:
    """One character. Halves of a pair are no characters, and no finding has any."""
    if len(escape) == 6:
        letter = chr(int(escape[2:], 16))
        return "\ufffd" if "\ud800" <= letter <= "\udfff" else letter
    return _ESCAPED.get(escape[1], escape[1])
