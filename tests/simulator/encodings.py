"""Content-encodings: undone for requests, applied piece by piece to answers."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli

from simulator.exchange import Mistake

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "br": brotli.decompress,
    "zstd": zstd.decompress,
}


def decode(body: bytes, encoding: str) -> bytes:
    """`Mistake` 415 for an encoding that is not known, 400 for a body that is not encoded so."""
    if encoding not in DECODERS:
        raise Mistake(
            415, f"Unsupported content-encoding {encoding!r}.", code="request_body_encoding_unsupported"
        )
    try:
        return DECODERS[encoding](body)
    except (OSError, EOFError, zlib.error, brotli.error, zstd.ZstdError) as e:
        message = f"The body is not encoded in {encoding}."
        raise Mistake(400, message, code="request_body_encoding_invalid") from e


def encode(pieces: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Every piece is flushed, so that a client can read it at once. ValueError for an unknown encoding."""
    if not encoding:
        yield from pieces
        return
    if encoding not in _ENCODERS:
        raise ValueError(f"{encoding!r} is no encoding; there are {', '.join(_ENCODERS)}")
    step, end = _ENCODERS[encoding]()
    for piece in pieces:
        yield step(piece)
    yield end()


def _zlib(wbits: int) -> tuple[Any, Any]:
    z = zlib.compressobj(wbits=wbits)
    return lambda data: z.compress(data) + z.flush(zlib.Z_SYNC_FLUSH), z.flush


def _brotli() -> tuple[Any, Any]:
    b = brotli.Compressor()
    return lambda data: b.process(data) + b.flush(), b.finish


def _zstd() -> tuple[Any, Any]:
    z = zstd.ZstdCompressor()
    return lambda data: z.compress(data, z.FLUSH_BLOCK), z.flush


_ENCODERS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "gzip": lambda: _zlib(31),
    "deflate": lambda: _zlib(15),
    "br": _brotli,
    "zstd": _zstd,
}
