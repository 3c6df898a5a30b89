"""Content-encodings undone piece by piece, with a bound on what comes out.

9 KB of zstd can become 300 MB, so nothing is decoded in one go: each step makes at most `STEP` bytes.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

STEP = 256 * 1024
"""Bytes that one decompression step makes at the most."""

_MAX_STACK = 4
_CODING = re.compile("[a-z-]{1,24}")
"""A name that may be told. What else stands in its place may be anything, and errors go on record."""
_ZSTD_OPTIONS = {int(zstd.DecompressionParameter.window_log_max): 27}  # 128 MB, what browsers allow


class CodingError(ValueError):
    """A body that cannot be decoded; `code` says why, for machines."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Decompressor(Protocol):
    def feed(self, data: bytes) -> Iterator[bytes]: ...

    def finished(self) -> bool:
        """True where the stream came to its own end."""


class _Zlib:
    """gzip (several members too) and deflate, which some send with a zlib header and some without."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._z = zlib.decompressobj(wbits)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        if not self._begun and data:
            self._begun = True
            if self._wbits == zlib.MAX_WBITS and data[0] & 0x0F != zlib.DEFLATED:
                self._z = zlib.decompressobj(-zlib.MAX_WBITS)
        while data:
            if self._z.eof:
                self._z = zlib.decompressobj(self._wbits)
            if out := self._z.decompress(data, STEP):
                yield out
            data = self._z.unconsumed_tail or self._z.unused_data

    def finished(self) -> bool:
        return self._z.eof or not self._begun


class _Brotli:
    def __init__(self) -> None:
        self._b = brotli.Decompressor()
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        if out := self._b.process(data, output_buffer_limit=STEP):
            yield out
        while not self._b.can_accept_more_data():
            if out := self._b.process(b"", output_buffer_limit=STEP):
                yield out

    def finished(self) -> bool:
        return not self._begun or bool(self._b.is_finished())


class _Zstd:
    def __init__(self) -> None:
        self._z = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
        self._begun = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._begun = self._begun or bool(data)
        while data or not (self._z.eof or self._z.needs_input):
            if self._z.eof:
                self._z = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
            if out := self._z.decompress(data, max_length=STEP):
                yield out
            data = self._z.unused_data if self._z.eof else b""

    def finished(self) -> bool:
        return self._z.eof or not self._begun


_DECOMPRESSORS: dict[str, Callable[[], Decompressor]] = {
    "gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "x-gzip": lambda: _Zlib(zlib.MAX_WBITS | 16),
    "deflate": lambda: _Zlib(zlib.MAX_WBITS),
    "br": _Brotli,
    "zstd": _Zstd,
}


IDENTITY = frozenset(("", "identity"))
_BROKEN = (zlib.error, brotli.error, zstd.ZstdError)


class ContentDecoder:
    """Undoes a content-encoding, stacked ones too ("gzip, br"), piece by piece.

    CodingError where the encoding is unknown ("unknown_encoding"), the data broken ("broken_encoding"), or
    more than `limit` bytes come out ("too_large").
    """

    def __init__(self, encoding: str, limit: int) -> None:
        names = [n for part in encoding.lower().split(",") if (n := part.strip()) not in IDENTITY]
        if unknown := [n for n in names if n not in _DECOMPRESSORS]:
            known = ", ".join(_DECOMPRESSORS)
            name = repr(unknown[0]) if _CODING.fullmatch(unknown[0]) else "of that name"
            raise CodingError(f"content-encoding {name} is not one of {known}", "unknown_encoding")
        if len(names) > _MAX_STACK:
            raise CodingError(f"more than {_MAX_STACK} stacked content-encodings", "unknown_encoding")
        self._chain = [_DECOMPRESSORS[n]() for n in reversed(names)]
        self._left = limit
        self._limit = limit

    def feed(self, data: bytes) -> bytes:
        """What these bytes decode to."""
        try:
            return b"".join(self._bounded(self._through(data, 0)))
        except _BROKEN as e:
            raise CodingError("the data does not fit its content-encoding", "broken_encoding") from e

    def close(self) -> None:
        """CodingError where the data ended too early."""
        if not all(step.finished() for step in self._chain):
            raise CodingError("the data ends before its content-encoding does", "broken_encoding")

    def _through(self, data: bytes, step: int) -> Iterator[bytes]:
        if step == len(self._chain):
            yield data
            return
        for piece in self._chain[step].feed(data):
            yield from self._through(piece, step + 1)

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self._left -= len(piece)
            if self._left < 0:
                raise CodingError(f"the decoded data is larger than {self._limit} bytes", "too_large")
            yield piece


def decode(data: bytes, encoding: str, limit: int) -> bytes:
    """A whole body with its content-encoding undone. CodingError as for ContentDecoder."""
    decoder = ContentDecoder(encoding, limit)
    content = decoder.feed(data)
    decoder.close()
    return content
