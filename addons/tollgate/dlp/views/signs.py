"""What a text looks like from afar, one byte for each character: in C, and so for next to nothing.

Most texts have nothing that a view would show. That is seen here, before anything is looked at closely.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import regex

CONTROLS = bytes((*range(9), 0x0B, *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
"""Control characters that nobody sees; tabs, line ends and the terminal's ESC are not among them."""
_BASE64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
"""Both alphabets; that of hexadecimal digits is a part of them."""
_IN_RUNS = bytes(ord("a") if code in _BASE64 else ord(" ") for code in range(256))


def _single(code: int) -> str:
    if code in CONTROLS:
        return "!"
    return "a" if 0x20 < code < 0x7F and chr(code) not in ".-_/|*," else " "


_SINGLY = "".join(map(_single, range(256))).encode()
_SPACED = regex.compile(b"a a a a a a")  # `find` and `re` are slower


class Signs:
    """The signs of one text."""

    __slots__ = ("_singly", "ascii")

    def __init__(self, text: str) -> None:
        self.ascii = text.encode("ascii", "replace")
        """The text with "?" for all that is not ASCII."""
        self._singly = self.ascii.translate(_SINGLY)

    @property
    def has_controls(self) -> bool:
        return b"!" in self._singly

    def spaced(self, start: int = 0) -> int:
        """Where some characters stand with a gap after each: A K I A, 4.1.1.1, 4-1-1-1; -1 for nowhere."""
        found = _SPACED.search(self._singly, start, concurrent=True)
        return int(found.start()) if found else -1

    def runs(self, shortest: int) -> tuple[bytes, Iterator[tuple[int, int]]]:
        """The text as "a" where base64 or hex may stand and " " elsewhere, and where "a" stands in rows."""
        flat = self.ascii.translate(_IN_RUNS)
        return flat, stretches(flat, shortest)


def stretches(flat: bytes, shortest: int) -> Iterator[tuple[int, int]]:
    """Where "a" stands at least that often in a row, among spaces."""
    wanted = b"a" * shortest
    end = 0
    while (start := flat.find(wanted, end)) >= 0:
        end = flat.find(b" ", start + shortest)
        if end < 0:
            end = len(flat)
        yield start, end


def matches(pattern: re.Pattern[str], sign: str, text: str) -> Iterator[re.Match[str]]:
    """What `finditer` gives for a pattern that begins with a sign. Where that is rare it is found much faster
    by itself."""
    at = text.find(sign)
    while at >= 0:
        match = pattern.match(text, at)
        if match:
            yield match
        at = text.find(sign, match.end() if match else at + 1)
