"""A ledger with a few weeks of calls, for tests of the commands."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tollgate.calls import Usage
from tollgate.cost import ledger
from tollgate.cost.budgets import purse_name
from tollgate.cost.ledger import FILE, Entry
from tollgate.cost.windows import window_at, zone_of
from tollgate.store.purses import Claim, SqlitePurses
from tollgate.store.sqlite import open_sqlite

DAY = 86400
CENT = 10**7
ENTRY = Entry(
    id="",
    attempt=1,
    time=0.0,
    user="ann",
    team="platform",
    tool="codex",
    provider="openai",
    host="api.openai.com",
    asked="gpt-5.4",
    model="gpt-5.4",
    operation="chat",
    usage=Usage(input=1000, cache_read=9000, output=500),
    cost=50 * CENT,
    charged=50 * CENT,
    saved=20 * CENT,
    parts={"input": 30 * CENT, "output": 20 * CENT},
    source="flat",
)


def entries(now: float) -> list[Entry]:
    """Today: two of ann's, one that a plan paid, one unknown, one of our cache. A month ago: one."""
    nothing: Mapping[str, int] = {}
    made = [
        ENTRY,
        ENTRY,
        replace(
            ENTRY, user="bob", team="", paid="subscription", model="claude-opus-5-5", provider="anthropic"
        ),
        replace(
            ENTRY,
            cost=None,
            charged=CENT,
            parts=nothing,
            model="corp-llm",
            asked="",
            provider="corp",
            saved=0,
        ),
        replace(ENTRY, attempt=0, cost=0, charged=0, saved=0, cache_saved=70 * CENT, parts=nothing),
        replace(ENTRY, time=-40 * DAY),
    ]
    return [replace(entry, id=str(n), time=now + entry.time) for n, entry in enumerate(made)]


def make_ledger(folder: Path) -> None:
    """The ledger in a state folder. "team daily" is 81 % spent, "all" is spent."""
    now = time.time()
    database = open_sqlite(folder / FILE, ledger.SCRIPT, "ledger")
    database.execute("BEGIN IMMEDIATE")
    for entry in entries(now):
        ledger.add(database, [entry])
    day = window_at("day", now, zone_of("UTC"))
    purses = SqlitePurses(database)
    for name, scope, limit, spent in (("team daily", [("team", "platform")], 100, 81), ("all", [], 10, 11)):
        claim = Claim(purse_name(name, day.start, scope), limit * CENT, firm=True, ends=day.end)
        purses.spend(claim, spent * CENT)
    database.execute("COMMIT")
    database.close()


def make_policy(folder: Path, **cost: Any) -> Path:
    budgets = [
        {"name": "team daily", "limit": 1, "every": "day", "per": ["team"]},
        {"name": "all", "limit": 0.1, "every": "day"},
    ]
    file = folder / "policy.yaml"
    file.write_text(json.dumps({"cost": {"enabled": True, "budgets": budgets, **cost}}))
    return file
