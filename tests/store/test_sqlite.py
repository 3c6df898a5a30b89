"""SQLite files that several processes share."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tollgate.store import StateError
from tollgate.store.sqlite import ROWS, many, open_sqlite

SCRIPT = "CREATE TABLE IF NOT EXISTS t (x)"


def test_a_file_is_made_for_its_owner_alone_and_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.sqlite"
    first = open_sqlite(path, SCRIPT, "ledger")
    first.execute("INSERT INTO t VALUES (1)")
    first.close()
    again = open_sqlite(path, SCRIPT, "ledger")

    assert again.execute("SELECT x FROM t").fetchall() == [(1,)]
    assert again.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert path.stat().st_mode & 0o077 == 0
    again.close()


def test_what_is_no_database_is_told_by_its_name(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    path.write_bytes(b"no database at all" * 100)

    with pytest.raises(StateError, match=r"The ledger .*x\.sqlite cannot be opened"):
        open_sqlite(path, SCRIPT, "ledger")


def test_a_folder_that_cannot_be_made_is_told_too(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError, match="cannot be opened"):
        open_sqlite(tmp_path / "file" / "x.sqlite", SCRIPT, "ledger")


def test_a_script_that_fails_leaves_no_connection_open(tmp_path: Path) -> None:
    with pytest.raises(StateError):
        open_sqlite(tmp_path / "x.sqlite", "no SQL", "ledger")
    sqlite3.connect(tmp_path / "x.sqlite").close()


@pytest.mark.parametrize("number", [0, 1, 2, 3, 63, 64, 65, 200])
def test_many_rows_are_few_statements(tmp_path: Path, number: int) -> None:
    database = open_sqlite(tmp_path / "x.sqlite", "CREATE TABLE IF NOT EXISTS pairs (a, b)", "ledger")
    rows = [(n, f"{n}") for n in range(number)]
    statements: list[str] = []
    database.set_trace_callback(statements.append)
    many(database, "INSERT INTO pairs VALUES {rows}", rows)
    database.set_trace_callback(None)
    found = many(database, "SELECT a, b FROM pairs WHERE (a, b) IN (VALUES {rows})", rows)

    assert sorted(row for part in found for row in part) == rows
    assert len(statements) <= number // ROWS + 6
    database.close()
