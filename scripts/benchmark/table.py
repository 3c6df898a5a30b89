"""The figures as one table, for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from benchmark.measure import CASES, CONNECTIONS
from benchmark.setups import DIRECT, STREAMING, TOLLGATE
from benchmark.summary import Row, targets

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
    last_of = {row.case: row for row in rows}
    for row in rows:
        last = row is last_of[row.case]
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


def notes(rows: Sequence[Row], memory: Memory) -> str:
    """What the figures mean, and what does not fit into the table."""
    pause = max(case.pause_ms for case in CASES)
    return "\n".join(
        (
            f"CPU: of the proxy, user and system; it and calls a second over {CONNECTIONS} connections.",
            "Latency: over one connection; direct is all of it, + is what a proxy adds.",
            f"Requests of the size named, answers of 1 KB, TLS on both sides; events {pause} ms apart.",
            "mitmdump: -q --set flow_detail=0 --set connection_strategy=lazy",
            "¹ An addon sets flow.response.stream: mitmdump alone holds streams back.",
            *(
                f"Memory of {name}: {end:.0f} MB, {peak:.0f} MB at most"
                for name, (end, peak) in memory.items()
            ),
            *targets(rows).values(),
        )
    )
