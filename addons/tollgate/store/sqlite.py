"""SQLite files that several processes of one machine write to."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from tollgate.store.state import StateError

ROWS = 64
"""The most in one statement; of its sizes, powers of two, each is compiled once."""
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


def many(
    database: sqlite3.Connection, query: str, rows: Sequence[Sequence[object]]
) -> list[list[tuple[object, ...]]]:
    """Run a query whose `{rows}` stands for rows of parameters, with many rows at a time; gives what each of
    its statements gave. With every statement a thread lets go of Python, and waits to have it back: row by
    row, the event loop is disturbed more than all the rest costs."""
    given = []
    start = 0
    while start < len(rows):
        size = min(ROWS, 1 << ((len(rows) - start).bit_length() - 1))
        part = rows[start : start + size]
        marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * size)
        given.append(database.execute(query.format(rows=marks), list(chain.from_iterable(part))).fetchall())
        start += size
    return given
