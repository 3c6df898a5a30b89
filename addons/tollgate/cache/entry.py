"""A kept answer, and how it is written down. Pure.

One line of JSON says what it is; behind it stand the bytes of a whole answer, or of the events of a stream,
one after the other. All of it is compressed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson

from tollgate.calls import Event, Usage

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

VERSION = 1
_LEVEL = 3
_LARGEST = 2**28
"""Bytes that an entry may decompress to."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An event of a kept stream."""

    after: int
    """Milliseconds after the head of the answer."""
    name: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An answer as it was when it came, with tokens in place of what was redacted."""

    created: float
    """Seconds since 1970."""
    ttl: float
    """Seconds that it is given again without a question."""
    dialect: str
    provider: str
    operation: str
    model: str
    """That was asked for."""
    answered_model: str = ""
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    """What of its headers is given again."""
    body: bytes = b""
    """Of a whole answer."""
    pieces: tuple[Piece, ...] = ()
    """Of a streamed one."""
    form: str = ""
    """Options of the request that shaped the stream, as `forms` spells them."""
    usage: dict[str, Any] = field(default_factory=dict)
    tag: str = ""
    ids: tuple[str, ...] = ()
    """Ids in it that are new in every answer."""
    tokens: tuple[str, ...] = ()
    """The stand-ins for redacted values that stand in it, in lower case."""

    @property
    def streamed(self) -> bool:
        return bool(self.pieces)

    @property
    def size(self) -> int:
        return len(self.body) + sum(len(piece.data) for piece in self.pieces)

    def used(self) -> Usage | None:
        return Usage(**self.usage) if self.usage else None

    def events(self) -> list[Event]:
        return [Event(piece.data, piece.name) for piece in self.pieces]


def pieces_of(events: Sequence[tuple[float, Event]]) -> tuple[Piece, ...]:
    """Events with the seconds after the head at which they came."""
    return tuple(
        Piece(int(after * 1000), event.name, event.data) for after, event in events if event.data is not None
    )


def compressor() -> Callable[[bytes], bytes]:
    """Compresses one entry after the other, on one thread: to make one for each costs more than its work."""
    made = zstd.ZstdCompressor(level=_LEVEL)
    return partial(made.compress, mode=made.FLUSH_FRAME)


def to_bytes(entry: Entry, compress: Callable[[bytes], bytes]) -> bytes:
    told = {name: getattr(entry, name) for name in _TOLD}
    told["v"] = VERSION
    told["events"] = [(p.after, p.name, len(p.data)) for p in entry.pieces]
    parts = [orjson.dumps(told), b"\n", entry.body, *(p.data for p in entry.pieces)]
    return compress(b"".join(parts))


def from_bytes(data: bytes) -> Entry | None:
    """The entry; None where this is none, or one of another version."""
    try:
        whole = zstd.ZstdDecompressor()
        plain = whole.decompress(data, max_length=_LARGEST)
        if not whole.eof:
            return None
        head, _, rest = plain.partition(b"\n")
        told = orjson.loads(head)
        if told.pop("v") != VERSION:
            return None
        return _read(told, rest)
    except (zstd.ZstdError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _read(told: dict[str, Any], rest: bytes) -> Entry:
    pieces = []
    at = 0
    for after, name, length in told.pop("events"):
        pieces.append(Piece(after, name, rest[at : at + length]))
        at += length
    told["headers"] = tuple((name, value) for name, value in told["headers"])
    told["tokens"], told["ids"] = tuple(told["tokens"]), tuple(told["ids"])
    return Entry(**told, body=rest[at:] if not pieces else b"", pieces=tuple(pieces))


def usage_of(usage: Usage | None) -> dict[str, Any]:
    """What was used, as it is written down."""
    return usage.as_dict() if usage else {}


_TOLD = (
    *("created", "ttl", "dialect", "provider", "operation", "model", "answered_model", "status", "headers"),
    *("form", "usage", "tag", "ids", "tokens"),
)
