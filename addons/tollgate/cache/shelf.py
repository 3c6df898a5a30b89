"""Entries on disk, read and written in threads of their own, so that no other call waits for the disk."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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
"""Seconds after which it is seen whether other processes wait for it: then it is written at once."""
_EVER = 10 * 365 * 86400.0
_FLUSH = 1.0
"""Seconds after which the disk has what was counted, whether or not more calls come."""

type Make = Callable[[], Entry | None]


class Waiting(NamedTuple):
    """An entry that is to be written."""

    make: Make
    new: New | None
    """As it will be written; None where that is still to be made."""
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
        self._told = False
        self._closed = False
        self._flush_due: asyncio.TimerHandle | None = None
        self._pending: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """What happened since the start, by word; "errors" and "dropped" are the shelf's own."""
        self.problem = ""
        """Why the folder could not be used the last time; empty where it could."""

    async def find(self, name: str) -> Entry | None:
        """The entry of that name; None where there is none that can be read, and once the shelf is closed."""
        if self._closed:
            return None
        run = asyncio.get_running_loop().run_in_executor
        if waiting := self._waiting.get(name) or self._writing.get(name):
            return await run(self._reader, _made, waiting.make)
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
            return self._leases.take(name)
        except StateError as e:
            self._alone(e)
            return None

    async def turn(self, name: str) -> Lease | None:
        """The right to make an entry, once no other process has it; None where it cannot be had."""
        try:
            return await turn(self._leases, name)
        except StateError as e:
            self._alone(e)
            return None

    def keep(
        self, name: str, what: Entry | Make, size: int, seconds: float, lease: Lease | None = None
    ) -> bool:
        """Have an entry made and kept, then its lease released; False, and neither, where too much waits."""
        held = (*self._waiting.values(), *self._writing.values()) if size > _SMALL else ()
        too_many = len(self._waiting) >= _MOST or sum(w.size for w in held) + size > _ROOM_FOR_ALL
        if too_many:
            self.count("dropped")
            return False
        before = self._waiting.get(name)
        lease_kept = lease or (before.lease if before else None)
        self._waiting[name] = Waiting(*self._prepared(name, what, size, seconds), size, seconds, lease_kept)
        if self._due is None:
            self._look(asyncio.get_running_loop().time() + _GATHER)
        return True

    def _prepared(self, name: str, what: Entry | Make, size: int, seconds: float) -> tuple[Make, New | None]:
        """A small entry is written down here: with each compression a thread lets go of Python, and the
        writer would wait longer to have it back than the work takes. Nothing else of it is held."""
        if not isinstance(what, Entry):
            return what, None
        if size > _SMALL:
            return lambda: what, None
        data = to_bytes(what, self._compress)
        return partial(from_bytes, data), New(name, data, seconds, what.tag)

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

    def _look(self, ends: float) -> None:
        """Have what waits written at that moment, or as soon as another process waits for some of it."""
        if self._due is not None:
            self._due.cancel()
        loop = asyncio.get_running_loop()
        if loop.time() >= ends or self._awaited(name for name, one in self._waiting.items() if one.lease):
            self._write()
        else:
            self._due = loop.call_later(_LOOK, self._look, ends)

    def _awaited(self, names: Iterable[str]) -> bool:
        try:
            return self._leases.awaited(names)
        except StateError as e:
            self._alone(e)
            return False

    def _alone(self, error: StateError) -> None:
        self.counts["errors"] += 1
        if not self._told:
            logger.warning("Other processes are not waited for. %s", error)
        self._told = True

    def _write(self) -> None:
        """Have the writer take what waits, once it is done with what it has."""
        self._due = None
        if self._writing:
            self._due = asyncio.get_running_loop().call_later(_LOOK, self._write)
            return
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
        ready = [new for name, one in writing.items() if (new := one.new or _new(name, one, compress))]

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
    entry = _made(one.make)
    return None if entry is None else New(name, to_bytes(entry, compress), one.seconds, entry.tag)


def _made(make: Make) -> Entry | None:
    """None where making it fails, too: whatever is wrong, there is nothing to keep then."""
    try:
        return make()
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
