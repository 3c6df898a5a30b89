"""A Bloom filter that the processes of one machine share: which names are surely not there.

https://en.wikipedia.org/wiki/Bloom_filter; the file is mapped into memory. To look a name up takes two bytes
of it, where an index on disk takes locks, and pages that have changed since they were read.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Callable, Iterable
from hashlib import blake2b
from pathlib import Path

SIZE = 4 * 2**20
"""In bytes. With a million names in it, three of a thousand others seem to be there too."""
_BITS = struct.Struct("<II")
_MASK = 8 * SIZE - 1
_SAMPLE = 2**16
"""Bytes by which is seen how full it is: bits are spread evenly."""


class Bloom:
    """What was added is in it for good, and of what was not, a little; the more, the fuller it is.

    Look from any process at any time, but add in one at a time: bits that two set in one byte may be lost.
    """

    def __init__(self, path: Path, names: Callable[[], Iterable[str]]) -> None:
        """`names` are all that have to be in it: where the file is new, or more than half full, it is made
        of them. To be called where nobody adds. OSError where the file cannot be used."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+b") as file:
            if os.fstat(descriptor).st_size != SIZE or _is_full(file.read(_SAMPLE)):
                file.seek(0)
                file.write(_made(names()))  # all of it: a hole that a full disk cannot fill would be a signal
                file.truncate()
            file.flush()
            self._bits = mmap.mmap(descriptor, SIZE)

    def __contains__(self, name: str) -> bool:
        one, two = _BITS.unpack(blake2b(name.encode(), digest_size=8).digest())
        bits = self._bits
        first, second = bits[(one & _MASK) >> 3] >> (one & 7), bits[(two & _MASK) >> 3] >> (two & 7)
        return bool(first & second & 1)

    def add(self, names: Iterable[str]) -> None:
        _set(self._bits, names)


def _is_full(sample: bytes) -> bool:
    return int.from_bytes(sample).bit_count() > 4 * len(sample)


def _made(names: Iterable[str]) -> bytearray:
    """The bits of these names. Others look meanwhile, and find either those that were there, or these."""
    bits = bytearray(SIZE)
    _set(bits, names)
    return bits


def _set(bits: bytearray | mmap.mmap, names: Iterable[str]) -> None:
    for name in names:
        for place in _BITS.unpack(blake2b(name.encode(), digest_size=8).digest()):
            bits[(place & _MASK) >> 3] |= 1 << (place & 7)
