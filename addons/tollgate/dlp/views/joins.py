"""Values that are taken apart: over lines, string concatenations, separators; over parts and messages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tollgate.calls import Slot
from tollgate.dlp.views.view import Piece

# -- within one text -----------------------------------------------------------------------------------------

_WORD = r"[A-Za-z0-9_+/=@.-]"
_CONCATENATED = tuple(
    re.compile(
        rf"{quote}(?<={_WORD}{quote})\s*(?:[+.&]|\|\|)?\s*(?:\\?\r?\n\s*)?[fbruFBRU]{{0,2}}{quote}(?={_WORD})"
    )
    for quote in "\"'`"
)
_LINE_BREAKS = re.compile(
    r"\n(?:(?<=[\w@-]\n)|(?<=[\w@-][\r\\=]\n))[ \t]*"
    r"(?:(?=[\w@.+/=-]{0,80}\d)|(?=[\w.-]{0,80}@)|(?=[a-z0-9-]{1,40}\.[a-z])|(?=[A-Z0-9]{4}))"
)
"""Line ends, those of shell and quoted-printable too, with something behind that no ordinary word is."""
_TAIL = re.compile(r"[A-Za-z0-9_+/=@.-]{1,256}\Z")
_HEAD = re.compile(r"[A-Za-z0-9_+/=@.-]{1,256}")
_PART_OF_NUMBER = re.compile(r"[\d-]+")
_NUMBERS = re.compile(r"\d{3}-\d{2}-\d{4}|\d{8}")
_SPACED = tuple(
    re.compile(rf"(?<![^\s\"'(:=]){char}(?:{gap}{char}){{8,}}(?!{gap}?{char})")
    for char, gap in ((r"[^\s]", " "), (r"\w", r"\."), (r"\w", "-"), (r"\w", "_"))
)
_SIGNS = tuple((b"a" + gap) * 8 + b"a" for gap in (b" ", b".", b"-", b"_"))
_ANY_LETTER = bytes(ord("a") if 0x20 < code < 0x7F else code for code in range(256))
_LETTERS = bytes(ord("a") if chr(code).isalnum() and code < 0x80 else code for code in range(256))


def pieces(text: str) -> list[Piece]:
    """What stands between the parts of values that may have been taken apart, in order."""
    found = [*_concatenated(text), *_broken(text), *_spaced(text)]
    return _apart(sorted(found))


def _apart(found: list[Piece]) -> list[Piece]:
    kept: list[Piece] = []
    for piece in found:
        if not kept or piece.start >= kept[-1].end:
            kept.append(piece)
    return kept


def _concatenated(text: str) -> Iterator[Piece]:
    for pattern in _CONCATENATED:
        for match in pattern.finditer(text):
            yield Piece(*match.span(), "")


def _broken(text: str) -> Iterator[Piece]:
    for match in _LINE_BREAKS.finditer(text):
        start = match.start() - (text[match.start() - 1] in "\r\\=")
        tail = _TAIL.search(text, max(0, start - 256), start)
        head = _HEAD.match(text, match.end())
        if tail and head and belong_together(tail[0], head[0]):
            yield Piece(start, match.end(), "")


def belong_together(tail: str, head: str) -> bool:
    """Whether two words may be one value taken apart: an address, a number, a key."""
    whole = tail + head
    if _PART_OF_NUMBER.fullmatch(whole):
        return _NUMBERS.fullmatch(whole) is not None
    if "@" in whole:
        return whole.count("@") == 1 and "." in whole
    if len(whole) < 12:
        return False
    return any(c.isdigit() for c in whole) or (tail.isupper() and head.isupper())


def _spaced(text: str) -> Iterator[Piece]:
    """The gaps of values that are written with one between all characters: A K I A, 4.1.1.1"""
    flat = text.encode("ascii", "replace")
    spaced, joined = flat.translate(_ANY_LETTER), flat.translate(_LETTERS)
    for n, (pattern, sign) in enumerate(zip(_SPACED, _SIGNS, strict=True)):
        if sign not in (joined if n else spaced):
            continue
        for match in pattern.finditer(text):
            yield from (Piece(at, at + 1, "") for at in range(match.start() + 1, match.end(), 2))
