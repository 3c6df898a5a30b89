"""Members of JSON objects, changed byte-exactly: all bytes but theirs stay as they came in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

type Changes = Mapping[str, bytes | Changes | None]
"""Key → JSON to stand there, None to take the member away, or the changes within the object there (which is
made where nothing stands)."""

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],]', re.DOTALL)
_SPACE = b" \t\r\n"


class Member(NamedTuple):
    """One member of an object; all numbers are places in the text."""

    key: str
    start: int
    """Of its key."""
    value: int
    end: int
    """Behind its value."""


def changed(content: bytes, changes: Changes) -> bytes:
    """The JSON text of an object with these changes. ValueError where it is no object."""
    start = len(content) - len(content.lstrip(_SPACE))
    if content[start : start + 1] != b"{":
        raise ValueError("the JSON is no object")
    out: list[bytes] = []
    done = 0
    for place, end, text in _edits(content, start, changes):
        out += (content[done:place], text)
        done = end
    return b"".join((*out, content[done:]))


def members(content: bytes, start: int) -> list[Member]:
    """The members of the object that begins at a place of a valid JSON text."""
    found: list[Member] = []
    depth, key, value = 0, b"", -1
    at = start
    for token in _TOKEN.finditer(content, start):
        byte = content[token.start()]
        if byte == 0x22:  # a string
            if depth == 1 and value < 0:
                at, key = token.start(), token[0]
                value = _skip(content, content.index(b":", token.end()) + 1)
        elif byte in b"{[":
            depth += 1
        elif depth == 1:  # a comma, or the end
            if value >= 0:
                end = len(content[value : token.start()].rstrip(_SPACE)) + value
                found.append(Member(orjson.loads(key), at, value, end))
                value = -1
            if byte != 0x2C:
                break
        elif byte != 0x2C:
            depth -= 1
    return found


def _edits(content: bytes, start: int, changes: Changes) -> Iterator[tuple[int, int, bytes]]:
    """(from, to, text in its place), in order."""
    there = members(content, start)
    kept = 0
    for number, member in enumerate(there):
        change = changes.get(member.key, b"")
        if change is None:
            yield _removal(there, number, kept)
            continue
        kept += 1
        if member.key not in changes:
            continue
        if isinstance(change, bytes):
            yield member.value, member.end, change
        elif content[member.value] == 0x7B:  # an object
            yield from _edits(content, member.value, change)
        else:
            yield member.value, member.end, written(change)
    known = {member.key for member in there}
    if added := written({key: value for key, value in changes.items() if key not in known})[1:-1]:
        place = there[-1].end if there else start + 1
        yield place, place, b",%b" % added if kept else added


def _removal(there: list[Member], number: int, kept: int) -> tuple[int, int, bytes]:
    """A member goes with the comma before it, or, where nothing is kept before it, behind it."""
    member = there[number]
    if kept:
        return there[number - 1].end, member.end, b""
    last = number + 1 == len(there)
    return member.start, member.end if last else there[number + 1].start, b""


def written(changes: Changes) -> bytes:
    """An object with only these members; no objects in which nothing would stand."""
    parts = []
    for key, value in changes.items():
        if isinstance(value, Mapping):
            value = None if (text := written(value)) == b"{}" else text
        if value is not None:
            parts.append(b"%b:%b" % (orjson.dumps(key), value))
    return b"{%b}" % b",".join(parts)


def _skip(content: bytes, place: int) -> int:
    while content[place] in _SPACE:
        place += 1
    return place
