"""Purses: what may be spent, shared by the processes of one machine, and never overspent by any two of them.

A call holds what it may cost before it is made; when it is over, what it did cost is spent. What a process
holds that died is let go: at once where that can be seen, else when it has not been heard of for a while.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from tollgate.store.sqlite import many

ALIVE = 60.0
"""Seconds after which a process that was not heard of is taken for dead."""
RENEW = 1.0
"""Seconds after which a process that reserves says again that it lives."""

SCRIPT = """
CREATE TABLE IF NOT EXISTS purses (
    purse TEXT PRIMARY KEY, spent INTEGER NOT NULL, cap INTEGER NOT NULL, ends REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS holds (
    purse TEXT NOT NULL, id TEXT NOT NULL, owner TEXT NOT NULL, amount INTEGER NOT NULL,
    PRIMARY KEY (purse, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS owners (
    owner TEXT PRIMARY KEY, machine TEXT NOT NULL, pid INTEGER NOT NULL, expires REAL NOT NULL
) WITHOUT ROWID;
"""
_LEVEL = """SELECT COALESCE((SELECT spent FROM purses WHERE purse = ?1), 0),
    COALESCE((SELECT SUM(amount) FROM holds WHERE purse = ?1 AND id <> ?2), 0)"""
_HOLD = "INSERT OR REPLACE INTO holds VALUES {rows}"
_FREE = "DELETE FROM holds WHERE (purse, id) IN (VALUES {rows})"
_SPEND = """INSERT INTO purses VALUES (?, ?, ?, ?)
    ON CONFLICT (purse) DO UPDATE SET spent = spent + excluded.spent, cap = excluded.cap RETURNING spent"""
_LIVE = "INSERT OR REPLACE INTO owners VALUES (?, ?, ?, ?)"
_ORPHANS = "DELETE FROM holds WHERE owner NOT IN (SELECT owner FROM owners)"
_ALL = """SELECT purse, spent, cap, ends,
    COALESCE((SELECT SUM(amount) FROM holds WHERE holds.purse = purses.purse), 0)
    FROM purses WHERE ends > ?"""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a call wants of one purse."""

    purse: str
    """Its name; the same name is the same money."""
    limit: int
    """All that may be spent of it. Amounts are in nano-dollars."""
    firm: bool
    """False where the limit is only watched."""
    ends: float
    """When its window closes: seconds since 1970."""


class Level(NamedTuple):
    """How full a purse is, without the call that asks."""

    spent: int
    held: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """How a reservation went: all of its claims, or none."""

    granted: bool
    levels: tuple[Level, ...]
    """In the order of the claims."""


class Purse(NamedTuple):
    """A purse as reports show it."""

    name: str
    spent: int
    limit: int
    ends: float
    held: int


class Purses(Protocol):
    """Counters and reservations, wherever they are kept."""

    def reserve(self, call: str, amount: int, claims: Sequence[Claim], now: float) -> Reserved:
        """Hold an amount of each claim's purse for a call, or of none; again, in place of what it held."""

    def release(self, held: Sequence[tuple[str, str]]) -> None:
        """Let go of what calls hold: (purse, call)."""

    def spend(self, claim: Claim, amount: int) -> int:
        """Spend of a claim's purse; gives what is spent of it now."""

    def beat(self, now: float) -> None:
        """Say that this process lives, and let go of what the dead held."""

    def leave(self) -> None:
        """This process ends, and holds nothing any more."""

    def correct(self, purse: str, difference: int) -> None:
        """Change what is spent of a purse, if it is still there."""

    def forget(self, before: float) -> None:
        """Remove the purses whose window closed before that moment."""

    def undone(self) -> None:
        """What the last calls did was rolled back."""


class SqlitePurses:
    """Purses in a SQLite file. Whoever has the connection opens and commits the transaction around a call of
    these methods: `BEGIN IMMEDIATE`, so that no other process reads what is about to change."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._machine = machine()
        self._owner = uuid.uuid4().hex
        self._renewed = 0.0

    def reserve(self, call: str, amount: int, claims: Sequence[Claim], now: float) -> Reserved:
        if abs(now - self._renewed) >= RENEW:  # others let go of what a process holds that is not known
            self._live(now)
        levels = self._levels(call, claims)
        if not fits(amount, claims, levels) and self._sweep(now):
            levels = self._levels(call, claims)
        granted = fits(amount, claims, levels)
        if granted:
            many(self._database, _HOLD, [(claim.purse, call, self._owner, amount) for claim in claims])
        return Reserved(granted, levels)

    def release(self, held: Sequence[tuple[str, str]]) -> None:
        many(self._database, _FREE, held)

    def spend(self, claim: Claim, amount: int) -> int:
        row = (claim.purse, amount, claim.limit, claim.ends)
        spent: int = self._database.execute(_SPEND, row).fetchone()[0]
        return spent

    def correct(self, purse: str, difference: int) -> None:
        self._database.execute("UPDATE purses SET spent = spent + ? WHERE purse = ?", (difference, purse))

    def beat(self, now: float) -> None:
        self._live(now)
        self._sweep(now)

    def leave(self) -> None:
        self._database.execute("DELETE FROM owners WHERE owner = ?", (self._owner,))
        self._database.execute(_ORPHANS)

    def forget(self, before: float) -> None:
        self._database.execute("DELETE FROM purses WHERE ends < ?", (before,))

    def undone(self) -> None:
        self._renewed = 0.0

    def _live(self, now: float) -> None:
        self._renewed = now
        self._database.execute(_LIVE, (self._owner, self._machine, os.getpid(), now + ALIVE))

    def _levels(self, call: str, claims: Iterable[Claim]) -> tuple[Level, ...]:
        return tuple(Level(*self._database.execute(_LEVEL, (c.purse, call)).fetchone()) for c in claims)

    def _sweep(self, now: float) -> bool:
        """Let go of what the dead held; True where that was something."""
        owners = self._database.execute("SELECT owner, machine, pid, expires FROM owners").fetchall()
        dead = [row[0] for row in owners if row[3] <= now or (row[1] == self._machine and not lives(row[2]))]
        self._database.executemany("DELETE FROM owners WHERE owner = ?", [(owner,) for owner in dead])
        return bool(dead) and self._database.execute(_ORPHANS).rowcount > 0


def all_purses(database: sqlite3.Connection, now: float) -> list[Purse]:
    """Those whose window is open."""
    return [Purse(*row) for row in database.execute(_ALL, (now,))]


def fits(amount: int, claims: Sequence[Claim], levels: Sequence[Level]) -> bool:
    """True where no firm limit would be passed. What costs nothing always fits."""
    pairs = zip(claims, levels, strict=True)
    return not amount or all(
        not claim.firm or level.spent + level.held + amount <= claim.limit for claim, level in pairs
    )


def lives(pid: int) -> bool:
    """Whether a process of this machine is there. Its number may be another one's by now; then what it held
    is let go when it expires."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def machine() -> str:
    """This machine since it was started, and within it the container, whose process numbers are its own."""
    return "/".join((platform.node(), _read_boot(), _read_namespace()))


def _read_boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def _read_namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""
