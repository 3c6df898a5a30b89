"""What arrived at the simulated provider, and what became of it."""

from __future__ import annotations

import asyncio
import base64
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Entry:
    """One request. Times are seconds since 1970, so that other processes can compare them."""

    method: str
    target: str
    """Path and query, still percent-encoded."""
    host: str
    """The Host header."""
    sni: str
    """The name asked for in the TLS handshake; empty without TLS."""
    client_port: int
    """Tells TCP connections apart."""
    headers: list[tuple[str, str]]
    """As they arrived: order, case and repetitions."""
    body: bytes = b""
    """As it arrived, content-encoding and all."""
    arrived: float = field(default_factory=time.time)
    provider: str = ""
    status: int = 0
    writes: list[float] = field(default_factory=list)
    """When each event was written."""
    usage: dict[str, int] | None = None
    """What the answer says it used; no count contains another."""
    ended: float | None = None
    """When the answer was written to its end, or cut on purpose."""
    disconnected: float | None = None
    """When the client left before that."""

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "body": base64.b64encode(self.body).decode()}


class Journal:
    """All entries in the order of arrival; whoever waits is told of every change."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.changed = asyncio.Event()

    def add(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.notify()

    def notify(self) -> None:
        self.changed.set()
        self.changed = asyncio.Event()

    def clear(self) -> None:
        self.entries.clear()

    async def wait(self, number: int, moment: str) -> None:
        """Until that many entries have that moment behind them: "arrived", "writes", "ended", …"""
        while sum(bool(getattr(entry, moment)) for entry in self.entries) < number:
            await self.changed.wait()


class Gates:
    """Names on which answers wait until someone releases them, once and for all."""

    def __init__(self) -> None:
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)

    async def wait(self, name: str) -> None:
        await self._gates[name].wait()

    def release(self, name: str) -> None:
        self._gates[name].set()
