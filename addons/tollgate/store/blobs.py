"""Larger values on disk that expire: what may be thrown away, such as cached answers.

diskcache keeps them, behind a Disk that knows nothing but bytes. Its own ones unpickle what a row tells them
to, and read and remove whatever file a row names (CVE-2025-69872, of which no version is free).
"""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import diskcache

from tollgate.store.bloom import Bloom
from tollgate.store.seal import Seal
from tollgate.store.sqlite import many
from tollgate.store.state import StateError

logger = logging.getLogger(__name__)

_FILES = ("cache.db", "cache.db-wal", "cache.db-shm")
_NAMES = "names"
"""The file that tells which names were ever put, so that others need not be looked up. It is made anew where
it is missing. Who takes it away from a running process loses hits: others do not find what that one puts."""
_IN_THE_ROW = 2**31 - 1
"""Bytes up to which a value stands in its row: all of them, so that no row has to name a file."""
_STAMP = "SELECT store_time FROM Cache WHERE key = ? AND raw = 1 AND (expire_time IS NULL OR expire_time > ?)"
_COLUMNS = (
    *("key", "raw", "store_time", "expire_time", "access_time", "access_count"),
    *("tag", "size", "mode", "filename", "value"),
)
"""Of the table that diskcache makes and reads (5.6.3). It would write row by row, and with each statement a
thread gives up Python, and waits to have it back."""
_PUT = (
    f"INSERT INTO Cache ({', '.join(_COLUMNS)}) VALUES {{rows}}"  # noqa: S608 (names of our own)
    f" ON CONFLICT (key, raw) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[2:])}"
)
_WAIT = 5.0
"""Seconds to wait for another process that writes."""
_SETTINGS = frozenset((*diskcache.core.DEFAULT_SETTINGS, *diskcache.core.METADATA))
"""What diskcache keeps of itself in the file. Whatever stands there becomes an attribute of the cache."""


class RefusedRow(OSError):
    """A row that we did not write. diskcache takes an OSError for a row that has just gone: for a miss."""


class BytesDisk(diskcache.Disk):  # type: ignore[misc]  # diskcache has no types
    """Keeps text keys and bytes, in their rows. Whatever else a row claims to be is refused."""

    def put(self, key: Any) -> Any:
        if type(key) is not str:
            raise TypeError("a name is text")
        return key, True

    def get(self, key: Any, raw: Any) -> str:
        return key if raw and type(key) is str else ""

    def store(self, value: Any, read: Any, key: Any = diskcache.UNKNOWN) -> Any:
        if type(value) is not bytes or len(value) > _IN_THE_ROW:
            raise TypeError("a value is bytes")
        return 0, diskcache.core.MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: Any, filename: Any, value: Any, read: Any) -> bytes:
        if mode != diskcache.core.MODE_RAW or filename is not None or type(value) is not bytes:
            raise RefusedRow("a row that Tollgate did not write")
        return value

    def remove(self, file_path: Any) -> None:
        """No row of ours has a file, and those of others' rows are not to be touched."""


class New(NamedTuple):
    """What is to be kept."""

    name: str
    value: bytes
    seconds: float
    """For how long."""
    tag: str = ""


class Row(NamedTuple):
    name: str
    value: bytes
    expires: float
    """Seconds since 1970."""
    tag: str


