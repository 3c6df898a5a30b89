"""Encodings of text within text: those that are undone in place, and runs that hold something else.

Candidates are found by what costs next to nothing: a literal that a regular expression begins with, or the
text's signs.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterable, Iterator
from html.entities import html5
from typing import NamedTuple

from tollgate.dlp.views.signs import Signs, matches
from tollgate.dlp.views.view import Piece

# -- undone in place -----------------------------------------------------------------------------------------

_HEX = "[0-9A-Fa-f]"
_PERCENT = "%(?:25)*"  # however often it was encoded again
_PERCENTS = re.compile(
    rf"{_PERCENT}(?:[0-7]{_HEX}|[CDcd]{_HEX}{_PERCENT}[89ABab]{_HEX}|[Ee]{_HEX}(?:{_PERCENT}[89ABab]{_HEX}){{2}}"
    rf"|[Ff][0-7](?:{_PERCENT}[89ABab]{_HEX}){{3}}|u{_HEX}{{4}})"
)
_ENTITIES = re.compile(rf"&(?:amp;)*(#\d{{1,7}};?|#[xX]{_HEX}{{1,6}};?|[A-Za-z][A-Za-z0-9]{{1,31}};)")
_ESCAPES = re.compile(
    rf"\\(?<!\\\\)\\*+(?:u([Dd][89ABab]{_HEX}{{2}})\\++u([Dd][C-Fc-f]{_HEX}{{2}})"
    rf"|(?:u({_HEX}{{4}})|u\{{({_HEX}{{1,6}})\}}|U({_HEX}{{8}})|x({_HEX}{{2}}))|([\"'/nrtbf]))"
)
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]*[0-Z\\-~])")
_QUOTED = re.compile(r"=(?:[0-9A-F]{2}=[0-9A-F]{2}=[0-9A-F]{2}|3D|40[\w-]+(?:\.|=2E))")
"""What nobody writes by chance in text that is not quoted-printable."""
_QUOTED_MORE = r"(?:=\r?\n)?=[89AB][0-9A-F]"
_QUOTED_PIECES = re.compile(
    rf"=(?:\r?\n|[0-7][0-9A-F]|[CD][0-9A-F]{_QUOTED_MORE}|E[0-9A-F](?:{_QUOTED_MORE}){{2}}"
    rf"|F[0-7](?:{_QUOTED_MORE}){{3}})"
)
_OCTALS = re.compile(r"\\0?[01][0-7]{2}(?:\\0?[01][0-7]{2}){3,}")
_NUMBER = r"(?:0[xX][2-7][0-9A-Fa-f]|3[2-9]|[4-9]\d|1[01]\d|12[0-6])"
"""The code of a character of ASCII that can be seen."""
_LIST = re.compile(rf"\[{_NUMBER}(?:,\s?{_NUMBER}){{7,}}\]")
_CODES = re.compile(r"0[xX][2-7][0-9A-Fa-f]|\d+")
_CONTROL = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


def _percent(match: re.Match[str]) -> str:
    if "u" in match[0]:
        return _char(match[0][-4:])
    return _bytes(hexes[-2:] for hexes in match[0].split("%")[1:])


def _entity(match: re.Match[str]) -> str:
    return html.unescape(f"&{match[1]}") if match[1][0] == "#" else html5.get(match[1], match[0])


def _escape(match: re.Match[str]) -> str:
    if match[1]:
        return chr(0x10000 + ((int(match[1], 16) & 0x3FF) << 10) + (int(match[2], 16) & 0x3FF))
    if letter := match[7]:
        return _CONTROL.get(letter, letter)
    return _char(match[3] or match[4] or match[5] or match[6])


def _quoted(match: re.Match[str]) -> str:
    return _bytes(pair.strip() for pair in match[0].split("=")[1:])


def _octal(match: re.Match[str]) -> str:
    return "".join(chr(int(code, 8)) for code in match[0].split("\\")[1:])


def _codes(match: re.Match[str]) -> str:
    return "".join(chr(int(code, 0)) for code in _CODES.findall(match[0]))


def _bytes(pairs: Iterable[str]) -> str:
    return bytes.fromhex("".join(pairs)).decode("utf-8", "replace")


def _char(code: str) -> str:
    """A character by its number; what is none, half a surrogate pair too, becomes U+FFFD."""
    number = int(code, 16)
    return chr(number) if number < 0xD800 or 0xE000 <= number < 0x110000 else "\ufffd"


class _Encoding(NamedTuple):
    name: str
    sign: str
    """A text without it has nothing of this encoding."""
    pieces: re.Pattern[str]
    decode: Callable[[re.Match[str]], str]
    evident: re.Pattern[str] | None = None
    """What has to be there besides, where pieces come about by chance."""


_ENCODINGS = (
    _Encoding("percent", "%", _PERCENTS, _percent),
    _Encoding("html", "&", _ENTITIES, _entity),
    _Encoding("escapes", "\\", _ESCAPES, _escape),
    _Encoding("quoted-printable", "=", _QUOTED_PIECES, _quoted, _QUOTED),
    _Encoding("octal", "\\", _OCTALS, _octal, re.compile(r"\\0?[01][0-7]{2}\\0?[01][0-7]{2}")),
    _Encoding("codes", "[", _LIST, _codes, re.compile(rf"\[{_NUMBER},\s?{_NUMBER},")),
    _Encoding("terminal", "\x1b", _TERMINAL, lambda match: ""),
)


def pieces(text: str) -> Iterator[tuple[str, list[Piece]]]:
    """What can be decoded in place, by encoding. Escapes are those of JSON and programming languages."""
    for encoding in _ENCODINGS:
        if encoding.sign not in text or (encoding.evident and not encoding.evident.search(text)):
            continue
        decoded = (
            Piece(*m.span(), encoding.decode(m)) for m in matches(encoding.pieces, encoding.sign, text)
        )
        if found := [piece for piece in decoded if piece.text != text[piece.start : piece.end]]:
            yield encoding.name, found


# -- runs that hold something else ---------------------------------------------------------------------------


class Run(NamedTuple):
    """A run of characters that may be an encoding of something."""

    start: int
    end: int
    name: str
    data: bytes


_URL_SAFE = bytes.maketrans(b"-_", b"+/")
_HEX_DIGITS = re.compile(b"(?:0x)?([0-9A-Fa-f]+)")
_BASE32 = re.compile(b"(?=[A-Z]*[2-7])[A-Z2-7]{16,}")
_SHORT_NAME, _LONG_NAME = 16, 64
_NEXT_LINE = re.compile(r"\r?\n[ \t]*+")
_AFTER_LINE = re.compile(r"=|[ \t]*+(?:\r?\n|\Z)")
_WRAPPED_FROM = 40
"""Encoders wrap at 60, 64 or 76 characters."""


def runs(
    text: str, signs: Signs, shortest: int, promising: Callable[[bytes], bool], dull: set[bytes]
) -> Iterator[Run]:
    """Runs of at least that many characters, as what they would be in hex or base64; wrapped ones whole.
    Only those of which that is `promising`: names are runs too, and the same ones come again and again.
    `dull` are words that are none wherever they stand, and takes in more of them."""
    flat, found = signs.runs(shortest)
    done = 0
    for start, end in found:
        if start < done or (word := signs.ascii[start:end]) in dull:
            continue
        if not _is_name(word):
            done = _whole(text, flat, start, end)
            name, data = _decoded(word if done == end else b"".join(signs.ascii[start:done].split()))
            if promising(data):
                yield Run(start, done, name, data)
                continue
        if end - start < _WRAPPED_FROM:  # longer ones may go on in the next line, or not
            dull.add(word)


def _is_name(run: bytes) -> bool:
    """True for names and paths, most of what there is: no capital in base64 is as rare as it gets."""
    return run.islower() and _SHORT_NAME <= len(run) < _LONG_NAME and not _HEX_DIGITS.fullmatch(run)


def _whole(text: str, flat: bytes, start: int, end: int) -> int:
    """The end of a run with the lines of the same width that follow it, and its padding."""
    width = end - start
    if width < _WRAPPED_FROM and not text.startswith("=", end):
        return end
    while width >= _WRAPPED_FROM and (line := _NEXT_LINE.match(text, end)):
        stop = flat.find(b" ", line.end(), line.end() + width + 1)
        length = (stop if stop >= 0 else len(flat)) - line.end()
        if not 0 < length <= width or not _AFTER_LINE.match(text, line.end() + length):
            break
        end = line.end() + length
        if length < width:
            break
    return end + len(text[end : end + 2]) - len(text[end : end + 2].lstrip("="))


def _decoded(run: bytes) -> tuple[str, bytes]:
    """What a run without line ends is in hex or base64, and which of them."""
    run = run.rstrip(b"=")
    if digits := _HEX_DIGITS.fullmatch(run):
        return "hex", binascii.unhexlify(digits[1][: len(digits[1]) & ~1])
    if run.isupper() and _BASE32.fullmatch(run):
        whole = run[: len(run) - (len(run) % 8 in (1, 3, 6))]
        return "base32", base64.b32decode(whole + b"=" * (-len(whole) % 8))
    usable = run[:-1] if len(run) % 4 == 1 else run
    padded = usable.translate(_URL_SAFE) + b"=" * (-len(usable) % 4)
    return "base64", binascii.a2b_base64(padded)
