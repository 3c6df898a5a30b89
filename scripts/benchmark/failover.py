"""What a failover adds: the same calls without a route, by a route, and by one whose first target fails."""

from __future__ import annotations

import asyncio
import itertools
import re
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from benchmark.faults import SINCE
from benchmark.line import HOST, Line, Route
from benchmark.requests import requests
from benchmark.setups import listens, tollgate
from support.certs import Authority, written
from support.processes import running
from support.stage import free_port

TARGET_MS = 10.0
"""What a failover may add beyond the attempt that failed."""
DIRECT, UNROUTED, ROUTED = "direct", "Tollgate, no route", "Tollgate, one target"
FAULTS = {"refused": "connection refused", "error": "500 at once", "cut": "cut before the first byte"}
ROUNDS, CALLS = 20, 20
"""So many of each case in turn, so that a busy machine disturbs all alike. The first round warms up."""
_LONGEST = 60.0
_CASE = b"x-case"
_SINCE = re.compile(rb"\r\n" + SINCE + rb": (\d+)")


@dataclass(frozen=True)
class Failover:
    """Of one case. Times are in ms."""

    case: str
    calls: int
    p50: float
    """Of the whole call, as the client sees it."""
    p99: float
    added: tuple[float, float] | None = None
    """From the end of the attempt that failed to the next one's being with its provider, p50 and p99. Where
    nobody is there to note that end: how much longer a call takes, the refused attempt included."""


def measure(folder: Path, say: Callable[[str], None]) -> list[Failover]:
    """LoadError where a call fails, ProcessError where a proxy does not start."""
    with _running(folder) as ways:
        return asyncio.run(_measure(ways, say))


@contextmanager
def _running(folder: Path) -> Iterator[Mapping[str, Route]]:
    """The ways to a provider that works: direct, and through Tollgate, by places that do not."""
    with ExitStack() as stack:
        good, error, cut, closed = (free_port() for _ in range(4))
        authority = Authority()
        ca = written(folder / "ca.pem", authority.pem)
        certificate = written(folder / "provider.pem", authority.issue(HOST))
        command = [sys.executable, "-m", "benchmark.faults", certificate, good, error, cut]
        process = stack.enter_context(running(command, folder / "faults.log"))
        process.wait_for("the providers listen", lambda: all(map(listens, (good, error, cut))))
        places = {"good": good, "refused": closed, "error": error, "cut": cut}
        setup = tollgate(folder / "proxy", stack, ca, good, _policy(places))
        direct = Route(good, ssl.create_default_context(cafile=str(ca)))
        yield {DIRECT: direct, **dict.fromkeys((UNROUTED, ROUTED, *FAULTS), setup.route)}


def _policy(places: Mapping[str, int]) -> dict[str, Any]:
    never = {"failures": 1_000_000_000}
    targets = {
        name: {"host": HOST, "port": port, "provider": "openai", "credential": "client", "breaker": never}
        for name, port in places.items()
    }
    plans = {"good": ["good"], **{fault: [fault, "good"] for fault in FAULTS}}
    rules = [
        {"name": case, "when": {"headers": {_CASE.decode(): case}}, "set": {"route": {"targets": plan}}}
        for case, plan in plans.items()
    ]
    return {"targets": targets, "rules": rules, "cost": {"enabled": False}}


async def _measure(ways: Mapping[str, Route], say: Callable[[str], None]) -> list[Failover]:
    headers = {ROUTED: b"good", **{fault: fault.encode() for fault in FAULTS}}
    calls: dict[str, list[float]] = defaultdict(list)
    gaps: dict[str, list[float]] = defaultdict(list)
    beside = 0.0
    for number, (case, route) in itertools.product(range(ROUNDS + 1), ways.items()):
        say(f"failover, round {number} of {ROUNDS}: {case}")
        took, since = await _sample(route, headers.get(case, b"none"))
        if case == ROUTED:
            beside = median(took)
        if number:
            calls[case] += took
            gaps[case] += since if case != "refused" else [each - beside for each in took]
    return [_summed_up(case, calls[case], gaps[case] if case in FAULTS else []) for case in ways]


async def _sample(route: Route, case: bytes) -> tuple[list[float], list[float]]:
    """How long each call took, and how long before it was heard another provider had failed, in ms."""
    took, since = [], []
    wanted = requests(1024, route.port)
    line = await Line.open(route)
    async with asyncio.timeout(_LONGEST):
        for _ in range(CALLS):
            first, rest = next(wanted).split(b"\r\n", 1)
            began = time.perf_counter()
            head = await line.ask(b"%b\r\n%b: %b\r\n%b" % (first, _CASE, case, rest))
            await line.body(head)
            took.append((time.perf_counter() - began) * 1000)
            told = _SINCE.search(head)
            assert told, "the good provider says so"
            since.append(int(told[1]) / 1e6)
    await line.close()
    return took, since


def _summed_up(case: str, calls: list[float], gaps: list[float]) -> Failover:
    p50, p99 = _spread(calls)
    return Failover(FAULTS.get(case, case), len(calls), p50, p99, _spread(gaps) if gaps else None)


def _spread(values: list[float]) -> tuple[float, float]:
    hundredths = quantiles(values, n=100, method="inclusive")
    return hundredths[49], hundredths[98]
