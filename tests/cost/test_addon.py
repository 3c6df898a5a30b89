"""Costs through a whole proxy, before a simulated provider: priced, held, refused, settled, on record."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from support.costs import until
from support.proxy import CHAT, KEY, Provider, Proxy, chat, tollgate

MODEL = "gpt-5.4"
ANTHROPIC = "https://api.anthropic.com/v1/messages"


def policy(*budgets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"cost": {"enabled": True, "budgets": list(budgets), **more}}


async def call(proxy: Proxy, **more: Any) -> tuple[int, Any, str]:
    """The status, the headers and the body of a chat call."""
    headers = more.pop("headers", KEY)
    body = {**chat("hello there", model=MODEL, max_completion_tokens=1000), **more}
    async with proxy.client().post(CHAT, json=body, headers=headers) as response:
        return response.status, response.headers, await response.text()


def entries(proxy: Proxy) -> list[dict[str, Any]]:
    path = proxy.folder / "state" / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM entries ORDER BY time")]
    database.close()
    return rows


async def settled(proxy: Proxy, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await until(lambda: len(f := entries(proxy)) >= number and f)
    return found


def held(proxy: Proxy) -> int:
    with sqlite3.connect(proxy.folder / "state" / "ledger.sqlite") as database:
        number = database.execute("SELECT COUNT(*) FROM holds").fetchone()[0]
    database.close()
    return int(number)


def use(provider: Provider, **usage: int) -> None:
    """What every answer from now on says that it used."""


async def test_a_call_is_priced_in_the_ledger_and_on_record(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, policy(headers=True)) as proxy:
        status, headers, body = await call(proxy)
        row, record = (await settled(proxy, 1))[0], (await proxy.records(1))[0]

    used = json.loads(body)["usage"]
    assert status == 200
    assert row["cost"] == record["cost"] == row["charged"] > 0
    assert record["paid"] == row["paid"] == "metered"
    assert json.loads(row["usage"])["input"] == used["prompt_tokens"]
    assert headers["x-tollgate-cost"] == f"{row['cost'] / 1e9:.9f}".rstrip("0") + " USD"
    assert "x-tollgate-budget-remaining" not in headers
