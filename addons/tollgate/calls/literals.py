"""The string literals in the bytes of a JSON text, by their ordinals: from 0, keys included.

Nearly all of it runs in C: bodies have a megabyte.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from types import MappingProxyType

import orjson

_LITERAL = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_TRIES = 8
"""How often the same text may stand where it is not meant before literals are counted one by one."""
_HEAD = 64
"""So many bytes of a literal are looked for. To find a long text, Python would first study it for long."""
_NOTHING: Mapping[int, str] = MappingProxyType({})

type Patch = tuple[int, int, bytes]
"""Bytes from there to there, and what stands in their place."""


def count_literals(content: bytes) -> int:
    """How many string literals a valid JSON text has. Looks at no character twice."""
    return count_quotes(content) // 2


def count_quotes(content: bytes) -> int:
    """How many quotes begin or end a literal, in a text that begins outside of one."""
    if b'\\\\"' in content:  # the quote may be none that is escaped: the backslash is
        content = content.replace(b"\\\\", b"")
    return content.count(b'"') - content.count(b'\\"')


def append(content: bytes, members: Mapping[str, bytes]) -> bytes:
    """The JSON text of an object with these members at its end."""
    if not members:
        return content
    head, brace, tail = content.rpartition(b"}")
    written = b",".join(b"%b:%b" % (orjson.dumps(key), value) for key, value in members.items())
    comma = b"" if head.rstrip().endswith(b"{") else b","
    return b"%b%b%b%b%b" % (head, comma, written, brace, tail)


def splice(content: bytes, edits: Mapping[int, str], before: Mapping[int, str] = _NOTHING) -> bytes:
    """The same JSON text with the literals of those ordinals replaced. Where it is known what stands in them
    `before`, they are found several times faster."""
    out: list[bytes] = []
    done = passed = 0
    find = Finder(content)
    for ordinal in sorted(edits):
        start, end = find.literal(done, ordinal - passed, before.get(ordinal))
        out += (content[done:start], orjson.dumps(edits[ordinal]))
        done, passed = end, ordinal + 1
    out.append(content[done:])
    return b"".join(out)


def patched(content: bytes, changes: Iterable[Patch]) -> bytes:
    """The content with these patches, which are given from left to right."""
    whole = memoryview(content)  # whose slices are no copies
    out: list[bytes | memoryview] = []
    done = 0
    for start, end, new in changes:
        out += (whole[done:start], new)
        done = end
    out.append(whole[done:])
    return b"".join(out)


def patches(start: int, end: int, text: str, pieces: Iterable[tuple[int, int, str]]) -> list[Patch]:
    """Pieces of a literal's text, from left to right, as patches. It stands there as orjson writes it."""
    at, done = start + 1, 0
    plain = end - start - 2 == len(text)
    made: list[Patch] = []
    for begin, stop, new in pieces:
        first = at + (begin - done if plain else _size(text[done:begin]))
        at = first + (stop - begin if plain else _size(text[begin:stop]))
        done = stop
        made.append((first, at, orjson.dumps(new)[1:-1]))
    return made


def _size(text: str) -> int:
    """Bytes that a text takes within a literal."""
    return len(orjson.dumps(text)) - 2


class Finder:
    """Finds literals, from left to right."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._is_ascii = content.isascii()
        self._as_usual = True
        """False once a text was written in a way that cannot be foreseen, such as "\\u0041"."""

    def literal(self, start: int, skipped: int, text: str | None) -> tuple[int, int]:
        """Where the literal stands, quotes included, before which `skipped` others come behind `start`."""
        if text is not None and self._as_usual:
            for at, end in self._places(start, text):
                if count_quotes(self._content[start:at]) == 2 * skipped:
                    return at, end
        return next(islice(_LITERAL.finditer(self._content, start), skipped, None)).span()

    def _places(self, start: int, text: str) -> Iterator[tuple[int, int]]:
        """Where it may stand; within other literals, too."""
        escaped = self._is_ascii and not text.isascii()
        written = json.dumps(text).encode() if escaped else orjson.dumps(text)
        head = written[:_HEAD]
        at = self._content.find(head, start)
        self._as_usual = at >= 0
        for _ in range(_TRIES):
            if at < 0:
                return
            if self._content.startswith(written, at):
                yield at, at + len(written)
            at = self._content.find(head, at + 1)
