"""Characters that only look like others, or like nothing, as the ASCII that a person or model reads in them.

Text that is all ASCII costs nothing, and of other text only the stretches that are not. The tables come from
Python's own Unicode data (UAX #15 compatibility decompositions, UAX #44 categories); look-alikes of other
scripts follow https://www.unicode.org/Public/security/latest/confusables.txt.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache

import regex

from tollgate.dlp.views.signs import CONTROLS, Signs
from tollgate.dlp.views.view import Piece

_NOT_ASCII = regex.compile(r"[^\x00-\x7f]+")  # no other engine is as fast at this
_FEW = 50
"""Up to one foreign character in so many is looked at by itself."""
_MOST = 16 * 1024
"""Characters that are searched at once: a millisecond's work."""
_ASTRAL = "\U00010000"
_LAST = 0x20000
"""From it on there are only ideographs, private use, and the invisible characters listed below."""

_INVISIBLE = (
    *"\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0",
    *map(chr, range(0x180B, 0x1810)),
    *map(chr, range(0xFE00, 0xFE10)),  # variation selectors
    *map(chr, range(0xE0000, 0xE1000)),  # tags, more variation selectors
)
_COMBINING = ((0x300, 0x36F), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F))
_HYPHENS = "\u2010\u2011\u2012\u2013\u2043\u2212\ufe58"
_LONG_DASHES = "\u2014\u2015"
_WIDE_SIGNS = "".join(map(chr, (*range(0xFF01, 0xFF10), *range(0xFF1A, 0xFF21), *range(0xFF3B, 0xFF41))))
_OF_VALUE = re.compile("[A-Za-z0-9\uff01-\uff5e]")

_LATIN = dict(zip("ɡıɑɩᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ", "giaiABCDEFGHIJKLMNOPRSTUVWYZ", strict=True))
_LETTER_BLOCKS = ((0x1F150, "A"), (0x1F170, "A"), (0x1F1E6, "A"))
"""First characters of alphabets that have no decomposition: circled, squared, regional indicators."""
_LOOKALIKES = dict(
    zip(
        "аАВсСеЕһНіІјЈкКмМоОрРԛѕЅтТуУԝхХѵԁӏЗαΑΒεΕΖηΗιΙκΚΜνΝοΟρΡτΤυΥΧγωԍցһոօսԱՕᎠᎡᎢᎪᎫᎬᎳᎷᎻᏀᏃᏎᏚᏙᏞᏟᏢᏦᏴ",
        "aABcCeEhHiIjJkKmMoOpPqsStTyYwxXvdl3aABeEZnHiIkKMvNoOpPtTuYXywGghnouUODRTAJEWMHGZ4SVLCPKB",
        strict=True,
    )
)
"""Cyrillic, Greek, Armenian and Cherokee. They are folded only beside ASCII, else most Russian would be."""
_LOOKALIKE = f"[{''.join(_LOOKALIKES)}]"
_ANY_LOOKALIKE = re.compile(_LOOKALIKE)
_MIXED = re.compile(
    rf"(?<=[A-Za-z0-9@_]){_LOOKALIKE}++|(?<=[A-Za-z0-9]\.){_LOOKALIKE}++"
    rf"|(?<!{_LOOKALIKE}){_LOOKALIKE}++(?=[A-Za-z0-9@_])"
)
_SPELLING = "[\ufe00-\ufe0f\U000e0020-\U000e007e\U000e0100-\U000e01ef]"
_SMUGGLED = re.compile(f"{_SPELLING}{_SPELLING}{{3,}}")
"""Text written in invisible characters: tags spell ASCII, variation selectors spell bytes."""


def pieces(text: str, signs: Signs) -> Iterator[Piece]:
    """What is to be replaced or left out."""
    if signs.has_controls:
        yield from _controls(text)
    if not text.isascii():
        for start, end in _telling_stretches(text, signs):
            yield from _folded(text, start, end)


def _controls(text: str) -> Iterator[Piece]:
    for control in map(chr, CONTROLS):
        at = text.find(control)
        while at >= 0:
            yield Piece(at, at + 1, "")
            at = text.find(control, at + 1)


