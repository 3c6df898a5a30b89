"""Where a text may hold something: one fast scan for many patterns, so that slow judges look at windows only.

Texts are folded to one byte per character and patterns are loosened to match: what is found is a superset of
what the patterns find, and an index in the bytes is an index in the text. Hyperscan scans for all patterns at
once; where its package is missing, google-re2 scans for one after the other.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from hashlib import blake2b
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import regex

try:
    hyperscan: Any = import_module("hyperscan")
except ImportError:  # it has wheels for Linux, macOS and Windows on x86-64, and for the first two on ARM
    hyperscan = None


class Letters(StrEnum):
    r"""What \w, \d, \s and \b mean to the patterns."""

    ANY = "any"
    """All of Unicode, as in `regex` by default."""
    ASCII = "ascii"
    """ASCII, as in `regex` with its flag ASCII: in "密钥sk-…" the key begins a word."""


class Expression(NamedTuple):
    """A pattern to look for."""

    pattern: str
    """In the syntax of `regex`."""
    flags: int = 0
    """Of `regex`: IGNORECASE, DOTALL, MULTILINE; others do not matter here."""


class Prefilter(Protocol):
    """Many expressions, compiled. Safe to use from several threads at once."""

    @property
    def unfiltered(self) -> Collection[int]:
        """Numbers of expressions that the engine cannot compile: what they find may be anywhere."""

    def ends(self, text: str) -> Mapping[int, Sequence[int]]:
        """By number of expression, about where its matches end; none that cannot match."""


# -- texts and patterns ------------------------------------------------------------------------------------

_FOREIGN = regex.compile(r"[^\x00-\x7f]+")
_AT_ONCE = 4096
"""Foreign characters that are folded before another thread may go on."""
_ODD_CASES = {"ſ": "s", "\u212a": "k", "ı": "i", "İ": "i"}  # what IGNORECASE takes for an ASCII letter


class _Folding(dict[int, str]):
    """Foreign characters as ASCII ones of the same class; letters as "_", which few patterns name."""

    def __missing__(self, code: int) -> str:
        folded = self[code] = _fold_character(chr(code))
        return folded


def _fold_character(character: str) -> str:
    if character.isdecimal():
        return str(int(character))
    if character.isspace():
        return " "
    if regex.match(r"\w", character):
        return _ODD_CASES.get(character, "_")
    return "\x80"


def _fold_to_classes(foreign: str) -> str:
    if len(foreign) <= _AT_ONCE:
        return foreign.translate(_FOLDING)
    parts = range(0, len(foreign), _AT_ONCE)
    return "".join(foreign[at : at + _AT_ONCE].translate(_FOLDING) for at in parts)


_FOLDING = _Folding()
_FOLDS: Mapping[Letters, Callable[[str], str]] = {
    Letters.ANY: _fold_to_classes,
    Letters.ASCII: lambda foreign: "\x80" * len(foreign),
}


def fold(text: str, letters: Letters) -> bytes:
    """The text with one byte for each character."""
    if text.isascii():
        return text.encode()
    fold_run = _FOLDS[letters]
    replaced: str = _FOREIGN.sub(lambda match: fold_run(match[0]), text)
    return replaced.encode("latin-1")


_PIECE = regex.compile(r"\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\]|\(\?<?[=!]|.", regex.DOTALL)
_ANY = r"[\x00-\xff]"


def loosen(pattern: str, letters: Letters) -> bytes:
    """A pattern for folded texts that matches wherever this one does, and perhaps elsewhere: without
    lookarounds, which neither engine has."""
    pieces, depth, inside = [], 0, 0  # `inside` is the depth at which a lookaround began
    for piece in _PIECE.findall(pattern):
        depth += piece.startswith("(") - (piece == ")")
        if piece.startswith(("(?=", "(?!", "(?<=", "(?<!")) and not inside:
            inside = depth
        if not inside:
            pieces.append(_ANY if _excludes_letters(piece, letters) else piece)
        elif piece == ")" and depth < inside:
            inside = 0
    return fold("".join(pieces), letters)


def _excludes_letters(piece: str, letters: Letters) -> bool:
    """Whether this is a class such as [^_], to which folding would lose the letters."""
    return letters is Letters.ANY and piece.startswith("[^") and "_" in piece


# -- engines -----------------------------------------------------------------------------------------------

_INLINE = {regex.IGNORECASE: "i", regex.DOTALL: "s", regex.MULTILINE: "m"}


def build_prefilter(
    expressions: Sequence[Expression], cache: Path, letters: Letters = Letters.ANY
) -> Prefilter:
    """The best engine there is. `cache` is a folder of our own. ImportError where there is none."""
    if hyperscan is not None:
        return HyperscanPrefilter(expressions, cache, letters)
    return Re2Prefilter(expressions, letters)


def _ready(expressions: Iterable[Expression], letters: Letters) -> list[bytes]:
    """The loosened patterns, with their flags inline."""
    return [
        b"(?" + "".join(name for flag, name in _INLINE.items() if flags & flag).encode() + b":" + loose + b")"
        for pattern, flags in expressions
        for loose in [loosen(pattern, letters)]
    ]


class HyperscanPrefilter:
    """All expressions in one database, kept on disk: to compile it takes seconds, to load it none."""

    def __init__(
        self, expressions: Sequence[Expression], cache: Path, letters: Letters = Letters.ANY
    ) -> None:
        self._letters = letters
        patterns = _ready(expressions, letters)
        file = cache / f"prefilter-{_fingerprint(patterns)}.hs"
        self._database, self.unfiltered = _load(file) or _compile_and_keep(patterns, file)
        self._scratches: list[Any] = [hyperscan.Scratch(self._database)] if self._database else []
        """Hyperscan's working memory, as many as there were scans at once: two cannot share one."""

    def ends(self, text: str) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        if self._database:
            data = fold(text, self._letters)
            scratch = self._scratch()
            self._database.scan(data, match_event_handler=_note, context=found, scratch=scratch)
            self._scratches.append(scratch)
        return found

    def _scratch(self) -> Any:
        try:
            return self._scratches.pop()
        except IndexError:
            return hyperscan.Scratch(self._database)


