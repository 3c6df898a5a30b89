"""A process with a till of its own, for tests: python tests/support/tills.py LEDGER WHAT [NUMBER]

overspend: NUMBER calls at once, each holds 100 of a limit of 10,000 and costs what it held.
hold: settles one call, holds the rest of the limit, says so, and waits to be killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

from tollgate.cost.budgets import Budgets, Payer, Share
from tollgate.cost.ledger import Entry
from tollgate.cost.till import Settlement, Till
from tollgate.policy import Facts
from tollgate.policy.cost import CostSettings

LIMIT, EACH = 10_000, 100
KEEP = (1e9, 1e9)


def share(time: float) -> Share:
    settings = CostSettings.model_validate({"budgets": [{"name": "shared", "limit": 1, "every": "month"}]})
    found = Budgets(settings).of(Facts(), Payer(), {"metered"}, time)[0]
    return replace(found, claim=replace(found.claim, limit=LIMIT))


def entry(call: str, charged: int = EACH, moment: float = 0.0) -> Entry:
    return Entry(id=call, attempt=1, time=moment or time.time(), model="m", cost=charged, charged=charged)


def make_till(path: Path) -> Till:
    return Till(path, KEEP, lambda spent: None, print)


async def overspend(till: Till, number: int) -> int:
    """How many calls were granted. Each lasts for some turns of the loop, so that many are under way."""
    shares = [share(time.time())]

    async def call(n: int) -> bool:
        name = f"{os.getpid()}-{n}"
        reserved = await till.reserve(name, EACH, [each.claim for each in shares])
        if reserved.granted:
            await asyncio.sleep(0.001)
            till.settle(Settlement(name, [entry(name)], shares))
        return reserved.granted

    return sum(await asyncio.gather(*map(call, range(number))))


async def hold(till: Till) -> None:
    shares = [share(time.time())]
    claims = [each.claim for each in shares]
    await till.reserve("settled", EACH, claims)
    till.settle(Settlement("settled", [entry("settled")], shares))
    while not (await till.reserve("look", 0, claims)).levels[0].spent:
        await asyncio.sleep(0.01)
    await till.reserve("open", LIMIT - EACH, claims)
    print("held", flush=True)
    await asyncio.sleep(60)


async def main(path: Path, what: str, number: int) -> None:
    till = make_till(path)
    try:
        if what == "overspend":
            print(await overspend(till, number))
        else:
            await hold(till)
    finally:
        till.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