class Blobs:
    """Names to bytes, shared by the processes of one machine that have the key. Safe from several threads,
    each of which has a connection of its own, and closes it.

    Each operation is atomic. A crash loses the last entries at most. What is written `together` leaves no
    more than about `room` bytes: the oldest make place for it. StateError where the folder cannot be used at
    that moment.
    """

    def __init__(self, folder: Path, key: bytes, *, room: int = 2**30, secret: bool = True) -> None:
        """A folder that holds no cache that can be read is begun anew. StateError where it cannot be used."""
        self.folder = folder
        self._seal = Seal(key, b"blobs", secret=secret)
        self._room = room
        with _explained(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._cache = self._open()
            with self._cache.transact(retry=True):  # nobody puts anything meanwhile
                self._names = Bloom(folder / _NAMES, self._all)
            self._cache.close()  # each thread opens its own

    def get(self, name: str) -> bytes | None:
        """The value; None where there is none, it has expired, or somebody changed it."""
        with _explained(self.folder):
            sealed = self._cache.get(name)
        return None if sealed is None else self._seal.open(name, sealed)

    def lacks(self, name: str) -> bool:
        """True where that name was surely never put, as most are that somebody asks for. No disk is asked."""
        return name not in self._names

    def stamp(self, name: str) -> float | None:
        """When the value was put there, another one for each; None where there is none, or it has expired. It
        takes some microseconds and no lock: it may be asked on an event loop."""
        if self.lacks(name):
            return None
        with _explained(self.folder):
            rows = self._cache._sql(_STAMP, (name, time.time())).fetchall()  # as `name in cache` does it
        return rows[0][0] if rows else None

    def put(self, name: str, value: bytes, seconds: float, tag: str = "") -> None:
        """Keep a value for so long, in place of any older one."""
        self.put_all([New(name, value, seconds, tag)])

    def put_all(self, new: Iterable[New]) -> None:
        """Keep values, of which no two have one name, in place of older ones: all of them, or none."""
        now = time.time()
        new = list(new)
        sealed = self._seal.close_all((name, value) for name, value, _, _ in new)
        rows = [
            (name, True, now, now + seconds, now, 0, tag or None, 0, diskcache.core.MODE_RAW, None, value)
            for (name, _, seconds, tag), value in zip(new, sealed, strict=True)
        ]
        with _explained(self.folder), self._cache.transact():
            self._names.add(one.name for one in new)  # before it can be seen; nobody else adds meanwhile
            many(self._cache._con, _PUT, rows)

    @contextmanager
    def together(self) -> Iterator[None]:
        """What is done within is written at once, or not at all; then the oldest make place, if need be."""
        with _explained(self.folder):
            with self._cache.transact():
                yield
            if self._cache.volume() > self._room:
                self._cache.cull()

    def update(self, name: str, change: Callable[[bytes | None], bytes], seconds: float) -> None:
        """Put what `change` makes of the value there is, or of None; no other process comes in between."""
        with self.together():
            self.put(name, change(self.get(name)), seconds)

    def delete(self, name: str) -> None:
        with _explained(self.folder):
            self._cache.delete(name)

    def rows(self) -> Iterator[Row]:
        """All that has not expired and can be opened; what is written meanwhile may be left out."""
        with _explained(self.folder):
            for name in self._cache:
                sealed, expires, tag = self._cache.get(name, expire_time=True, tag=True)
                value = None if sealed is None else self._seal.open(name, sealed)
                if value is not None:
                    yield Row(name, value, expires if type(expires) is float else 0.0, str(tag or ""))

    def size(self) -> int:
        """Bytes on disk."""
        return sum(path.stat().st_size for name in _FILES if (path := self.folder / name).exists())

    def close(self) -> None:
        """Close this thread's connection."""
        self._cache.close()

    def _open(self) -> diskcache.Cache:
        if not _is_ours(self.folder / _FILES[0]):
            logger.warning("The cache %s cannot be read and is begun anew.", self.folder)
            for name in (*_FILES, _NAMES):
                (self.folder / name).unlink(missing_ok=True)
        return self._connect()

    def _connect(self) -> diskcache.Cache:
        (self.folder / _FILES[0]).touch(mode=0o600)
        cache = diskcache.Cache.__new__(diskcache.Cache)  # can be closed also where it cannot be made
        try:
            cache.__init__(
                str(self.folder),
                timeout=_WAIT,
                disk=BytesDisk,
                disk_min_file_size=_IN_THE_ROW,
                size_limit=self._room,
                cull_limit=0,  # `together` sees to it
                eviction_policy="least-recently-stored",  # the other ones write at every hit
                statistics=0,
                tag_index=0,
                sqlite_cache_size=2**10,
            )
        finally:
            cache.close()  # each thread opens its own
        return cache

    def _all(self) -> Iterator[str]:
        """All names; what others wrote may be anything."""
        rows = self._cache._sql("SELECT CAST(key AS BLOB) FROM Cache WHERE raw = 1 AND typeof(key) = 'text'")
        return (name.decode(errors="replace") for (name,) in rows)


def _is_ours(path: Path) -> bool:
    """False for a file that is no cache, or has settings that diskcache does not know."""
    if not path.exists() or not path.stat().st_size:
        return True
    database = sqlite3.connect(path, timeout=_WAIT)
    try:
        return {key for (key,) in database.execute("SELECT key FROM Settings")} <= _SETTINGS
    except sqlite3.OperationalError as e:
        return "no such table" in str(e)  # of a process that was killed while it began; else not to be mended
    except sqlite3.DatabaseError:
        return False
    finally:
        database.close()


@contextmanager
def _explained(folder: Path) -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, diskcache.Timeout) as e:
        why = str(e) or "its disk is full, or another process has locked it"  # diskcache does not say which
        raise StateError(f"The cache {folder} cannot be used: {why}.") from e
    except OSError as e:
        if isinstance(e, StateError):
            raise
        raise StateError(f"The cache {folder} cannot be used: {e.strerror}.") from e
