"""Writes lines to the trail's file: whole, in order, on a thread of its own."""

from __future__ import annotations

import fcntl
import math
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from errno import ENOSPC
from pathlib import Path

type Write = Callable[[int, bytes], int]

_BATCH = 1024 * 1024
_LONGEST_WAIT = 1.0
_GATHER = 1 / 4
"""The part of `flush` in which lines come together: a thread that wakes up for every few of them, and takes
turns with the event loop, costs calls 0.7 ms each."""


class LineFile:
    """A file of whole lines, to which several processes may append. Every method may raise OSError."""

    def __init__(self, path: Path, write: Write = os.write) -> None:
        self.path = path
        self._write = write
        self._fd = -1

    def open(self) -> None:
        """Open the file if it is not, and make it if it is not there."""
        if self._fd < 0:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def append(self, lines: bytes) -> int:
        """Write whole lines; gives how many bytes of them are in the file: where space ran out, fewer."""
        self.open()
        with self._alone():
            size = self._mend()
            written = self._write(self._fd, lines)
            whole = lines.rfind(b"\n", 0, written) + 1
            if whole < written:
                os.ftruncate(self._fd, size + whole)
        return whole

    def sync(self) -> None:
        """Wait until all that was written is on disk. Lets go of a file that a log rotation moved away."""
        if self._fd >= 0:
            os.fsync(self._fd)
            if not self._in_place():
                self.close()

    def close(self) -> None:
        """Sync, and let go of the file even where that fails."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.fsync(fd)
            finally:
                os.close(fd)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Without a lock, taking back a torn line could take another process's line with it."""
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _mend(self) -> int:
        """End the torn line of a process that was killed while it wrote; gives the file's size."""
        size = os.fstat(self._fd).st_size
        if size and os.pread(self._fd, 1, size - 1) != b"\n":
            size += self._write(self._fd, b"\n")
        return size

    def _in_place(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._fd))
        except FileNotFoundError:
            return False


class TrailWriter:
    """Takes lines from the event loop without ever waiting for the disk.

    A line is written within a quarter of `flush` seconds, so that it outlives the process, and is on disk
    within all of it.
    While the file cannot be written, lines wait in memory up to `limit` bytes, and writing is tried again;
    beyond that they are lost, and counted. Opens the file at once: OSError where it cannot be.
    """

    def __init__(
        self,
        path: Path,
        flush: float,
        report: Callable[[str], None],
        limit: int,
        *,
        write: Write = os.write,
    ) -> None:
        self.path = path
        self.lost = 0
        """Lines that were given up."""
        self._file = LineFile(path, write)
        self._file.open()
        self.flush = flush
        self._report = report
        self._limit = limit
        self._queue: queue.SimpleQueue[tuple[Callable[[], bytes], int] | None] = queue.SimpleQueue()
        self._taken = 0  # bytes that came, ever; written by the event loop
        self._gone = 0  # bytes of these that no longer wait in memory; written by the thread
        self._lines: deque[bytes] = deque()
        self._batch = b""
        self._due = math.inf  # when to sync, or to try again, by the monotonic clock
        self._writable = True
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tollgate-trail")
        self._thread.start()

    @property
    def healthy(self) -> bool:
        """False while lines cannot be written, or so many wait that there is little room for more."""
        return self._writable and self._waiting <= self._limit * 3 // 4 and self._thread.is_alive()

    def put(self, make: Callable[[], bytes], size: int) -> None:
        """Take a line; only ever called from the event loop.

        `make` gives it, on the thread: hashing a large body does not hold up the loop. `size`: how many bytes
        wait in memory until then.
        """
        if self._waiting + size > self._limit // 2:  # large bodies wait in memory: their lines take less
            line = make()
            make, size = lambda: line, len(line)
        if self._waiting + size > self._limit or not self._thread.is_alive():
            self.lost += 1
            return
        self._taken += size
        self._queue.put((make, size))

    @property
    def _waiting(self) -> int:
        """Bytes in memory."""
        return self._taken - self._gone

    def close(self) -> None:
        """Write what is left, sync, and end the thread."""
        self._queue.put(None)
        self._ending.set()
        self._thread.join()

    # -- on the thread -------------------------------------------------------------------------------------

    def _run(self) -> None:
        more = True
        while more:
            more = self._collect()
            self._work(now=not more)
        self._give_up()

    def _collect(self) -> bool:
        """Wait for lines, or until something is due; False where no more will come."""
        wait = max(0.0, min(self._due - time.monotonic(), _LONGEST_WAIT))
        try:
            jobs = [self._queue.get(timeout=wait)]
        except queue.Empty:
            return threading.main_thread().is_alive()  # a process that ends without `close` is not held up
        self._ending.wait(self.flush * _GATHER)
        jobs += [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for job in jobs:
            if job is not None:
                self._take(*job)
        return None not in jobs

    def _take(self, make: Callable[[], bytes], size: int) -> None:
        line = make()
        self._lines.append(line)
        self._gone += size - len(line)

    def _work(self, *, now: bool) -> None:
        try:
            self._write_lines()
            if now or time.monotonic() >= self._due:
                self._file.sync()
                self._due = math.inf
        except OSError as e:
            self._failed(e)
        else:
            self._recovered()

    def _write_lines(self) -> None:
        while self._batch or self._lines:
            self._batch = self._batch or self._next_batch()
            whole = self._file.append(self._batch)
            self._batch = self._batch[whole:]
            self._gone += whole
            self._due = min(self._due, time.monotonic() + self.flush * (1 - _GATHER))
            if self._batch:
                raise OSError(ENOSPC, os.strerror(ENOSPC))

    def _next_batch(self) -> bytes:
        batch = [self._lines.popleft()]
        size = len(batch[0])
        while self._lines and size + len(self._lines[0]) <= _BATCH:
            size += len(self._lines[0])
            batch.append(self._lines.popleft())
        return b"".join(batch)

    def _failed(self, error: OSError) -> None:
        self._due = time.monotonic() + min(self.flush, _LONGEST_WAIT)
        with suppress(OSError):  # it is opened anew, in case it is the open file that is broken
            self._file.close()
        if self._writable:
            self._writable = False
            self._report(
                f"The trail {self.path} cannot be written: {error.strerror}. Records wait in memory, up to"
                f" {self._limit} bytes, and writing is tried again."
            )

    def _recovered(self) -> None:
        if not self._writable:
            self._writable = True
            self._report(f"The trail {self.path} can be written again. {self.lost} records were lost.")

    def _give_up(self) -> None:
        left = self._batch.count(b"\n") + len(self._lines)
        self.lost += left
        if left:
            self._report(f"The trail {self.path} could not be written to its end: {left} records were lost.")
        with suppress(OSError):  # it was reported when it was written
            self._file.close()
