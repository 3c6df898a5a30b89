"""Entries on disk, read and written in threads of their own, so that no other call waits for the disk."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import orjson

from tollgate.cache.entry import Entry, from_bytes, to_bytes
from tollgate.store import Blobs, StateError

logger = logging.getLogger(__name__)

COUNTS = "counts"
"""The name under which the counts of all processes are kept: no digest is spelt like it."""
_WAITING = 64 * 2**20
"""Bytes that may wait to be written. More is not kept: the disk is slower than the calls."""
_EVER = 10 * 365 * 86400.0
_FLUSH = 5.0
"""Seconds between two writings of the counts."""

type Make = Callable[[], Entry | None]


class Shelf:
    """Finds and keeps entries by name. What fails counts as not there, and is told once."""

    def __init__(self, folder: Path, key: bytes, *, room: int, secret: bool) -> None:
        """StateError where the folder cannot be used."""
        self._blobs = Blobs(folder, key, room=room, secret=secret)
        self._reader = ThreadPoolExecutor(1, "cache reader")
        self._writer = ThreadPoolExecutor(1, "cache writer")
        self._lock = threading.Lock()
        self._waiting = 0
        self._writing: dict[str, Future[None]] = {}
        self._flushed = time.monotonic()
        self._pending: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()
        """What happened since the start, by word; "errors" and "dropped" are the shelf's own."""
        self.problem = ""
        """Why the folder could not be used the last time; empty where it could."""

    async def find(self, name: str) -> Entry | None:
        """The entry of that name; None where there is none that can be read. What is being written counts."""
        if writing := self._writing.get(name):
            await asyncio.wait([asyncio.wrap_future(writing)])
        return await asyncio.get_running_loop().run_in_executor(self._reader, self._find, name)

    def keep(self, name: str, make: Make, size: int, seconds: float) -> bool:
        """Have an entry made and kept; False where too much waits already."""
        with self._lock:
            if self._waiting + size > _WAITING:
                self.count("dropped")
                return False
            self._waiting += size
            writing = self._writing[name] = self._writer.submit(self._keep, name, make, seconds)
        writing.add_done_callback(partial(self._written, name, size))
        return True

    def count(self, word: str) -> None:
        self.counts[word] += 1
        self._pending[word] += 1
        if time.monotonic() - self._flushed > _FLUSH:
            self._flush()

    def close(self) -> None:
        """Write what waits, then let go of the folder."""
        self._flush()
        for executor in (self._writer, self._reader):
            executor.submit(self._blobs.close)
            executor.shutdown()

    # -- in the threads --------------------------------------------------------------------------------------

    def _find(self, name: str) -> Entry | None:
        data = self._tried(lambda: self._blobs.get(name))
        return None if data is None else from_bytes(data)

    def _keep(self, name: str, make: Make, seconds: float) -> None:
        entry = make()
        if entry is not None:
            self._tried(lambda: self._blobs.put(name, to_bytes(entry), seconds, entry.tag))

    def _written(self, name: str, size: int, done: Future[None]) -> None:
        with self._lock:
            self._waiting -= size
            if self._writing.get(name) is done:
                del self._writing[name]
        if error := done.exception():
            logger.error("An answer could not be kept: %s", type(error).__name__)

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
        self._flushed = time.monotonic()
        counted, self._pending = self._pending, Counter()
        if counted:
            self._writer.submit(
                self._tried, lambda: self._blobs.update(COUNTS, lambda old: added(old, counted), _EVER)
            )


def added(old: bytes | None, counted: Mapping[str, int]) -> bytes:
    """Counts as they are kept, with these added."""
    return orjson.dumps(dict(Counter(read_counts(old)) + Counter(counted)))


def read_counts(data: bytes | None) -> dict[str, int]:
    try:
        found = orjson.loads(data or b"{}")
    except ValueError:
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int)} if isinstance(found, dict) else {}
