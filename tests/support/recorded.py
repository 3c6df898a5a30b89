"""Answers in the shapes that providers give them, whole and streamed: the files in tests/cost/data."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from multidict import CIMultiDict

from simulator.eventstream import event
from support.upstream import make_call, make_request
from tollgate.calls import Answer, Attempt, Call, Event
from tollgate.dialects import FRAMINGS
from tollgate.upstream.metering import Meter

DATA = Path(__file__).parents[1] / "cost" / "data"
STREAMS = {".sse": "sse", ".ndjson": "ndjson", ".events": "eventstream"}
NOON = 1_795_348_800.0
"""2026-11-22 12:00 UTC: prices have dates, and DeepSeek's a time of day."""


@dataclass(frozen=True)
class Asked:
    """What was asked, of whom, before a recorded answer came."""

    provider: str
    host: str
    speaks: str
    model: str = ""
    operation: str = "chat"
    params: dict[str, str] = field(default_factory=dict)

    def call(self) -> Call:
        call = make_call(make_request(host=self.host), speaks=self.speaks, params=self.params)
        call.provider, call.operation, call.model, call.time = self.provider, self.operation, self.model, NOON
        return call


def whole(name: str, asked: Asked) -> Call:
    """A call with that whole answer, read as it passes through Tollgate."""
    call, meter = metered(asked)
    meter.whole(Answer(200, body=(DATA / f"{name}.json").read_bytes()))
    return call


def streamed(name: str, asked: Asked) -> Call | None:
    """A call with that streamed answer, byte by byte; None where it is never streamed."""
    events = events_of(name)
    if not events:
        return None
    call, meter = metered(asked)
    meter.events(events)
    return call


def metered(asked: Asked) -> tuple[Call, Meter]:
    call = asked.call()
    attempt = Attempt(asked.host, 0.0)
    call.attempts.append(attempt)
    return call, Meter(call, attempt, CIMultiDict())


def events_of(name: str) -> list[Event]:
    """The events of a stream; none where there is no such stream."""
    path = next((path for end in STREAMS if (path := DATA / f"{name}{end}").exists()), None)
    if path is None:
        return []
    decoder = FRAMINGS[STREAMS[path.suffix]].decoder()
    found: list[Event] = []
    for byte in wire(path):
        found += decoder.feed(bytes((byte,)))
    return found + decoder.close()


def wire(path: Path) -> bytes:
    """The bytes of a stream. AWS's binary messages are kept as lines of {event's name: its payload}."""
    if path.suffix != ".events":
        return path.read_bytes()
    rows: list[dict[str, Any]] = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    return b"".join(event(name, _payload(name, said)) for row in rows for name, said in row.items())


def _payload(name: str, said: Any) -> bytes:
    data = orjson.dumps(said)
    return orjson.dumps({"bytes": b64encode(data).decode(), "p": "abc"}) if name == "chunk" else data
