"""Puts prices on what had none when it was made, or had others."""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from itertools import batched

from tollgate.cost import ledger
from tollgate.cost.bill import Prices, reprice
from tollgate.cost.ledger import Entry
from tollgate.store.purses import SqlitePurses

BATCH = 200
"""Entries in a transaction: proxies write to the same file meanwhile."""


@dataclass(slots=True)
class Repriced:
    """What came of it. Money in nano-dollars."""

    priced: int = 0
    """Entries that have another price now."""
    change: int = 0
    """By how much the sum of all costs is higher."""
    unknown: Counter[str] = field(default_factory=Counter)
    """Models without a price still, with their entries."""


def reprice_all(
    database: sqlite3.Connection, prices: Prices, since: float = 0.0, *, every: bool = False
) -> Repriced:
    """Price the entries without a price since a moment; `every`: all of them. Their hours and the budgets
    whose windows are open are put right as well."""
    done = Repriced()
    for batch in batched(list(ledger.entries(database, since, unknown=not every)), BATCH, strict=False):
        database.execute("BEGIN IMMEDIATE")
        try:
            for entry in batch:
                _one(database, prices, entry, done)
        except BaseException:
            database.execute("ROLLBACK")
            raise
        database.execute("COMMIT")
    return done


def _one(database: sqlite3.Connection, prices: Prices, old: Entry, done: Repriced) -> None:
    new = reprice(prices, old)
    if new.cost is None:
        done.unknown[f"{new.provider}/{new.model}"] += 1
    if new == old or not ledger.replace(database, old, new):
        return
    done.priced += 1
    done.change += (new.cost or 0) - (old.cost or 0)
    purses = SqlitePurses(database)
    for purse in old.purses:
        purses.correct(purse, new.charged - old.charged)
