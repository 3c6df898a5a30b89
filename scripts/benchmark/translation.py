"""What it costs to put a call into another dialect and to bring back an event: processor time, no proxy."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from multidict import CIMultiDict

from benchmark.answers import EVENTS
from benchmark.requests import MODEL, WORDS, requests
from support.targets import PATHS, reach
from tollgate.dialects import FRAMINGS, dialect
from tollgate.routing import translation

SIZES = (1024, 100 * 1024)
"""Bytes of a request's body."""
_ENOUGH = 0.02
"""Seconds of processor time that one measurement takes at least."""


@dataclass(frozen=True)
class Translated:
    """Of one pair of dialects. Processor time in microseconds."""

    source: str
    target: str
    calls: tuple[float, ...]
    """For a request of each size."""
    event: float
    """For one of a stream's events."""


def measure(rounds: int, say: Callable[[str], None]) -> list[Translated]:
    pairs = [(s, t) for s, t in itertools.permutations(translation.dialects(), 2) if _converses(s, t)]
    found = []
    for source, target in pairs:
        say(f"translation, {source} to {target}")
        found.append(_measured(source, target, rounds))
    return found


def _converses(source: str, target: str) -> bool:
    return translation.can(source, target) and source != "openai-embeddings"


def _measured(source: str, target: str, rounds: int) -> Translated:
    bodies = [_asked(source, size) for size in SIZES]
    calls = tuple(_best(partial(_there, source, target, body), rounds) for body in bodies)
    reached = reach(source, target, bodies[0], stream=True, text=" ".join(itertools.islice(_words(), EVENTS)))
    decoder = FRAMINGS[dialect(target).framing].decoder()
    events = [event for piece in reached.pieces for event in decoder.feed(piece) if event.data]

    def back() -> None:
        translator = reached.sent.session.events(reached.headers)
        for event in events:
            translator.feed(event)
        translator.close()

    return Translated(source, target, calls, _best(back, rounds) / len(events))


def _asked(source: str, size: int) -> Any:
    """The body of a streamed chat request in a dialect."""
    body = orjson.loads(next(requests(size, 0, stream=True)).partition(b"\r\n\r\n")[2])
    return body if source == "openai-chat" else orjson.loads(_there("openai-chat", source, body).body)


def _there(source: str, target: str, body: Any) -> translation.TranslatedRequest:
    return translation.request(
        source,
        target,
        path=PATHS[source],
        params={},
        headers=CIMultiDict(),
        body=body,
        model=MODEL,
        stream=True,
    )


def _words() -> Iterator[str]:
    return itertools.cycle(WORDS)


def _best(work: Callable[[], object], rounds: int) -> float:
    """Microseconds of processor time that it takes, in the round that the machine disturbed least."""
    work()
    number = 1
    while _took(work, number) < _ENOUGH:
        number *= 2
    return min(_took(work, number) for _ in range(rounds)) / number * 1e6


def _took(work: Callable[[], object], number: int) -> float:
    began = time.process_time()
    for _ in range(number):
        work()
    return time.process_time() - began
