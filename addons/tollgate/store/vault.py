"""A small encrypted map on disk whose entries expire: what may last, but not lie open.

Names are kept as keyed digests only. Values are sealed with AES-GCM, bound to their names.
"""

from __future__ import annotations

import hmac
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tollgate.store.state import StateError

VAULT_FILE = "vault.sqlite"
_NONCE = 12
_WAIT = 5.0
"""Seconds to wait for another process that writes."""
_SWEEP = 64
"""Every so many writes, what has expired or is too much is removed."""

_TABLE = """CREATE TABLE IF NOT EXISTS vault (
    name BLOB PRIMARY KEY, expires REAL NOT NULL, sealed BLOB NOT NULL
)"""
_INDEX = "CREATE INDEX IF NOT EXISTS vault_expires ON vault (expires)"
_PUT = "INSERT OR REPLACE INTO vault VALUES (?, ?, ?)"
_GET = "SELECT sealed FROM vault WHERE name = ? AND expires > ?"
_EXPIRE = "DELETE FROM vault WHERE expires <= ?"
_SHRINK = """DELETE FROM vault WHERE name IN (
    SELECT name FROM (SELECT name, SUM(LENGTH(sealed)) OVER (ORDER BY expires DESC) AS newer FROM vault)
    WHERE newer > ?
)"""


class Vault:
    """Names to bytes, shared by the processes of one machine that have the key. Safe from several threads.

    An entry has `largest` bytes at most and lasts for `keep` seconds; all together have about `room` bytes,
    and the oldest make place for new ones. sqlite3.Error where the file stops being usable.
    """

    def __init__(
        self,
        folder: Path,
        key: bytes,
        *,
        keep: float = 30 * 86400.0,
        largest: int = 2**20,
        room: int = 256 * 2**20,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """StateError where the file cannot be opened."""
        self._names = hmac.digest(key, b"tollgate vault names", "sha256")
        self._cipher = AESGCM(hmac.digest(key, b"tollgate vault values", "sha256"))
        self._keep = keep
        self._largest = largest
        self._room = room
        self._clock = clock
        self._writes = 0
        self._lock = threading.Lock()
        self._database = _open(folder / VAULT_FILE)

    def put(self, name: str, value: bytes) -> bool:
        """Keep a value, in place of any older one. False where it is too large to keep."""
        if len(value) > self._largest:
            return False
        digest, nonce, now = self._digest(name), os.urandom(_NONCE), self._clock()
        sealed = nonce + self._cipher.encrypt(nonce, value, digest)
        with self._lock, self._database:
            self._database.execute(_PUT, (digest, now + self._keep, sealed))
            if self._writes % _SWEEP == 0:
                self._database.execute(_EXPIRE, (now,))
                self._database.execute(_SHRINK, (self._room,))
            self._writes += 1
        return True

    def get(self, name: str) -> bytes | None:
        """The value; None where there is none, it has expired, or somebody changed it."""
        digest = self._digest(name)
        with self._lock:
            row = self._database.execute(_GET, (digest, self._clock())).fetchone()
        if row is None:
            return None
        sealed: bytes = row[0]
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], digest)
        except InvalidTag:
            return None

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _digest(self, name: str) -> bytes:
        return hmac.digest(self._names, name.encode(), "sha256")


def _open(path: Path) -> sqlite3.Connection:
    try:
        path.touch(mode=0o600)
        database = sqlite3.connect(path, timeout=_WAIT, check_same_thread=False)
        try:
            _prepare(database)
        except sqlite3.Error:
            database.close()
            raise
    except (OSError, sqlite3.Error) as e:
        raise StateError(
            f"The vault {path} cannot be opened: {e}. Remove it to begin with an empty one."
        ) from e
    return database


def _prepare(database: sqlite3.Connection) -> None:
    # A reader never waits for a writer, and a crash loses the last entries at most.
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    with database:
        database.execute(_TABLE)
        database.execute(_INDEX)
