"""The figures as one table, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from benchmark.measure import CASES, CONNECTIONS, Row
from benchmark.setups import DIRECT, MITMDUMP, STREAMING, TOLLGATE

EVENT_TARGET = 0.14
"""Milliseconds of processor time for a streamed event."""

type Memory = Mapping[str, tuple[float, float]]
"""Of each proxy, in MB: at the end, and at its peak."""


def table(rows: Sequence[Row], memory: Memory, title: str) -> Table:
    shown = Table(title=title, caption=_caption(rows, memory), caption_justify="left", box=box.SIMPLE_HEAD)
    shown.add_column("")
    shown.add_column("through")
    for heading in ("CPU\nms", "latency\np50 ms", "\np99 ms", "first event\nms", "calls/s", "calls"):
        shown.add_column(heading, justify="right")
    for row in rows:
        last = row.setup == TOLLGATE
        shown.add_row(*_cells(row), end_section=last, style=_STYLES.get(row.setup, ""))
    return shown


_STYLES = {DIRECT: "dim", TOLLGATE: "bold"}


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


def _caption(rows: Sequence[Row], memory: Memory) -> str:
    return "\n".join(
        (
            f"Medians of all rounds. CPU (user and system, of the proxy's process) and calls/s: over"
            f" {CONNECTIONS} connections.",
            "Latency: over one connection; direct is what a call (or an event) takes, + is what a proxy adds.",
            f"TLS on both sides. Bodies of requests as named, answers of 1 KB; an event every"
            f" {max(case.pause_ms for case in CASES)} ms in each stream.",
            "mitmdump: -q --set flow_detail=0 --set connection_strategy=lazy",
            "¹ with an addon that sets flow.response.stream, as mitmdump alone holds a stream back to its end",
            *(f"Memory of {name}: {end:.0f} MB, at most {peak:.0f} MB" for name, (end, peak) in memory.items()),
            *targets(rows).values(),
        )
    )


def targets(rows: Sequence[Row]) -> dict[str, str]:
    """How the figures stand to what was aimed at. Nothing fails on it: machines differ."""
    cpu = {(row.case, row.setup): row.cpu_ms for row in rows}
    call, event = CASES[0].name, CASES[-1].name
    ours, bare = cpu[call, TOLLGATE], cpu[call, MITMDUMP]
    streamed, beside = cpu[event, TOLLGATE], cpu[event, STREAMING]
    return {
        "call": f"Target, 1 KB call: no more CPU than mitmdump. It is {ours / bare:.2f} times as much.",
        "event": f"Target, event: {EVENT_TARGET} ms of CPU. It is {streamed:.3f} ms,"
        f" {streamed / beside:.2f} times mitmdump's.",
    }
