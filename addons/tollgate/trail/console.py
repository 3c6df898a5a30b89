"""One line per call on the console, as wide as the terminal is."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from rich.console import Console as Screen
from rich.text import Text

from tollgate.calls import Call
from tollgate.trail.record import Record, call_record

type Piece = tuple[str, str]
"""A text and its style."""


class Column(NamedTuple):
    name: str
    least: int
    most: int
    """It grows to this many characters while there is room."""
    rank: int
    """On a narrow terminal, the column of the highest rank is left out first."""
    right: bool = False


COLUMNS = (
    Column("time", 8, 8, rank=3),
    Column("status", 3, 3, rank=0),
    Column("who", 13, 24, rank=2),
    Column("host", 17, 36, rank=6),
    Column("operation", 10, 12, rank=5),
    Column("model", 17, 28, rank=1),
    Column("result", 14, 22, rank=0, right=True),
    Column("took", 13, 13, rank=4, right=True),
)
_GROWING = ("operation", "result", "model", "who", "host")
_COLOURS = {"refused": "yellow", "failed": "red", "abandoned": "magenta"}
_INPUT_CACHED = ("cache_read", "cache_write", "cache_write_long")

_DURATIONS = (
    (9.95, 1, "{:.1f}ms"),
    (999.5, 1, "{:.0f}ms"),
    (9_995, 1000, "{:.2f}s"),
    (99_950, 1000, "{:.1f}s"),
    (math.inf, 1000, "{:.0f}s"),
)
"""Below so many milliseconds: divided by this, written like that."""

_PLAIN_WIDTH = 140
"""Where the output is a file or a pipe."""
_WAITING = 50
"""Lines that wait to be printed; what comes on top is only counted."""
_PAUSE = 0.25
"""Seconds between two bursts of lines."""


def line(record: Record, width: int = 120) -> Text:
    """A call's record as one line that fits the width."""
    cells: dict[str, list[Piece]] = {
        "time": [(f"{datetime.fromisoformat(record['time']).astimezone():%H:%M:%S}", "dim")],
        "status": [(str(record.get("status", "---")), _colour(record))],
        "who": _who(record),
        "host": [(record.get("host", ""), "")],
        "operation": [(record["operation"], "dim")],
        "model": [(record.get("model") or record.get("answered_model", ""), "bold")],
        "result": _result(record),
        "took": [(_took(record), "dim")],
    }
    out = Text(no_wrap=True, overflow="crop")
    for column, space in _layout(width):
        cell = Text.assemble(*cells[column.name])
        cell.truncate(space, overflow="ellipsis")
        cell.align("right" if column.right else "left", space)
        out.append(" " if out else "").append_text(cell)
    return out


@lru_cache(maxsize=8)
def _layout(width: int) -> tuple[tuple[Column, int], ...]:
    """The columns that fit, each with its width."""
    kept = list(COLUMNS)
    while len(kept) > 1 and _room(kept, width) < 0:
        kept.remove(max(kept, key=lambda column: column.rank))
    spare = max(0, _room(kept, width))
    widths = {column.name: column.least for column in kept}
    for column in sorted((c for c in kept if c.name in _GROWING), key=lambda c: _GROWING.index(c.name)):
        more = min(spare, column.most - column.least)
        widths[column.name] += more
        spare -= more
    return tuple((column, widths[column.name]) for column in kept)


def _room(columns: list[Column], width: int) -> int:
    """The characters that are left over; negative where the columns do not fit."""
    return width - sum(column.least + 1 for column in columns)


def _colour(record: Record) -> str:
    if record["outcome"] == "answered":
        return "green" if record.get("status", 0) < 400 else "red"
    return _COLOURS.get(record["outcome"], "")


def _who(record: Record) -> list[Piece]:
    """The user, where it is a person and not just an address, and the tool."""
    tool = record.get("tool", "")
    if tool and not record["authenticated"]:
        return [(tool, "cyan")]
    return [(record.get("user", ""), ""), (f" {tool}", "cyan")]


def _result(record: Record) -> list[Piece]:
    """What it used and cost, or why there was no answer."""
    if record["outcome"] != "answered":
        return [(record.get("code") or record["outcome"], _colour(record))]
    if record.get("status", 0) >= 400:
        return [("provider error", "red")]
    tokens = _tokens(record.get("usage", {}))
    if record.get("cache") == "hit":
        return [("cached ", "cyan"), *tokens]
    plan = record.get("paid") == "subscription"
    cost = record.get("cost")
    return [*tokens, (_money(cost) if tokens or cost else "", "dim" if plan else "")]


def _tokens(usage: Mapping[str, int]) -> list[Piece]:
    """Input, what of it the provider had cached, output: 1.2k+98k→840"""
    if not usage:
        return []
    cached = sum(usage.get(name, 0) for name in _INPUT_CACHED)
    out = usage.get("output", 0) + usage.get("reasoning", 0)
    return [
        (_short(usage.get("input", 0)), ""),
        (f"+{_short(cached)}" if cached else "", "cyan"),
        (f"→{_short(out)}", ""),
    ]


def _short(count: int) -> str:
    """A number in at most four characters: 840, 1.2k, 98k, 1.4M"""
    for size, unit in ((1_000_000, "M"), (1000, "k")):
        if count >= size:
            return f"{count / size:.1f}{unit}" if count < 9.95 * size else f"{count // size}{unit}"
    return str(count)


def _money(cost: int | None) -> str:
    """Nano-dollars as dollars."""
    return "" if cost is None else f" ${cost / 1e9:.4f}"


def _took(record: Record) -> str:
    """The whole time; before it, for a stream, the wait for its first byte."""
    ms = record.get("ms", {})
    total = _duration(ms.get("total", 0.0))
    return f"{_duration(ms['first_out'])} » {total}" if record["stream"] and "first_out" in ms else total


def _duration(ms: float) -> str:
    """Milliseconds in at most five characters."""
    divisor, form = next((divisor, form) for limit, divisor, form in _DURATIONS if ms < limit)
    return form.format(ms / divisor)


class Console:
    """Prints the lines on a thread of its own, and no more of them than a person can follow."""

    name = "tollgate-console"

    def __init__(self, screen: Screen | None = None) -> None:
        self._screen = screen or Screen()
        self._queue: queue.SimpleQueue[Record | None] = queue.SimpleQueue()
        self._skipped = 0  # written by the event loop
        self._told = 0  # of these; written by the thread
        self._stopping = threading.Event()
        # A daemon: a terminal that is held (Ctrl-S) must not keep the proxy from ending.
        self._thread = threading.Thread(target=self._run, name="tollgate-console", daemon=True)

    def running(self) -> None:
        self._thread.start()

    def llm_end(self, call: Call) -> None:
        if self._queue.qsize() < _WAITING:
            self._queue.put(call_record(call))
        else:
            self._skipped += 1

    def done(self) -> None:
        self._stopping.set()
        self._queue.put(None)
        if self._thread.ident is not None:
            self._thread.join(timeout=1)

    def _run(self) -> None:
        while record := self._queue.get():
            self._print(line(record, self._width()))
            if self._queue.empty():
                self._tell_skipped()
                self._stopping.wait(_PAUSE)
        self._tell_skipped()

    def _width(self) -> int:
        return self._screen.width if self._screen.is_terminal else _PLAIN_WIDTH

    def _tell_skipped(self) -> None:
        if skipped := self._skipped - self._told:
            self._told += skipped
            self._print(Text(f"… and {skipped} more, which only the trail shows", style="dim"))

    def _print(self, text: Text) -> None:
        self._screen.print(text, soft_wrap=True, highlight=False)
