"""The ledger: a row for every attempt that cost something, and sums by the hour. The SQL stands here."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import orjson

from tollgate.calls import Usage
from tollgate.store import StateError
from tollgate.store.purses import SCRIPT as PURSES
from tollgate.store.sqlite import many, open_sqlite

FILE = "ledger.sqlite"

SCRIPT = f"""
{PURSES}
CREATE TABLE IF NOT EXISTS entries (
    id TEXT NOT NULL, attempt INTEGER NOT NULL, time REAL NOT NULL,
    user TEXT NOT NULL, team TEXT NOT NULL, project TEXT NOT NULL, session TEXT NOT NULL,
    credential TEXT NOT NULL, tool TEXT NOT NULL,
    provider TEXT NOT NULL, host TEXT NOT NULL, asked TEXT NOT NULL, model TEXT NOT NULL,
    operation TEXT NOT NULL, paid TEXT NOT NULL, status INTEGER, usage TEXT NOT NULL,
    cost INTEGER, charged INTEGER NOT NULL, saved INTEGER NOT NULL, cache_saved INTEGER NOT NULL,
    parts TEXT NOT NULL, source TEXT NOT NULL, purses TEXT NOT NULL,
    PRIMARY KEY (id, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_time ON entries (time);
CREATE INDEX IF NOT EXISTS entries_unknown ON entries (time) WHERE cost IS NULL;
CREATE TABLE IF NOT EXISTS hours (
    hour INTEGER NOT NULL, user TEXT NOT NULL, team TEXT NOT NULL, project TEXT NOT NULL,
    tool TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, paid TEXT NOT NULL,
    calls INTEGER NOT NULL, unknown INTEGER NOT NULL, cost INTEGER NOT NULL,
    saved INTEGER NOT NULL, cache_saved INTEGER NOT NULL,
    input INTEGER NOT NULL, cached INTEGER NOT NULL, output INTEGER NOT NULL,
    PRIMARY KEY (hour, user, team, project, tool, provider, model, paid)
) WITHOUT ROWID;
"""
HOUR = 3600
AGREED = "target "
"""How `Entry.source` begins where the price was agreed for a target of the policy; its name follows."""

_KEYS = ("hour", "user", "team", "project", "tool", "provider", "model", "paid")
_SUMS = ("calls", "unknown", "cost", "saved", "cache_saved", "input", "cached", "output")
_SUM_UP = f"""INSERT INTO hours VALUES {{rows}}
    ON CONFLICT ({", ".join(_KEYS)}) DO UPDATE SET {", ".join(f"{n} = {n} + excluded.{n}" for n in _SUMS)}"""  # noqa: S608 (names of our own)

_CACHED = ("cache_read",)
_INPUT = ("input", "cache_read", "cache_write", "cache_write_long", "input_audio", "input_image")
_OUTPUT = ("output", "reasoning", "output_audio", "output_image")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An attempt that cost something, or an answer of our cache that saved it. Money in nano-dollars."""

    id: str
    """Of the call."""
    attempt: int
    """From 1; 0 for an answer of our cache."""
    time: float
    """When the call began: seconds since 1970."""
    user: str = ""
    team: str = ""
    project: str = ""
    session: str = ""
    credential: str = ""
    tool: str = ""
    provider: str = ""
    host: str = ""
    asked: str = ""
    """The model asked for at the provider."""
    model: str = ""
    """The one that answered, where the answer says it; else the one asked for."""
    operation: str = ""
    paid: str = "metered"
    """ "subscription": nobody is billed for it, and the cost is what it would have been."""
    status: int | None = None
    usage: Usage = field(default_factory=Usage)
    cost: int | None = None
    """None where no price is known."""
    charged: int = 0
    """What budgets were charged: the cost, or the ceiling where it is not known."""
    saved: int = 0
    """By the provider's prompt cache."""
    cache_saved: int = 0
    """By our cache: what the answer did cost once."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """The cost by field of `Usage`."""
    source: str = ""
    """Who says what it costs."""
    purses: tuple[str, ...] = ()
    """The purses that were charged."""


COLUMNS = tuple(f.name for f in fields(Entry))
_TABLES = {"entries": COLUMNS, "hours": _KEYS + _SUMS}
_ADD = f"INSERT INTO entries ({', '.join(COLUMNS)}) VALUES {{rows}}"  # noqa: S608
_KNOWN = "SELECT id, attempt FROM entries WHERE (id, attempt) IN (VALUES {rows})"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM entries"  # noqa: S608 (names of our own)
_JSON = {
    "usage": lambda usage: usage.as_dict(),
    "parts": dict,
    "purses": list,
}
_PRICED = """UPDATE entries SET cost = ?, charged = ?, saved = ?, cache_saved = ?, parts = ?, source = ?
    WHERE id = ? AND attempt = ? AND cost IS ?"""


def open_ledger(path: Path) -> sqlite3.Connection:
    """The ledger, made if it is not there. StateError where it cannot be opened, or is one of another
    version, whose tables have other columns."""
    database = open_sqlite(path, SCRIPT, "ledger")
    for table, names in _TABLES.items():
        found = {row[1] for row in database.execute(f"PRAGMA table_info({table})")}
        if found != set(names):
            database.close()
            wrong = ", ".join(sorted(found.symmetric_difference(names)))
            raise StateError(
                f"The ledger {path} is not of this version of Tollgate: its table {table} differs in {wrong}."
                " Move the file away, with those beside it that end in -wal and -shm: a new one is begun."
            )
    return database


def add(database: sqlite3.Connection, entries: Sequence[Entry]) -> list[Entry]:
    """Write entries, and add them to their hours; gives those that were not written before.

    OverflowError, TypeError or ValueError for what no row can hold; nothing is written then.
    """
    keys = {(entry.id, entry.attempt): entry for entry in entries}
    known = {tuple(row) for part in many(database, _KNOWN, list(keys)) for row in part}
    fresh = [entry for key, entry in keys.items() if key not in known]
    hours: dict[tuple[object, ...], tuple[int, ...]] = {}
    for entry in fresh:
        key = _hour_key(entry)
        before = hours.get(key, (0,) * len(_SUMS))
        hours[key] = tuple(map(int.__add__, before, _sums(entry)))
    rows = [_row(entry) for entry in fresh]
    many(database, _ADD, rows)
    many(database, _SUM_UP, [(*key, *sums) for key, sums in hours.items()])
    return fresh


def replace(database: sqlite3.Connection, old: Entry, new: Entry) -> bool:
    """Put another price in the place of an entry's, in its hour too. False where somebody else was first."""
    money = (new.cost, new.charged, new.saved, new.cache_saved, _dump(dict(new.parts)), new.source)
    if not database.execute(_PRICED, (*money, old.id, old.attempt, old.cost)).rowcount:
        return False
    change = [after - before for before, after in zip(_sums(old), _sums(new), strict=True)]
    many(database, _SUM_UP, [(*_hour_key(old), *change)])
    return True


def entries(
    database: sqlite3.Connection, since: float = 0.0, until: float = 1e12, *, unknown: bool = False
) -> Iterator[Entry]:
    """The entries of a time, oldest first; `unknown`: only those whose price was not known."""
    missing = " AND cost IS NULL" if unknown else ""
    query = f"{_SELECT} WHERE time >= ? AND time < ?{missing} ORDER BY time, id, attempt"
    return (_entry(row) for row in database.execute(query, (since, until)))


def sums(database: sqlite3.Connection, since: float = 0.0, until: float = 1e12) -> list[dict[str, Any]]:
    """The sums of the hours that begin in a time, oldest first: a dict for each, `hour` in seconds."""
    names = _KEYS + _SUMS
    query = f"SELECT {', '.join(names)} FROM hours WHERE hour >= ? AND hour < ? ORDER BY hour"  # noqa: S608
    return [dict(zip(names, row, strict=True)) for row in database.execute(query, (since, until))]


def forget(database: sqlite3.Connection, rows_before: float, hours_before: float) -> None:
    """Remove what is older than that. The hours stay when their rows go."""
    database.execute("DELETE FROM entries WHERE time < ?", (rows_before,))
    database.execute("DELETE FROM hours WHERE hour < ?", (hours_before,))


def tokens(usage: Usage) -> tuple[int, int, int]:
    """All input, what of it the provider had cached, and all output."""
    return _total(usage, _INPUT), _total(usage, _CACHED), _total(usage, _OUTPUT)


def _total(usage: Usage, names: tuple[str, ...]) -> int:
    return sum(int(getattr(usage, name)) for name in names)


def _hour_key(entry: Entry) -> tuple[object, ...]:
    hour = int(entry.time) // HOUR * HOUR
    return (hour, *(getattr(entry, name) for name in _KEYS[1:]))


def _sums(entry: Entry) -> tuple[int, ...]:
    unknown = entry.cost is None
    return (1, int(unknown), entry.cost or 0, entry.saved, entry.cache_saved, *tokens(entry.usage))


def _row(entry: Entry) -> tuple[object, ...]:
    values = ((name, getattr(entry, name)) for name in COLUMNS)
    return tuple(_dump(_JSON[name](value)) if name in _JSON else value for name, value in values)


def _entry(row: tuple[Any, ...]) -> Entry:
    found = dict(zip(COLUMNS, row, strict=True))
    found["usage"] = Usage(**orjson.loads(found["usage"]))
    found["parts"] = orjson.loads(found["parts"])
    found["purses"] = tuple(orjson.loads(found["purses"]))
    return Entry(**found)


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()