def _telling_stretches(text: str, signs: Signs) -> Iterator[tuple[int, int]]:
    """The stretches of a text in which there is anything to be read in another way."""
    for stretch in _foreign(text, signs):
        for start, end in _parted(text, *stretch):
            if _telling().search(text, start, end):
                yield start, end


def _foreign(text: str, signs: Signs) -> Iterable[tuple[int, int]]:
    """The stretches of a text that are not ASCII; all of it where these are many."""
    if signs.ascii.count(b"?") * _FEW > len(text):
        return [(0, len(text))]
    return (match.span() for match in _NOT_ASCII.finditer(text, concurrent=True))


def _parted(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A stretch in parts, cut at white space: while one is searched no other thread goes on."""
    while end - start > _MOST:
        near = start + _MOST
        cut = max(text.rfind(" ", start, near), text.rfind("\n", start, near)) + 1 or near
        yield start, cut
        start = cut
    yield start, end


def _folded(text: str, start: int, end: int) -> Iterator[Piece]:
    for match in _SMUGGLED.finditer(text, start, end):
        yield Piece(*match.span(), _spelled(match[0]))
    folds = _folds()
    for match in _foldable().finditer(text, start, end):
        if (fold := folds.get(match[0])) is not None and _reads(text, match.start()):
            yield Piece(*match.span(), fold)
    mixed = _MIXED.finditer(text, start, end + 1)  # what follows tells, too
    for match in mixed if _ANY_LOOKALIKE.search(text, start, end) else ():
        yield from (Piece(at, at + 1, _LOOKALIKES[text[at]]) for at in range(*match.span()))


def _reads(text: str, at: int) -> bool:
    """Dashes, spaces and wide punctuation count only where a value goes on around them."""
    if text[at] in _LONG_DASHES:
        return text[at - 1 : at].isdecimal() and text[at + 1 : at + 2].isdecimal()
    if text[at] in _HYPHENS or text[at].isspace():
        return text[at - 1 : at].isalnum() and text[at + 1 : at + 2].isalnum()
    if text[at] in _WIDE_SIGNS:  # the punctuation of all Chinese text
        return _OF_VALUE.search(text[max(0, at - 1) : at] + text[at + 1 : at + 2]) is not None
    return True


def _spelled(run: str) -> str:
    return bytes(map(_byte, map(ord, run))).decode("utf-8", "replace")


def _byte(code: int) -> int:
    """What a tag or a variation selector spells."""
    if code < 0xE0000:
        return code - 0xFE00
    return code - 0xE0000 if code < 0xE0100 else code - 0xE0100 + 16


@cache
def _foldable() -> re.Pattern[str]:
    """What may have a fold. All beyond the basic plane may: a class that lists them is slow to search."""
    return re.compile(f"[{_foldable_characters()}]")


@cache
def _telling() -> re.Pattern[str]:
    """What may be read in another way: all that has a fold, and look-alikes."""
    return re.compile(f"[{_foldable_characters()}{''.join(_LOOKALIKES)}]")


def _foldable_characters() -> str:
    """For a class."""
    return f"{''.join(char for char in _folds() if char < _ASTRAL)}{_ASTRAL}-\U0010ffff"


@cache
def _folds() -> dict[str, str]:
    """What each character is read as, context aside; made at first use."""
    folds = {char: fold for code in range(0x80, _LAST) if (fold := _read_as(char := chr(code))) is not None}
    folds.update(_LATIN)
    folds.update(dict.fromkeys(_HYPHENS + _LONG_DASHES, "-"))
    folds.update(dict.fromkeys(_INVISIBLE, ""))
    for first, last in _COMBINING:
        folds.update(dict.fromkeys(map(chr, range(first, last + 1)), ""))
    for first, letter in _LETTER_BLOCKS:
        folds.update((chr(first + n), chr(ord(letter) + n)) for n in range(26))
    return folds


def _read_as(char: str) -> str | None:
    if unicodedata.category(char) == "Cf":
        return ""
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    if char.isspace():
        return " "
    fold = unicodedata.normalize("NFKC", char)
    return fold if fold.isascii() and (len(fold) == 1 or fold.isalnum()) else None
