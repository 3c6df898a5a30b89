"""Judges that look at windows of a text, and the prefilter that says where these are."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Protocol

from tollgate.dlp.prefilter import Expression, Letters, Prefilter, build_prefilter
from tollgate.dlp.span import Span

TIMEOUT = 2.0
"""Seconds that one regular expression may take for one window."""
_TORN = 8
"""A finding this near to where a window was cut may be a part of something: it is not believed."""


class DetectionFailed(Exception):
    """A text could not be judged, which is never the same as nothing found."""


class Reach(NamedTuple):
    """How far a window goes around the end of a match, in characters."""

    back: int = 100
    ahead: int = 40
    to_space: int = 200
    """How much farther, to the next blank, so that words stay whole."""
    words: bool = False
    """True where no value holds a blank: then none can be torn at one."""


WORD = Reach(back=1, ahead=1, to_space=400, words=True)
"""The word in which a match ends."""


class Judge(Protocol):
    """Says exactly what stands in a window."""

    @property
    def gate(self) -> Expression | None:
        """Matches wherever there may be something; None for a judge that looks at whole texts."""

    @property
    def reach(self) -> Reach:
        """How far around a match it has to look."""

    def wants(self, key: str) -> bool:
        """Whether this JSON key makes more of a text than the gate says, so that all of it is judged."""

    def judge(self, text: str, start: int, end: int, key: str) -> Iterable[Span]:
        """What is found from `start` to `end`; what stands around is for context only.

        A window may be all of a large text: searches are `concurrent`, so that other threads go on meanwhile.
        """


class Windowed:
    """A detector: several judges behind one prefilter."""

    def __init__(self, judges: Sequence[Judge], prefilter: Prefilter) -> None:
        """The prefilter's expressions are the judges' gates, in their order, as `gates` gives them."""
        self._judges = judges
        self._prefilter = prefilter
        gateless = {n for n, judge in enumerate(judges) if judge.gate is None}
        self._always = frozenset(prefilter.unfiltered) | gateless
        self._wanted = lru_cache(maxsize=4096)(self._wanted_for)

    def scan(self, text: str, key: str = "") -> list[Span]:
        whole = self._wanted(key)
        found: set[Span] = set()
        for number in whole:
            found.update(self._judges[number].judge(text, 0, len(text), key))
        for number, ends in self._prefilter.ends(text).items():
            if number not in whole:
                found.update(_judged(self._judges[number], text, ends, key))
        return list(found)

    def _wanted_for(self, key: str) -> Collection[int]:
        """The judges that look at the whole text."""
        if not key:
            return self._always
        return self._always | {n for n, judge in enumerate(self._judges) if judge.wants(key)}


def build_windowed(judges: Sequence[Judge], cache: Path, letters: Letters = Letters.ANY) -> Windowed:
    """The judges behind the best prefilter there is."""
    return Windowed(judges, build_prefilter(gates(judges), cache, letters))


def gates(judges: Iterable[Judge]) -> list[Expression]:
    """The judges' gates; one that never opens for a judge that has none."""
    return [judge.gate or Expression(r"\x00{9}never") for judge in judges]


def _judged(judge: Judge, text: str, ends: Sequence[int], key: str) -> Iterator[Span]:
    for start, end in windows(text, ends, judge.reach):
        whole = end == len(text) or (judge.reach.words and text[end] in " \n")
        for span in judge.judge(text, start, end, key):
            if whole or span.end <= end - _TORN:
                yield span


def windows(text: str, ends: Iterable[int], reach: Reach) -> Iterator[tuple[int, int]]:
    """Windows around these places, from left to right, put together where they touch."""
    start = stop = done = -1
    for end in sorted(ends):
        if end - reach.back > stop:
            if stop >= 0:
                window = _stretched(text, start, stop, reach.to_space)
                yield window
                stop, done = -1, window[1]
            if end + reach.ahead <= done:
                continue
            start = end - reach.back
        stop = end + reach.ahead
    if stop >= 0:
        yield _stretched(text, start, stop, reach.to_space)


def _stretched(text: str, start: int, stop: int, most: int) -> tuple[int, int]:
    """The window, up to the blanks around it or as far as it may go."""
    start, stop = max(0, start), min(len(text), stop)
    first, last = max(0, start - most), min(len(text), stop + most)
    begin = text.rfind(" ", first, start)
    begin = max(begin, text.rfind("\n", max(first, begin), start)) + 1 or first
    end = text.find(" ", stop, last)
    end = last if end < 0 else end
    line = text.find("\n", stop, end)
    return begin, end if line < 0 else line
