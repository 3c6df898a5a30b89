"""A kept answer, and how it is written down. Pure.

One line of JSON says what it is; behind it stand the bytes of a whole answer, or of the events of a stream,
one after the other. All of it is compressed, unless it is small.
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
_SMALL = 2048
"""Bytes up to which an entry is not compressed: that would take longer than all else about it."""
_COMPRESSED = b"\x28\xb5\x2f\xfd"
"""What zstd begins with: https://www.rfc-editor.org/rfc/rfc8878#section-3.1.1. A head begins with a brace."""
_LARGEST = 2**28
"""Bytes that an entry may decompress to."""


@dataclass(frozen=True, slots=True)
class Piece:
    """An event of a kept stream."""

    after: int
    """Milliseconds after the head of the answer."""
    name: str
    data: bytes


@dataclass(slots=True, kw_only=True)
class Entry:
    """An answer as it was when it came, with tokens in place of what was redacted. Nobody changes it; to
    make a frozen one takes three times as long."""

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
    rest = entry.body or b"".join([p.data for p in entry.pieces])
    told = {
        "created": entry.created,
        "ttl": entry.ttl,
        "dialect": entry.dialect,
        "provider": entry.provider,
        "operation": entry.operation,
        "model": entry.model,
        "answered_model": entry.answered_model,
        "status": entry.status,
        "headers": entry.headers,
        "form": entry.form,
        "usage": entry.usage,
        "tag": entry.tag,
        "ids": entry.ids,
        "tokens": entry.tokens,
        "v": VERSION,
        "size": len(rest),
        "events": [(p.after, p.name, len(p.data)) for p in entry.pieces],
    }
    plain = b"%b\n%b" % (orjson.dumps(told), rest)
    return plain if len(plain) <= _SMALL else compress(plain)


def from_bytes(data: bytes) -> Entry | None:
    """The entry; None where this is none, or one of another version."""
    try:
        head, _, rest = _plain(data).partition(b"\n")
        told = orjson.loads(head)
        return _read(told, rest) if told.pop("v") == VERSION else None
    except (zstd.ZstdError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _plain(data: bytes) -> bytes:
    """ValueError where it was cut off, or is larger than an entry can be."""
    if not data.startswith(_COMPRESSED):
        return data
    whole = zstd.ZstdDecompressor()
    plain = whole.decompress(data, max_length=_LARGEST)
    if not whole.eof:
        raise ValueError("an entry that does not end")
    return plain


def _read(told: dict[str, Any], rest: bytes) -> Entry:
    if told.pop("size", len(rest)) != len(rest):
        raise ValueError("an entry that was cut off")
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
