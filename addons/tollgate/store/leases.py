"""Leases: the right to do a piece of work that others want too, in one process of a machine at a time.

A lease is a lock on one byte of a file, at the place that the digest of its name gives. The kernel frees it
when its holder ends, however that happens: nothing has to expire, and no time has to be guessed. For each
lock it walks the list of those of the file: holders are spread over several files, and who waits has another.

Who is alone only notes names, and asks the kernel nothing: one lock bars the way for all others. Each of
them is seen to be present from its first moment on, and gets nothing while the way is barred. Who bars it
looks for them: once one is there, it locks what it holds, and clears the way. So nobody overtakes, and who
dies, at whatever moment, bars nothing. Java had such biased locks: https://openjdk.org/jeps/374
https://man7.org/linux/man-pages/man2/fcntl_locking.2.html (open file description locks)
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import math
import os
import struct
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from tollgate.store.state import StateError

_PLACES = 2**62
_SPREAD = 16
"""Files of those who have leases. In the file that has the bare name, who waits for one locks for reading."""
_BAR, _PRESENT = _PLACES, _PLACES + 1
"""Places in that file: who is alone has locked the one, and everybody the other one, for reading."""
_PATIENCE = 1.0
"""Seconds after which the way is no longer barred by one that does not look: it is stopped, or stuck."""
_COMPANY = 1.0
"""Seconds for which who saw others takes them to be there."""
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
    """Held until it is released; more than once does no harm. From the thread that took it."""

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

    def look(self) -> bool:
        """Have others who came know what is held here: until then they may get nothing. To be called some
        50 ms after a lease was taken, and again as long as it gives True."""


class FileLeases:
    """Leases in files that processes of one machine share.

    Who holds a lease holds it alone, among processes and within this one. It is a promise between those who
    ask: nothing stops others from doing the work. Names whose digests have 62 equal bits share a lease.
    A child that was forked, and runs no other program, has its parent's leases too.

    Who comes while another one is alone gets no lease until that one looks. One that has not looked for a
    second since, as it is stopped or stuck, is passed by: of what it held by then, two may have a lease.
    """

    def __init__(self, path: Path) -> None:
        """The files' names begin with the path. StateError where one cannot be opened."""
        self.path = path
        self._held: dict[str, int | None] = {}
        """Names with the places that are locked; None for those that are only noted."""
        self._alone = False
        """True while we bar the way."""
        self._asks = 0.0
        """When to see again whether we are alone, on the monotonic clock."""
        self._waits = math.inf
        """Until when to wait for who is alone; 0 once nobody is."""
        self._waiters, *self._holders = self._files = _opened(path)
        with suppress(StateError):  # where there are no locks, `take` tells it
            self._lock(self._waiters, _PRESENT, fcntl.F_RDLCK)

    def take(self, name: str) -> Lease | None:
        if name in self._held:
            return None  # a file does not tell its own locks apart
        if not self._alone and not self._settle():
            return None
        if self._alone:
            self._held[name] = None
        elif not self._known(name):
            return None
        return Lease(name, self._free)

    def look(self) -> bool:
        if self._alone and (not self._held or self._is_seen(_PRESENT)):
            for name in [name for name, place in self._held.items() if place is None]:
                self._known(name)  # unless somebody passed us by
            self._alone = False
            self._unlock(self._waiters, _BAR)
        return self._alone

    def release(self, leases: Iterable[Lease]) -> None:
        freed = [self._held.pop(name, None) for name in self._ended(leases)]
        kept: dict[int, list[int]] = {place % _SPREAD: [] for place in freed if place is not None}
        for place in self._held.values() if kept else ():
            if place is not None and place % _SPREAD in kept:
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
        self._lock(self._waiters, place, fcntl.F_RDLCK)
        try:
            yield
        finally:
            self._unlock(self._waiters, place)

    def awaited(self, names: Iterable[str]) -> bool:
        if self._alone or not self._is_seen(0, _PLACES):  # nobody waits for anything, as a rule
            return False
        return any(self._is_seen(_place(name)) for name in names)

    def close(self) -> None:
        """What is still held is free from now on."""
        files, self._files = self._files, []
        for file in files:
            os.close(file)
        self._waiters, self._holders = -1, [-1] * _SPREAD
        self._alone = False

    def _free(self, name: str) -> None:
        place = self._held.pop(name, None)
        if place is not None:
            self._unlock(self._holders[place % _SPREAD], place)

    def _settle(self) -> bool:
        """See how we stand to others. False where one is alone that has not seen us. Else we are alone from
        now on, or among others: nobody bars our way again, since each sees that we are present."""
        now = time.monotonic()
        if now < self._asks:
            return True
        if self._lock(self._waiters, _BAR):
            self._waits = 0.0
            self._alone = not self._is_seen(_PRESENT)
            if not self._alone:
                self._unlock(self._waiters, _BAR)
        else:
            self._waits = min(self._waits, now + _PATIENCE)
        self._asks = 0.0 if self._alone or now < self._waits else now + _COMPANY
        return now >= self._waits

    def _known(self, name: str) -> bool:
        """Have the kernel know that a name is held here; False where another one has it."""
        place = _place(name)
        if not self._lock(self._holders[place % _SPREAD], place):
            return False
        self._held[name] = place
        return True

    def _lock(self, file: int, place: int, kind: int = fcntl.F_WRLCK) -> bool:
        return bool(self._ask(file, _SET, kind, place, 1))

    def _unlock(self, file: int, start: int, length: int = 1) -> None:
        if file >= 0 and length:
            self._ask(file, _SET, fcntl.F_UNLCK, start, length)

    def _is_seen(self, place: int, length: int = 1) -> bool:
        """Whether another process has a lock there, in the file of those who wait."""
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
