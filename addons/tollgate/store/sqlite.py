"""SQLite files that several processes of one machine write to."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from tollgate.store.state import StateError

WAIT = 5.0
"""Seconds to wait for another process that writes."""


def open_sqlite(path: Path, script: str, what: str, *, synchronous: str = "NORMAL") -> sqlite3.Connection:
    """A connection without transactions of its own, the file and the script's tables made if they are not
    there (0600). StateError, which calls the file `what`, where it cannot be opened.

    WAL: a reader never waits for a writer. A killed process loses nothing that it committed; with "NORMAL" a
    machine that loses its power loses the last commits, with "FULL" none.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
        database = sqlite3.connect(path, timeout=WAIT, isolation_level=None, check_same_thread=False)
        try:
            database.execute("PRAGMA journal_mode = WAL")
            database.execute(f"PRAGMA synchronous = {synchronous}")
            database.executescript(script)
        except sqlite3.Error:
            database.close()
            raise
    except (OSError, sqlite3.Error) as e:
        raise StateError(f"The {what} {path} cannot be opened: {e}.") from e
    return database
