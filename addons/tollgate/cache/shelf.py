"""Entries on disk, read and written in threads of their own, so that no other call waits for the disk."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import NamedTuple

import orjson

from tollgate.cache.entry import Entry, compressor, from_bytes, to_bytes
from tollgate.cache.hot import Hot
from tollgate.cache.keeping import UNLIKE
from tollgate.cache.turn import turn
from tollgate.store import Blobs, FileLeases, Lease, New, StateError

logger = logging.getLogger(__name__)

LEASES = "leases"
"""The file of the leases of entries that are about to be made."""
COUNTS = "counts"
"""The name under which the counts of all processes are kept: no digest is spelt like it."""
_ROOM_FOR_HOT = 32 * 2**20
"""Bytes of entries that stay in memory."""
_ROOM_FOR_ALL = 64 * 2**20
_SMALL = 16 * 1024
_MOST = 4096
"""Bytes that may wait to be written, in answers that are not small, and how many answers. More is not kept:
the disk is slower than the calls."""
_GATHER = 1.0
"""Seconds in which what is written together gathers."""
_LOOK = 0.05
"""Seconds between two looks at other processes: what they wait for is written at once."""
_EVER = 10 * 365 * 86400.0
_FLUSH = 1.0
"""Seconds after which the disk has what was counted, whether or not more calls come."""

type Make = Callable[[], Entry | None]


class Waiting(NamedTuple):
    """An entry that is to be written."""

    what: New | Entry | Make
    """A `New` is written as it is."""
    size: int
    seconds: float
    lease: Lease | None
    """That is held until it is written."""


class Shelf:
    """Finds and keeps entries by name. What fails counts as not there, and is told once.

    Entries are written several at a time, which is cheaper; until then they are found in memory. So are those
    that were used of late, as long as the disk has them: what other processes clear or replace is not given.
    """

    def __init__(self, folder: Path, key: bytes, *, room: int, secret: bool) -> None:
        """StateError where the folder cannot be used."""
        self._blobs = Blobs(folder, key, room=room, secret=secret)
        self._reader = ThreadPoolExecutor(1, "cache reader")
        self._writer = ThreadPoolExecutor(1, "cache writer")
        self._leases = FileLeases(folder / LEASES)
        self._compress = compressor()
        self._hot = Hot(_ROOM_FOR_HOT)
        self._waiting: dict[str, Waiting] = {}
        self._writing: dict[str, Waiting] = {}
        self._due: asyncio.TimerHandle | None = None
        self._ends = 0.0
        """When what waits is to be written, on the loop's clock."""
        self._told = False
        self._closed = False
        self._flush_due: asyncio.TimerHandle | None = None
        self._pending: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """What happened since the start, by word; "errors" and "dropped" are the shelf's own."""
        self.problem = ""
        """Why the folder could not be used the last time; empty where it could."""

    def lacks(self, name: str) -> bool:
        """True where there surely is no entry of that name, as of most. It takes less than to find none."""
        return name not in self._waiting and name not in self._writing and self._blobs.lacks(name)

    async def find(self, name: str) -> Entry | None:
        """The entry of that name; None where there is none that can be read, and once the shelf is closed."""
        if self._closed:
            return None
        run = asyncio.get_running_loop().run_in_executor
        if waiting := self._waiting.get(name) or self._writing.get(name):
            return await run(self._reader, _made, waiting.what)
        stamp = self._tried(partial(self._blobs.stamp, name))
        if stamp is None:
            return None  # most names are new: to change threads would cost more than all the rest
        entry = self._hot.get(name, stamp)
        if entry is None:
            entry = await run(self._reader, self._find, name)
            self._hot.put(name, stamp, entry)
        return entry

    def take(self, name: str) -> Lease | None:
        """The right to make an entry; None where somebody has it, or it cannot be had."""
        try:
            lease = self._leases.take(name)
            self._look_soon()
            return lease
        except StateError as e:
            self._alone(e)
            return None

    async def turn(self, name: str) -> Lease | None:
        """The right to make an entry, once no other process has it; None where it cannot be had."""
        try:
            lease = await turn(self._leases, name)
            self._look_soon()
            return lease
        except StateError as e:
            self._alone(e)
            return None

    def keep(
        self, name: str, what: Entry | Make, size: int, seconds: float, lease: Lease | None = None
    ) -> bool:
        """Have an entry made and kept, then its lease released; False, and neither, where too much waits."""
        if len(self._waiting) >= _MOST or (size > _SMALL and self._held() + size > _ROOM_FOR_ALL):
            self.count("dropped")
            return False
        if not self._waiting:
            self._ends = asyncio.get_running_loop().time() + _GATHER
        before = self._waiting.get(name)
        lease_kept = lease or (before.lease if before else None)
        self._waiting[name] = Waiting(self._prepared(name, what, size, seconds), size, seconds, lease_kept)
        if self._due is None:
            self._look()
        return True

    def _prepared(self, name: str, what: Entry | Make, size: int, seconds: float) -> New | Entry | Make:
        """A small entry is written down here: with each compression a thread lets go of Python, and the
        writer would wait longer to have it back than the work takes."""
        if isinstance(what, Entry) and size <= _SMALL:
            return New(name, to_bytes(what, self._compress), seconds, what.tag)
        return what

    def _held(self) -> int:
        """Bytes of answers that wait to be written, or are being."""
        return sum(one.size for one in (*self._waiting.values(), *self._writing.values()))

    def count(self, word: str) -> None:
        self.counts[word] += 1
        self._pending[word] += 1
        if self._flush_due is None and not self._closed:
            self._flush_due = asyncio.get_running_loop().call_later(_FLUSH, self._flush)

    def close(self) -> None:
        """Write what waits, then let go of the folder."""
        self._closed = True
        for due in (self._due, self._flush_due):
            if due is not None:
                due.cancel()
        self._writer.submit(self._write_all, {**self._writing, **self._waiting})
        self._flush()
        for executor in (self._writer, self._reader):
            executor.submit(self._blobs.close)
            executor.shutdown()
        self._blobs.close()
        self._leases.close()

    def _look_soon(self) -> None:
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(_LOOK, self._look)

    def _look(self) -> None:
        """See whether other processes came; have what waits written, at its time or when one waits for it."""
        self._due = None
        again = self._known()
        now = asyncio.get_running_loop().time()
        if self._waiting and not self._writing and (now >= self._ends or self._awaited()):
            self._write()
        if again or self._waiting:
            self._look_soon()

    def _known(self) -> bool:
        """Have others know which leases are held here; True where that is to be done again."""
        try:
            return self._leases.look()
        except StateError as e:
            self._alone(e)
            return False

    def _awaited(self) -> bool:
        try:
            return self._leases.awaited(name for name, one in self._waiting.items() if one.lease)
        except StateError as e:
            self._alone(e)
            return False

    def _alone(self, error: StateError) -> None:
        self.counts["errors"] += 1
        if not self._told:
            logger.warning("Other processes are not waited for. %s", error)
        self._told = True

    def _write(self) -> None:
        self._writing, self._waiting = self._waiting, {}
        run = asyncio.get_running_loop().run_in_executor
        run(self._writer, self._write_all, self._writing).add_done_callback(self._written)

    def _written(self, done: asyncio.Future[None]) -> None:
        """On the loop: one by one, the writer would let go of Python, and wait to have it back, for each."""
        written, self._writing = self._writing, {}
        try:
            self._leases.release(one.lease for one in written.values() if one.lease)
        except StateError as e:
            self._alone(e)

    # -- in the threads --------------------------------------------------------------------------------------

    def _find(self, name: str) -> Entry | None:
        data = self._tried(lambda: self._blobs.get(name))
        return None if data is None else from_bytes(data)

    def _write_all(self, writing: Mapping[str, Waiting]) -> None:
        compress = compressor()
        ready = [new for name, one in writing.items() if (new := _new(name, one, compress))]

        def write() -> None:
            with self._blobs.together():
                self._blobs.put_all(ready)

        if ready:
            self._tried(write)

    def _tried[T](self, act: Callable[[], T]) -> T | None:
        try:
            done = act()
        except StateError as e:
            self.counts["errors"] += 1
            if not self.problem:
                logger.warning("Nothing is cached for now. %s", e)
            self.problem = str(e)
            return None
        self.problem = ""
        return done

    # -- counts ----------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        self._flush_due = None
        counted, self._pending = self._pending, Counter()
        if counted:
            self._writer.submit(
                self._tried, lambda: self._blobs.update(COUNTS, lambda old: added(old, counted), _EVER)
            )


def _new(name: str, one: Waiting, compress: Callable[[bytes], bytes]) -> New | None:
    if isinstance(one.what, New):
        return one.what
    entry = _made(one.what)
    return None if entry is None else New(name, to_bytes(entry, compress), one.seconds, entry.tag)


def _made(what: New | Entry | Make) -> Entry | None:
    """None where making it fails, too: whatever is wrong, there is nothing to keep then."""
    if isinstance(what, New):
        return from_bytes(what.value)
    try:
        return what if isinstance(what, Entry) else what()
    except UNLIKE as e:
        logger.error("An answer could not be kept: %s", type(e).__name__)
        return None


def added(old: bytes | None, counted: Mapping[str, int]) -> bytes:
    """Counts as they are kept, with these added."""
    return orjson.dumps(dict(Counter(read_counts(old)) + Counter(counted)))


def read_counts(data: bytes | None) -> dict[str, int]:
    try:
        found = orjson.loads(data or b"{}")
    except ValueError:
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}
