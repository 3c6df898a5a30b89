"""Every fault of a provider against every strategy of a route: real processes, one call for each pair."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import ssl
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp

from support.stage import LOOPBACK, Tollgate, simulated_provider, tollgate

URL = "https://api.anthropic.com/v1/messages"
LONGEST = 5.0
"""Seconds after which a call hangs."""
RETRIES = 1
_CASE = "x-case"
_GOOD = "good"
_NOWHERE = 1
"""A port on which nobody listens."""
_GIVEN_UP = 15.0
_HEADERS = {"x-api-key": "key-of-nobody", "anthropic-version": "2023-06-01"}


@dataclass(frozen=True)
class Fault:
    """How a target fails."""

    name: str
    behaviour: Mapping[str, Any] | None = None
    """Of the simulated provider; None for nobody there."""
    late: bool = False
    """True where the client has had a byte by then, so that nobody else is asked; and the provider bills what
    it has made."""
    ends_well: bool = False
    """True where the answer is only slow."""
    pause: float = 0.0
    """Seconds for which the provider asks to be left alone."""
    races: bool = False
    """True where a warm connection closes at once, as one does that was idle for too long: then the same
    attempt is made on another one (RFC 9112 section 9.3.1)."""

    @property
    def tries(self) -> int:
        """How often a target may be asked that fails so."""
        return 1 if self.late else 1 + RETRIES


FAULTS = (
    Fault("refuse"),
    Fault("hang", {"hang": "never"}),
    Fault("429, retry-after", {"status": 429, "retry_after": "0.2"}, pause=0.2),
    Fault("429, an hour", {"status": 429, "retry_after": "3600"}),
    Fault("500", {"status": 500}),
    Fault("529", {"status": 529}),
    Fault("error event", {"error_after": 0}),
    Fault("garbage", {"garbage": "head"}),
    Fault("cut, no head", {"refuse": True}, races=True),
    Fault("cut, no event", {"cut": 0}),
    Fault("cut, 2 events", {"cut": 2, "gap": 0.05}, late=True),
    Fault("slow drip", {"gap": 0.02, "split": 40}, late=True, ends_well=True),
)
ALONE = "alone"
STRATEGIES: Mapping[str, Mapping[str, Any]] = {
    ALONE: {},
    "hedged": {"hedge": "500 ms"},
    **{
        name: {"strategy": name}
        for name in (
            "priority", "weighted", "round_robin", "least_busy", "lowest_latency", "cheapest", "canary",
        )
    },
}  # fmt: skip
"""The part of a route that differs; "alone" is a target without another."""


@dataclass(frozen=True)
class Row:
    """What came of one call. Money in nano-dollars."""

    fault: Fault
    strategy: str
    saw: str
    """By the client: ok, an error's status and type, "error event", or what an SDK could not explain."""
    seconds: float
    attempts: tuple[str, ...] = ()
    """The targets, in the order in which they were asked."""
    charged: tuple[int, ...] = ()
    """For each attempt."""
    held: int = 0
    """What is still kept back of a budget for calls that are over."""
    heard: int = 0
    """How many requests reached a provider."""

    @property
    def tries(self) -> int:
        """How often the target was asked that fails."""
        return sum(name != _GOOD for name in self.attempts)

    @property
    def failed(self) -> int:
        """Charged for the target that fails."""
        return sum(money for name, money in zip(self.attempts, self.charged, strict=True) if name != _GOOD)

    @property
    def answered(self) -> int:
        """Charged for the one that works."""
        return sum(self.charged) - self.failed

    def wrong(self) -> Iterator[str]:
        """The rules that are broken."""
        if self.seconds > LONGEST:
            yield "it hangs"
        if self.saw not in self._wanted() and not (self.saw[:1].isdigit() and self.strategy == ALONE):
            yield f"the client should see: {' or '.join(self._wanted())}"
        if not 1 <= self.tries <= self.fault.tries:
            yield f"the failing target was asked {self.tries} times, not 1 to {self.fault.tries}"
        if self.tries > 1 and self.seconds < self.fault.pause:
            yield "it was asked again sooner than it wants"
        if self.fault.late and max(self.heard, len(self.attempts)) > 1:
            yield "it was sent again after the first byte"
        reached = len(self.attempts) - (self.tries if self.fault.behaviour is None else 0)
        if self.heard != reached and not (self.fault.races and self.heard > reached):
            yield f"providers heard {self.heard} requests, not {reached}"
        if self.failed and not self.fault.late:
            yield "a budget is charged for what failed"
        if self.saw == "ok" and not sum(self.charged):
            yield "an answer is not charged"
        if self.held:
            yield "a budget still holds something back"

    def _wanted(self) -> tuple[str, ...]:
        if self.fault.ends_well or not (self.fault.late or self.strategy == ALONE):
            return ("ok",)
        return ("error event",) if self.fault.late else ("an error's status", "error event")


