"""The ledger: entries once, sums that agree with them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from support.costs import NOW
from tollgate.calls import Usage
from tollgate.cost import ledger
from tollgate.cost.ledger import Entry
from tollgate.store import StateError
from tollgate.store.sqlite import open_sqlite

USAGE = Usage(
    input=100,
    cache_read=900,
    cache_write=50,
    output=20,
    reasoning=30,
    requests={"web_search": 2},
    tier="flex",
)
ENTRY = Entry(
    id="1",
    attempt=1,
    time=NOW,
    user="ann",
    team="platform",
    provider="openai",
    asked="gpt-6",
    model="gpt-6-2026",
    usage=USAGE,
    cost=5_000,
    charged=5_000,
    saved=700,
    parts={"input": 4_000, "output": 1_000},
    source="flat",
    purses=("a", "b"),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = open_sqlite(tmp_path / "ledger.sqlite", ledger.SCRIPT, "ledger")
    yield database
    database.close()


def test_an_entry_comes_back_as_it_was(database: sqlite3.Connection) -> None:
    assert ledger.add(database, [ENTRY]) == [ENTRY]
    assert list(ledger.entries(database)) == [ENTRY]


def test_an_entry_is_written_once(database: sqlite3.Connection) -> None:
    ledger.add(database, [ENTRY])

    assert ledger.add(database, [replace(ENTRY, cost=9)]) == []
    assert ledger.add(database, [replace(ENTRY, attempt=n) for n in (1, 2, 2)]) == [replace(ENTRY, attempt=2)]
    assert [row["calls"] for row in ledger.sums(database)] == [2]


def test_sums_are_by_the_hour_and_by_whom_and_what(database: sqlite3.Connection) -> None:
    for n, entry in enumerate([ENTRY, ENTRY, replace(ENTRY, user="bob"), replace(ENTRY, time=NOW + 3600)]):
        ledger.add(database, [replace(entry, id=str(n))])
    first = ledger.sums(database)[0]

    assert [(row["hour"], row["user"], row["calls"]) for row in ledger.sums(database)] == [
        (int(NOW), "ann", 2),
        (int(NOW), "bob", 1),
        (int(NOW) + 3600, "ann", 1),
    ]
    assert (first["cost"], first["saved"], first["unknown"]) == (10_000, 1_400, 0)
    assert (first["input"], first["cached"], first["output"]) == (2 * 1050, 2 * 900, 2 * 50)
    assert ledger.sums(database, NOW + 1) == ledger.sums(database)[2:]


def test_what_is_not_known_is_counted_and_is_no_zero(database: sqlite3.Connection) -> None:
    unknown = replace(ENTRY, cost=None, charged=77, parts={})
    ledger.add(database, [unknown])
    ledger.add(database, [replace(ENTRY, id="2")])

    assert list(ledger.entries(database, unknown=True)) == [unknown]
    assert [(row["unknown"], row["cost"]) for row in ledger.sums(database)] == [(1, 5_000)]


def test_another_price_changes_the_sums_too(database: sqlite3.Connection) -> None:
    unknown = replace(ENTRY, cost=None)
    ledger.add(database, [unknown])
    assert ledger.replace(database, unknown, ENTRY)

    assert list(ledger.entries(database)) == [ENTRY]
    assert [(row["calls"], row["unknown"], row["cost"]) for row in ledger.sums(database)] == [(1, 0, 5_000)]


def test_who_comes_second_with_a_price_changes_nothing(database: sqlite3.Connection) -> None:
    unknown = replace(ENTRY, cost=None)
    ledger.add(database, [unknown])
    ledger.replace(database, unknown, ENTRY)

    assert not ledger.replace(database, unknown, ENTRY)
    assert [row["cost"] for row in ledger.sums(database)] == [5_000]


def test_the_hours_stay_when_their_rows_go(database: sqlite3.Connection) -> None:
    ledger.add(database, [ENTRY])
    ledger.forget(database, NOW + 1, NOW - 1)
    assert (list(ledger.entries(database)), len(ledger.sums(database))) == ([], 1)

    ledger.forget(database, NOW + 1, NOW + 1)
    assert ledger.sums(database) == []


def test_entries_of_a_time_are_in_order(database: sqlite3.Connection) -> None:
    for n in (3, 1, 2):
        ledger.add(database, [replace(ENTRY, id=str(n), time=NOW + n)])

    assert [e.id for e in ledger.entries(database, NOW + 2)] == ["2", "3"]
    assert [e.id for e in ledger.entries(database, until=NOW + 2)] == ["1"]


@pytest.mark.parametrize("table", ["entries", "hours"])
def test_a_ledger_of_another_version_is_not_begun_to_be_written(table: str, tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    ledger.open_ledger(path).close()
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"ALTER TABLE {table} RENAME COLUMN tool TO client")

    with pytest.raises(StateError, match=f"its table {table} differs in client, tool. Move the file away"):
        ledger.open_ledger(path)
