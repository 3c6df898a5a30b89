"""The medians of all rounds, and how they stand to what was aimed at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmark.measure import CASES, Case, Sample, Samples
from benchmark.setups import CACHE, DIRECT, MITMDUMP, STREAMING, TOLLGATE, UNKEPT

EVENT_TARGET = 0.14
"""Milliseconds of processor time for a streamed event."""


@dataclass(frozen=True)
class Row:
    """The medians of all rounds. Latencies are those added by the proxy; of the direct row, all there is."""

    case: str
    setup: str
    calls: int
    cpu_ms: float
    p50_ms: float
    p99_ms: float
    first_event_ms: float | None
    calls_per_s: float | None


def rows(samples: Samples) -> list[Row]:
    return [_row(case, name, samples) for case in CASES for name in case.setups]


def _row(case: Case, name: str, samples: Samples) -> Row:
    own, direct = samples[case, name], samples[case, DIRECT]

    def added(pick: Callable[[Sample], float]) -> float:
        if name == DIRECT:
            return median(map(pick, own))
        return median(pick(sample) - pick(beside) for sample, beside in zip(own, direct, strict=True))

    streamed = case.units > 1
    return Row(
        case=case.name,
        setup=name,
        calls=len(own) * case.parallel,
        cpu_ms=median(sample.cpu for sample in own),
        p50_ms=added(lambda sample: sample.p50),
        p99_ms=added(lambda sample: sample.p99),
        first_event_ms=added(lambda sample: sample.first) if streamed else None,
        calls_per_s=None if streamed else median(sample.rate for sample in own),
    )


def missing(samples: Samples) -> float:
    """How much more CPU a miss takes than a call whose answer is not kept: the median of all rounds, ms."""
    case = CASES[0]
    pairs = zip(samples[case, CACHE], samples[case, UNKEPT], strict=True)
    return median(missed.cpu - plain.cpu for missed, plain in pairs)


def targets(rows: Sequence[Row], missed: float) -> dict[str, str]:
    """How the figures stand to what was aimed at. Nothing fails on it: machines differ."""
    cpu = {(row.case, row.setup): row.cpu_ms for row in rows}
    direct = {row.case: row.p50_ms for row in rows if row.setup == DIRECT}
    call, event = CASES[0].name, CASES[-1].name
    ours, bare = cpu[call, TOLLGATE], cpu[call, MITMDUMP]
    streamed, beside = cpu[event, TOLLGATE], cpu[event, STREAMING]
    p50 = {(row.case, row.setup): row.p50_ms + direct[row.case] for row in rows}
    hit = cpu[CASES[1].name, CACHE]
    return {
        "cache": f"Target, cache: a hit in 2 ms with 1.2 ms of CPU, 0.15 ms more for a miss. It is"
        f" {p50[CASES[1].name, CACHE]:.2f} ms, {hit:.3f} ms and {missed:+.3f} ms;"
        f" all of a miss is {cpu[call, CACHE] / bare:.2f} times mitmdump's.",
        "call": f"Target, 1 KB call: no more CPU than mitmdump. It is {ours / bare:.2f} times as much.",
        "event": f"Target, event: {EVENT_TARGET} ms of CPU. It is {streamed:.3f} ms,"
        f" {streamed / beside:.2f} times mitmdump's.",
    }