def play(folder: Path) -> list[Row]:
    """A row for each pair, fault by fault. ProcessError where a process does not start or end."""
    (folder / "provider").mkdir()
    (folder / "tollgate").mkdir()
    with simulated_provider(folder / "provider") as provider:
        with tollgate(folder / "tollgate", provider, policy()) as gateway:
            rows = asyncio.run(_ask_all(gateway))
            records = gateway.records(len(rows))
        heard = Counter(json.loads(entry["body"])["model"] for entry in provider.journal())
    return _accounted(rows, records, heard, folder / "tollgate" / "state" / "ledger.sqlite")


def policy() -> dict[str, Any]:
    """A header says which target fails, and by which strategy it is chosen first."""
    common = {"provider": "anthropic", "credential": "client", "breaker": {"failures": 1000}}
    cheap = common | {"prices": {"input": 1, "output": 1}}
    targets = {_id(fault.name): cheap | _place(fault) for fault in FAULTS}
    return {
        "timeouts": {"connect": "2 s", "first_byte": "1 s", "idle": "2 s"},
        "targets": targets | {_GOOD: common | {"prices": {"input": 2, "output": 2}}},
        "rules": [_rule(fault, name, route) for fault in FAULTS for name, route in STRATEGIES.items()],
        "cost": {"enabled": True, "budgets": [{"name": "chaos", "limit": 1000, "every": "month"}]},
        "trail": {"flush": "20 ms"},
    }


def _place(fault: Fault) -> dict[str, Any]:
    if fault.behaviour is None:
        return {"host": LOOPBACK, "port": _NOWHERE, "scheme": "http", "provider": None,
                "dialect": "anthropic-messages", "credential": []}  # fmt: skip
    return {"headers": {"set": {"x-simulate": json.dumps(fault.behaviour)}}}


def _rule(fault: Fault, strategy: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    case, failing = _case(fault, strategy), {"target": _id(fault.name), "weight": 1e9, "share": 1.0}
    route = {
        "targets": [failing] if strategy == ALONE else [failing, _GOOD],
        "retries": RETRIES,
        "backoff": "50 ms",
        **changes,
    }
    return {"name": case, "when": {"headers": {_CASE: case}}, "set": {"route": route}}


def _case(fault: Fault, strategy: str) -> str:
    return f"{_id(fault.name)}.{strategy}"


def _id(name: str) -> str:
    return name.replace(",", "").replace(" ", "-")


# -- the client --------------------------------------------------------------------------------------------


async def _ask_all(gateway: Tollgate) -> list[Row]:
    """Faults side by side, as most of the time is waiting; the strategies of one after the other."""
    trust = ssl.create_default_context(cafile=gateway.ca)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust), proxy=gateway.url) as client:
        lanes = await asyncio.gather(*(_ask_each(client, fault) for fault in FAULTS))
    return [row for lane in lanes for row in lane]


async def _ask_each(client: aiohttp.ClientSession, fault: Fault) -> list[Row]:
    return [await _ask(client, fault, strategy) for strategy in STRATEGIES]


async def _ask(client: aiohttp.ClientSession, fault: Fault, strategy: str) -> Row:
    case = _case(fault, strategy)
    body = {
        "model": case,  # a standing of its own, and the name of the call's record
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": "hello there, whoever you are"}],
    }
    began = time.monotonic()
    try:
        headers = {**_HEADERS, _CASE: case}
        async with asyncio.timeout(_GIVEN_UP), client.post(URL, json=body, headers=headers) as response:
            saw = _seen(response.status, await response.read())
    except TimeoutError:
        saw = "nothing"
    except aiohttp.ClientError as e:
        saw = type(e).__name__
    return Row(fault, strategy, saw, time.monotonic() - began)


def _seen(status: int, body: bytes) -> str:
    if status != 200:
        return f"{status} {json.loads(body)['error']['type']}"
    if b"event: error" in body:
        return "error event"
    return "ok" if b"event: message_stop" in body else "half an answer"


# -- the books ---------------------------------------------------------------------------------------------


def _accounted(
    rows: Iterable[Row], records: Iterable[dict[str, Any]], heard: Mapping[str, int], ledger: Path
) -> list[Row]:
    """The rows with what the trail, the providers and the ledger say of them, once Tollgate has ended."""
    by_case = {record["model"]: record for record in records}
    with closing(sqlite3.connect(ledger)) as database:
        paid = {
            (id, n): money for id, n, money in database.execute("SELECT id, attempt, charged FROM entries")
        }
        held = dict(database.execute("SELECT id, SUM(amount) FROM holds GROUP BY id"))
    told = []
    for row in rows:
        case = _case(row.fault, row.strategy)
        id, attempts = by_case[case]["id"], tuple(each["target"] for each in by_case[case]["attempts"])
        charged = tuple(paid.get((id, n), 0) for n in range(1, len(attempts) + 1))
        told.append(
            replace(row, attempts=attempts, charged=charged, held=held.get(id, 0), heard=heard.get(case, 0))
        )
    return told
