"""Leases: the right to do a piece of work that others want too, in one process of a machine at a time.

A lease is a lock on one byte of a file, at the place that the digest of its name gives. The kernel frees it
when its holder ends, however that happens: nothing has to expire, and no time has to be guessed.
https://man7.org/linux/man-pages/man2/fcntl_locking.2.html (open file description locks)
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tollgate.store.state import StateError

_HALF = 2**62
"""Bytes from here on are locked, for reading, by who waits for a lease; those before by who has one."""
_OPEN_FILES = hasattr(fcntl, "F_OFD_SETLK")
_SET = fcntl.F_OFD_SETLK if _OPEN_FILES else fcntl.F_SETLK
_GET = fcntl.F_OFD_GETLK if _OPEN_FILES else fcntl.F_GETLK
"""Where there are only POSIX locks, a process may open one file of leases once: closing one of two frees what
the other one has."""
_BSD = sys.platform == "darwin" or "bsd" in sys.platform
_FLOCK = struct.Struct("qqihh" if _BSD else "hhqqi")
"""struct flock of fcntl.h: start, length, pid, type, whence; Linux has the last two first."""
_KIND = 3 if _BSD else 0


class Lease:
    """Held until it is released; more than once does no harm. From any thread."""

    __slots__ = ("_free", "name")

    def __init__(self, name: str, free: Callable[[], None]) -> None:
        self.name = name
        self._free: Callable[[], None] | None = free

    def release(self) -> None:
        free, self._free = self._free, None
        if free is not None:
            free()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


class Leases(Protocol):
    """Leases, wherever they are kept. Nothing here waits; StateError where they cannot be used."""

    def take(self, name: str) -> Lease | None:
        """The lease of that name; None where somebody has it. From one thread only."""

    def waiting(self, name: str) -> AbstractContextManager[None]:
        """Within it, this process is known to wait for a lease. Nothing is promised to it."""

    def awaited(self, names: Iterable[str]) -> bool:
        """True where another process waits for one of these leases."""


class FileLeases:
    """Leases in a file that processes of one machine share.

    Who holds a lease holds it alone, among processes and within this one. It is a promise between those who
    ask: nothing stops others from doing the work. Names whose digests have 62 equal bits share a lease.
    A child that was forked, and runs no other program, has its parent's leases too.
    """

    def __init__(self, path: Path) -> None:
        """StateError where the file cannot be opened."""
        self.path = path
        self._held: set[str] = set()
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as e:
            raise StateError(f"The leases {path} cannot be opened: {e.strerror}.") from e

    def take(self, name: str) -> Lease | None:
        if name in self._held or not self._lock(fcntl.F_WRLCK, _place(name)):
            return None  # a file does not tell its own locks apart
        self._held.add(name)
        return Lease(name, partial(self._free, name))

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        place = _HALF + _place(name)
        self._lock(fcntl.F_RDLCK, place)
        try:
            yield
        finally:
            self._unlock(place)

    def awaited(self, names: Iterable[str]) -> bool:
        if not self._is_locked(_HALF, 0):  # nobody waits for anything, as a rule
            return False
        return any(self._is_locked(_HALF + _place(name), 1) for name in names)

    def close(self) -> None:
        """What is still held is free from now on."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def _free(self, name: str) -> None:
        self._unlock(_place(name))
        self._held.discard(name)  # now: who takes it next in this process locks it anew

    def _unlock(self, place: int) -> None:
        if self._file >= 0:
            self._lock(fcntl.F_UNLCK, place)

    def _lock(self, kind: int, place: int) -> bool:
        """False where somebody else has it."""
        return bool(self._ask(_SET, _packed(kind, place, 1)))

    def _is_locked(self, place: int, length: int) -> bool:
        """Whether another process has a lock there; a length of 0 leads to the end, wherever that is."""
        told = self._ask(_GET, _packed(fcntl.F_WRLCK, place, length))
        return bool(_FLOCK.unpack(told)[_KIND] != fcntl.F_UNLCK)

    def _ask(self, command: int, packed: bytes) -> bytes:
        """What the kernel says; nothing where a lock is not to be had."""
        try:
            return fcntl.fcntl(self._file, command, packed)
        except (OSError, ValueError) as e:  # ValueError: it is closed
            if getattr(e, "errno", 0) in (errno.EAGAIN, errno.EACCES):  # either one, as POSIX has it
                return b""
            raise StateError(f"The leases {self.path} cannot be used: {e}.") from e


def _packed(kind: int, start: int, length: int) -> bytes:
    return _FLOCK.pack(start, length, 0, kind, 0) if _BSD else _FLOCK.pack(kind, 0, start, length, 0)


def _place(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _HALF
