"""Finds the token that a model meant when it changed one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from tollgate.dlp.tokens import BRAND, WIDTH

REACH = 2
"""How many letters may be changed, added or lost."""

_HEAD = len(BRAND)
_CUTS = (_HEAD, 7, 10, WIDTH)
_PIECES = tuple(pairwise(_CUTS))
"""Two changes leave one of three pieces as it was, moved by two places at most: so it is enough to compare
with the tokens that share a piece."""


class Near:
    """Known tokens, to be found by words that are almost one of them."""

    __slots__ = ("_by_piece",)

    def __init__(self, cores: Iterable[str]) -> None:
        """Takes cores, as `tokens.core` gives them."""
        self._by_piece: dict[tuple[int, str], set[str]] = defaultdict(set)
        for known in cores:
            for start, end in _PIECES:
                self._by_piece[start, known[start:end]].add(known)

    def find(self, word: str) -> str | None:
        """The core of the one token of that kind within reach of a lower-case word; None for none or two."""
        same = {known for known in self._sharing(word) if known.startswith(word[: _HEAD + 1])}
        near = {known for known in same if distance(word, known) <= REACH}
        return near.pop() if len(near) == 1 else None

    def _sharing(self, word: str) -> Iterator[str]:
        for start, end in _PIECES:
            for shift in range(-REACH, REACH + 1):
                yield from self._by_piece.get((start, word[start + shift : end + shift]), ())


def distance(one: str, other: str) -> int:
    """How many letters have to be changed, added or removed to make one word the other (Levenshtein)."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, b in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (a != b))
    return row[-1]
