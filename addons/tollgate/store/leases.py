"""Leases: the right to do a piece of work that others want too, in one process of a machine at a time.

A lease is a lock on one byte of a file, at the place that the digest of its name gives. The kernel frees it
when its holder ends, however that happens: nothing has to expire, and no time has to be guessed. For each
lock it walks the list of those of the file: holders are spread over several files, and who waits has another.
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
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tollgate.store.state import StateError

_PLACES = 2**62
_SPREAD = 16
"""Files of those who have leases. In the file that has the bare name, who waits for one locks for reading."""
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

    def __init__(self, name: str, free: Callable[[str], None]) -> None:
        self.name = name
        self._free: Callable[[str], None] | None = free

    def release(self) -> None:
        if free := self.end():
            free(self.name)

    def end(self) -> Callable[[str], None] | None:
        """What frees its name, for who asks first; None after that."""
        free, self._free = self._free, None
        return free

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

    def release(self, leases: Iterable[Lease]) -> None:
        """Release many, with less work than one by one; also such as were taken from others. From the thread
        that takes them."""

    def waiting(self, name: str) -> AbstractContextManager[None]:
        """Within it, this process is known to wait for a lease. Nothing is promised to it."""

    def awaited(self, names: Iterable[str]) -> bool:
        """True where another process waits for one of these leases."""


class FileLeases:
    """Leases in files that processes of one machine share.

    Who holds a lease holds it alone, among processes and within this one. It is a promise between those who
    ask: nothing stops others from doing the work. Names whose digests have 62 equal bits share a lease.
    A child that was forked, and runs no other program, has its parent's leases too.
    """

    def __init__(self, path: Path) -> None:
        """The files' names begin with the path. StateError where one cannot be opened."""
        self.path = path
        self._held: dict[str, int] = {}
        self._waiters, *self._holders = self._files = _opened(path)

    def take(self, name: str) -> Lease | None:
        if name in self._held:
            return None  # a file does not tell its own locks apart
        place = _place(name)
        if not self._ask(self._holders[place % _SPREAD], _SET, fcntl.F_WRLCK, place, 1):
            return None
        self._held[name] = place
        return Lease(name, self._free)

    def release(self, leases: Iterable[Lease]) -> None:
        numbers = {self._held.pop(name) % _SPREAD for name in self._ended(leases)}
        kept: dict[int, list[int]] = {number: [] for number in numbers}
        for place in list(self._held.values()):
            if place % _SPREAD in kept:
                kept[place % _SPREAD].append(place)
        for number, places in kept.items():
            start = 0
            for place in (*sorted(places), _PLACES):  # all that lies between two of those is freed at once
                self._unlock(self._holders[number], start, place - start)
                start = place + 1

    def _ended(self, leases: Iterable[Lease]) -> list[str]:
        """Names of ours that are to be freed. Those of a file that was closed meanwhile are freed there."""
        ours = []
        for lease in leases:
            free = lease.end()
            if free == self._free:
                ours.append(lease.name)
            elif free is not None:
                free(lease.name)
        return ours

    @contextmanager
    def waiting(self, name: str) -> Iterator[None]:
        place = _place(name)
        self._ask(self._waiters, _SET, fcntl.F_RDLCK, place, 1)
        try:
            yield
        finally:
            self._unlock(self._waiters, place)

    def awaited(self, names: Iterable[str]) -> bool:
        if not self._is_awaited(0, 0):  # nobody waits for anything, as a rule
            return False
        return any(self._is_awaited(_place(name), 1) for name in names)

    def close(self) -> None:
        """What is still held is free from now on."""
        files, self._files = self._files, []
        for file in files:
            os.close(file)
        self._waiters, self._holders = -1, [-1] * _SPREAD

    def _free(self, name: str) -> None:
        place = self._held[name]
        self._unlock(self._holders[place % _SPREAD], place)
        del self._held[name]  # now: who takes it next in this process locks it anew

    def _unlock(self, file: int, start: int, length: int = 1) -> None:
        if file >= 0 and length:
            self._ask(file, _SET, fcntl.F_UNLCK, start, length)

    def _is_awaited(self, place: int, length: int) -> bool:
        """Whether another process waits there; a length of 0 leads to the end, wherever that is."""
        told = self._ask(self._waiters, _GET, fcntl.F_WRLCK, place, length)
        return bool(_FLOCK.unpack(told)[_KIND] != fcntl.F_UNLCK)

    def _ask(self, file: int, command: int, kind: int, start: int, length: int) -> bytes:
        """What the kernel says; nothing where a lock is not to be had."""
        try:
            return fcntl.fcntl(file, command, _packed(kind, start, length))
        except (OSError, ValueError) as e:  # ValueError: it is closed
            if getattr(e, "errno", 0) in (errno.EAGAIN, errno.EACCES):  # either one, as POSIX has it
                return b""
            raise StateError(f"The leases {self.path} cannot be used: {e}.") from e


def _opened(path: Path) -> list[int]:
    files = []
    try:
        for one in (str(path), *(f"{path}-{number}" for number in range(_SPREAD))):
            files.append(os.open(one, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as e:
        for file in files:
            os.close(file)
        raise StateError(f"The leases {path} cannot be opened: {e.strerror}.") from e
    return files


def _packed(kind: int, start: int, length: int) -> bytes:
    return _FLOCK.pack(start, length, 0, kind, 0) if _BSD else _FLOCK.pack(kind, 0, start, length, 0)


def _place(name: str) -> int:
    digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
    return int.from_bytes(digest) % _PLACES
