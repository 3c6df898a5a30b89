"""Prices for what had none when it was made."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from support.costs import NOW, FlatPrices
from tollgate.calls import Usage
from tollgate.cost import ledger
from tollgate.cost.ledger import Entry
from tollgate.cost.reprice import BATCH, reprice_all
from tollgate.store.purses import Claim, SqlitePurses, all_purses
from tollgate.store.sqlite import open_sqlite

UNKNOWN = Entry(
    id="1",
    attempt=1,
    time=NOW,
    provider="corp",
    model="m",
    usage=Usage(input=10),
    charged=900_000,
    purses=("p",),
)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = open_sqlite(tmp_path / "ledger.sqlite", ledger.SCRIPT, "ledger")
    SqlitePurses(database).spend(Claim("p", 10**9, firm=True, ends=NOW + 60), 900_000)
    yield database
    database.close()


def test_entries_hours_and_open_budgets_are_put_right(database: sqlite3.Connection) -> None:
    ledger.add(database, [UNKNOWN])
    done = reprice_all(database, FlatPrices())
    (entry,) = ledger.entries(database)
    (purse,) = all_purses(database, NOW)

    assert (done.priced, done.change, done.unknown) == (1, 10_000, {})
    assert (entry.cost, entry.charged, entry.source) == (10_000, 10_000, "flat")
    assert [(row["unknown"], row["cost"]) for row in ledger.sums(database)] == [(0, 10_000)]
    assert purse.spent == 10_000


def test_what_is_unknown_still_is_told_by_its_model(database: sqlite3.Connection) -> None:
    ledger.add(database, [replace(UNKNOWN, model="unknown")])
    done = reprice_all(database, FlatPrices())

    assert (done.priced, done.unknown) == (0, {"corp/unknown": 1})


def test_what_has_a_price_is_looked_at_only_if_asked(database: sqlite3.Connection) -> None:
    for n in range(BATCH + 1):
        ledger.add(database, [replace(UNKNOWN, id=str(n), cost=5, charged=5, purses=())])

    assert reprice_all(database, FlatPrices()).priced == 0
    again = reprice_all(database, FlatPrices(), every=True)
    assert (again.priced, again.change) == (BATCH + 1, (BATCH + 1) * 9_995)
    assert reprice_all(database, FlatPrices(), every=True).priced == 0


@pytest.mark.parametrize(("source", "cost"), [("target eu", 10), ("target gone", 5)])
def test_what_was_agreed_for_a_target_is_priced_by_that_or_left(
    source: str, cost: int, database: sqlite3.Connection
) -> None:
    ledger.add(database, [replace(UNKNOWN, cost=5, charged=5, source=source)])
    reprice_all(database, FlatPrices(), every=True)

    assert [entry.cost for entry in ledger.entries(database)] == [cost]


def test_a_time_before_is_left_alone(database: sqlite3.Connection) -> None:
    ledger.add(database, [UNKNOWN])

    assert reprice_all(database, FlatPrices(), NOW + 1).priced == 0


def test_where_it_fails_nothing_of_the_batch_is_changed(database: sqlite3.Connection) -> None:
    class Broken(FlatPrices):
        def by_names(self, *args: object, **named: object) -> None:
            raise ZeroDivisionError

    ledger.add(database, [UNKNOWN])
    with pytest.raises(ZeroDivisionError):
        reprice_all(database, Broken())

    assert not database.in_transaction
    assert list(ledger.entries(database)) == [UNKNOWN]