def _note(number: int, _start: int, end: int, _flags: int, found: Any) -> None:
    found.setdefault(number, []).append(end)


def _fingerprint(patterns: Iterable[bytes]) -> str:
    """Of all that a database depends on."""
    parts = [
        version("hyperscan"),
        platform.system(),
        platform.machine(),
        *(pattern.hex() for pattern in patterns),
    ]
    return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


def _load(file: Path) -> tuple[Any, frozenset[int]] | None:
    """The database in a file; None where there is none that this machine can use."""
    try:
        head, _, blob = file.read_bytes().partition(b"\n")
        database = hyperscan.loadb(blob, hyperscan.HS_MODE_BLOCK) if blob else None
        if database:
            hyperscan.Scratch(database)  # fails for another kind of processor
        return database, frozenset(json.loads(head))
    except (OSError, ValueError, hyperscan.error):
        return None


def _compile_and_keep(patterns: Sequence[bytes], file: Path) -> tuple[Any, frozenset[int]]:
    unfiltered: frozenset[int] = frozenset()
    database = _compile(patterns, range(len(patterns)))
    if database is None:
        unfiltered = frozenset(n for n, pattern in enumerate(patterns) if _compile([pattern], [n]) is None)
        kept = [n for n in range(len(patterns)) if n not in unfiltered]
        database = _compile([patterns[n] for n in kept], kept)
    blob = hyperscan.dumpb(database) if database else b""
    write_whole(file, json.dumps(sorted(unfiltered)).encode() + b"\n" + blob)
    return database, unfiltered


def _compile(patterns: Sequence[bytes], numbers: Sequence[int]) -> Any:
    """A database; None where a pattern does not compile, or there is none."""
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    flags = [hyperscan.HS_FLAG_PREFILTER] * len(patterns)
    try:
        database.compile(expressions=list(patterns), ids=list(numbers), elements=len(patterns), flags=flags)
    except hyperscan.error:
        return None
    return database


def write_whole(file: Path, content: bytes) -> None:
    """Writes a file of the cache so that nobody ever reads a part of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".draft-")
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    os.replace(draft, file)


_ROUNDS = 64
"""How often RE2 is asked for matches that overlap; in each round there are fewer."""
_LONGEST_WORD = 4096
"""Bytes of a word that are looked at."""
_LAST_WORD = regex.compile(rb"[A-Za-z0-9]*[^A-Za-z0-9]?$")
_FIRST_WORD = regex.compile(rb"[^A-Za-z0-9]?[A-Za-z0-9]*")


class Re2Prefilter:
    """Each expression on its own: several times slower with many of them, but never quadratic."""

    def __init__(self, expressions: Sequence[Expression], letters: Letters = Letters.ANY) -> None:
        self._letters = letters
        found = {n: _compile_re2(pattern) for n, pattern in enumerate(_ready(expressions, letters))}
        self._compiled = {n: compiled for n, compiled in found.items() if compiled is not None}
        self.unfiltered = frozenset(found) - frozenset(self._compiled)

    def ends(self, text: str) -> dict[int, list[int]]:
        data = fold(text, self._letters)
        found = {}
        for number, compiled in self._compiled.items():
            if ends := list(_places(compiled, data)):
                found[number] = ends
        return found


def _places(compiled: Any, data: bytes) -> Iterator[int]:
    """Where matches begin and end. Of those that overlap RE2 gives one only, but behind one telling word
    there may be several numbers, or several before it: so it is asked again without the last words of what it
    gave, and without the first ones."""
    for take_out in (_last_word, _first_word):
        rest = bytearray(data)
        for _ in range(_ROUNDS):
            spans = [match.span() for match in compiled.finditer(bytes(rest))]
            if not spans:
                break
            for start, end in spans:
                yield from (start, end)
                gone = take_out(data, start, end)
                rest[gone] = b"\0" * (gone.stop - gone.start)
        else:
            yield from range(len(data) + 1)  # there may be more


def _last_word(data: bytes, start: int, end: int) -> slice:
    """Where the last word of a match stands, with what the match may have behind it."""
    near = data[max(start, end - _LONGEST_WORD) : end]
    found = _LAST_WORD.search(near)
    return slice(end - len(near) + (found.start() if found else 0), end)


def _first_word(data: bytes, start: int, end: int) -> slice:
    """Where the first one stands, with what the match may have before it."""
    found = _FIRST_WORD.match(data, start, min(end, start + _LONGEST_WORD))
    return slice(start, found.end() if found else end)


def _compile_re2(pattern: bytes) -> Any:
    """The pattern; None where RE2 has no such syntax, or where it matches nothing at all everywhere."""
    re2: Any = import_module("re2")
    options = re2.Options()
    options.encoding, options.log_errors = re2.Options.Encoding.LATIN1, False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        return None
    return None if compiled.search(b"") else compiled
