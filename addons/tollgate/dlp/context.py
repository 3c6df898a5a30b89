"""Words near a value that say what it is: before it in the text, or the JSON key under which it stands."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import regex

WIDTH = 80
"""How far before a value, in characters, a word may stand."""
WORDS = 5
"""How many words before a value are looked at."""

_WORD = regex.compile(r"\p{Lu}+(?!\p{Ll})|\p{Lu}?\p{Ll}+|[^\W\d_\p{Lu}\p{Ll}]+|\d+")
_ASCII_WORD = re.compile("[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
"""The same for ASCII, in half the time."""


def words(text: str) -> list[str]:
    """The words of a text in lower case; userSSN_no are three."""
    return [word.lower() for word in _words(text)]


def _words(text: str) -> list[str]:
    found: list[str] = (_ASCII_WORD if text.isascii() else _WORD).findall(text)
    return found


def _beginnings(phrases: Sequence[str]) -> Iterator[str]:
    """Patterns for phrases where words may begin: behind what is no letter, or with a capital one."""
    loose = [regex.escape(phrase, literal_spaces=True).replace(" ", r"[\W_]{0,3}") for phrase in phrases]
    latin = [phrase for phrase in loose if "a" <= phrase[0] <= "z"]
    if latin:
        yield rf"(?:^|[^A-Za-z])(?:{'|'.join(latin)})"
    yield from (rf"(?-i:{phrase[0].upper()}){phrase[1:]}" for phrase in latin)
    yield from (phrase for phrase in loose if phrase not in latin)


class Context:
    """Some words and phrases."""

    def __init__(self, phrases: Iterable[str]) -> None:
        normal = sorted({" ".join(found) for phrase in phrases if (found := words(phrase))})
        self._first_words = {phrase.partition(" ")[0] for phrase in normal}
        either = "|".join(map(regex.escape, normal)) or r"\b\B"
        self._found = regex.compile(rf"(?<!\S)(?:{either})s?(?!\S)")
        self.gate = "|".join(_beginnings(normal)) or either
        """A pattern that, without regard to case, matches wherever one of them may stand."""

    def before(self, text: str, start: int) -> bool:
        """Whether one is among the last words before this index."""
        near = text[max(0, start - WIDTH - 1) : start]  # one more, else a word's end may look like a word
        if near.isascii() and not self._may_be_in(near.lower()):
            return False
        return self._found.search(" ".join(_words(near)[-WORDS:]).lower()) is not None

    def _may_be_in(self, text: str) -> bool:
        """False where no phrase's beginning is anywhere: most often, and known at once."""
        return any(word in text for word in self._first_words)

    @lru_cache(maxsize=1024)  # noqa: B019 -- lives as long as the policy it belongs to
    def within(self, key: str) -> bool:
        """Whether one is a part of this JSON key."""
        return bool(key) and self._found.search(" ".join(words(key))) is not None
