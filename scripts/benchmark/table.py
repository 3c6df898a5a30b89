"""The figures as one table, for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from statistics import median

from rich import box
from rich.table import Table

from benchmark.detection import Detection
from benchmark.failover import TARGET_MS as FAILOVER_TARGET
from benchmark.failover import Failover
from benchmark.firsttoken import TARGET_MS as FIRST_TOKEN_TARGET
from benchmark.firsttoken import FirstToken
from benchmark.measure import CASES, CONNECTIONS
from benchmark.setups import DETECTING, DIRECT, STREAMING, TOLLGATE
from benchmark.summary import Row, targets
from benchmark.translation import Translated

type Memory = Mapping[str, tuple[float, float]]
"""Of each proxy, in MB: at the end, and at its peak."""

_HEADINGS = ("CPU\nms", "latency\np50 ms", "\np99 ms", "first\nevent", "a\nsecond", "calls\nmade")
_STYLES = {DIRECT: "dim", TOLLGATE: "bold"}


def table(rows: Sequence[Row], title: str) -> Table:
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("", "through"):
        shown.add_column(heading, no_wrap=True)
    for heading in _HEADINGS:
        shown.add_column(heading, justify="right", no_wrap=True)
    ends = {(case.name, case.setups[-1]) for case in CASES}
    for row in rows:
        last = (row.case, row.setup) in ends
        shown.add_row(*_cells(row), end_section=last, style=_STYLES.get(row.setup, ""))
    return shown


def _cells(row: Row) -> list[str]:
    direct = row.setup == DIRECT
    latencies = (row.p50_ms, row.p99_ms, row.first_event_ms)
    return [
        row.case if direct else "",
        "mitmdump ¹" if row.setup == STREAMING else row.setup,
        "" if direct else f"{row.cpu_ms:.3f}",
        *("" if ms is None else f"{ms:.2f}" if direct else f"{ms:+.2f}" for ms in latencies),
        "" if row.calls_per_s is None else f"{row.calls_per_s:.0f}",
        str(row.calls),
    ]


def detection_table(measured: Detection) -> Table:
    shown = Table(
        title="Tollgate without and with detection",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        padding=(0, 1, 0, 0),
    )
    for heading in ("", ""):
        shown.add_column(heading, no_wrap=True)
    spread = "p50 p99 most"
    for heading in ("CPU\nms", "\nMB/s", f"loop late\n{spread}", "busy\nmost", f"others' events\n{spread}"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in measured.rows:
        ours = row.setup == DETECTING
        speed = "" if row.mb_per_s is None else f"{row.mb_per_s:.1f}"
        busy = "" if row.busy is None else f"{row.busy:.1f}"
        cells = (f"{row.cpu:.3f}", speed, _spread(row.lag), busy, _spread(row.events))
        name = "with" if ours else "without"
        shown.add_row("" if ours else row.case, name, *cells, end_section=ours)
    return shown


def _spread(values: tuple[float, float, float] | None) -> str:
    return "" if values is None else " ".join(f"{value:.1f}" for value in values)


def detection_notes(measured: Detection) -> str:
    """What stands beside the table of detection."""
    first, *others = measured.first_calls
    return "\n".join(
        (
            "CPU: of the proxy, for one call after the other. MB/s: new text, in the CPU added.",
            "Loop late: by how many ms a timer of 1 ms is late in the proxy meanwhile.",
            "Busy: how much of that it was at work; for the rest, it waited for a processor.",
            "Others' events: ms from provider to client, in a stream beside these calls.",
            *_first_tokens(measured.first_tokens),
            f"First call of 40 KB: {first:.0f} ms of CPU; the nine after it: {median(others):.0f} ms",
            f"Start with detection: {measured.start_up['cold']:.1f} s, {measured.start_up['warm']:.1f} s"
            " where the patterns were compiled before",
            *(
                f"Memory, {name}: {end:.0f} MB, {peak:.0f} MB at most"
                for name, (end, peak) in measured.memory.items()
            ),
        )
    )


def _first_tokens(rows: Sequence[FirstToken]) -> Iterator[str]:
    yield "First token of a turn of 100 KB with 7 KB that are new, or none, p50 and p99 in ms:"
    for n, row in enumerate(rows):
        told = [f"{p50:.1f} and {p99:.1f}" for p50, p99 in (row.new, row.seen)]
        yield f"  {row.way}{' adds' if n else ''} {', or '.join(told)}"
    yield "  (target with detection: adds {:g} and {:g} where none is new)".format(*FIRST_TOKEN_TARGET)


def failover_table(rows: Sequence[Failover]) -> Table:
    shown = Table(title="Failover to the next target", title_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("the first target", no_wrap=True)
    for heading in ("call\np50 ms", "\np99 ms", "added\np50 ms", "\np99 ms", "calls\nmade"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        added = ("", "") if row.added is None else (f"{ms:.2f}" for ms in row.added)
        shown.add_row(row.case, f"{row.p50:.2f}", f"{row.p99:.2f}", *added, str(row.calls))
    return shown


def failover_notes(rows: Sequence[Failover]) -> str:
    most = max(row.added[0] for row in rows if row.added)
    return (
        "Added: from the end of the failed attempt until the next provider has all of the\n"
        "request; where a connection is refused, all by which a call takes longer. 1 KB calls.\n"
        f"Target, failover: {FAILOVER_TARGET:g} ms beyond the failed attempt. It is {most:.2f} ms at most."
    )


def translation_table(rows: Sequence[Translated]) -> Table:
    title = "Translation, from (down) to (across)\nµs of CPU: a call of 1 KB, one of 100 KB, an event"
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    shown.add_column("", no_wrap=True)
    targets = list(dict.fromkeys(row.target for row in rows))
    for target in targets:
        shown.add_column(_stacked(target), justify="right", no_wrap=True)
    cells = {
        (row.source, row.target): "\n".join(f"{cost:.0f}" for cost in (*row.calls, row.event)) for row in rows
    }
    for source in dict.fromkeys(row.source for row in rows):
        shown.add_row(
            _stacked(source), *(cells.get((source, target), "–") for target in targets), end_section=True
        )
    return shown


def _stacked(dialect: str) -> str:
    return dialect.replace("-", "\n")


def notes(rows: Sequence[Row], missed: float, memory: Memory) -> str:
    """What the figures mean, and what does not fit into the table."""
    pause = max(case.pause_ms for case in CASES)
    return "\n".join(
        (
            f"CPU: of the proxy, user and system; it and calls a second over {CONNECTIONS} connections.",
            "Latency: over one connection; direct is all of it, + is what a proxy adds.",
            f"Requests of the size named, answers of 1 KB, TLS on both sides; events {pause} ms apart.",
            "mitmdump: -q --set flow_detail=0 --set connection_strategy=lazy",
            "¹ An addon sets flow.response.stream: mitmdump alone holds streams back.",
            "² By a rule, in the process of the row above. Both with the CPU of what is written later.",
            *(
                f"Memory of {name}: {end:.0f} MB, {peak:.0f} MB at most"
                for name, (end, peak) in memory.items()
            ),
            *targets(rows, missed).values(),
        )
    )
