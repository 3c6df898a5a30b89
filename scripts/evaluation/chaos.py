"""What becomes of a call whose first target fails: each fault against each strategy, as a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich import box
from rich.table import Table

from evaluation.tables import table
from support.chaos import Row

_NOTE = """\
Asked: the target that fails, and the other one, which "alone" has not.
Failed, answer: nano-dollars charged to a budget for the one and the other.
A provider bills what it has made before it breaks off."""


def result(rows: Sequence[Row]) -> Table:
    """A section for each fault, a line for each strategy, red where a rule is broken."""
    made = table("", "the client saw", "asked", "seconds", "failed", "answer", title="Faults and strategies")
    made.box, made.caption, made.caption_justify = box.SIMPLE_HEAD, _NOTE, "left"
    made.columns[1].justify = "left"
    for column in made.columns:
        column.no_wrap = True
    for fault, lines in groupby(rows, lambda row: row.fault):
        made.add_section()
        made.add_row(fault.name, style="bold")
        for row in lines:
            made.add_row(*_cells(row), style="red" if any(row.wrong()) else "")
    return made


def _cells(row: Row) -> Iterator[str]:
    yield f"  {row.strategy.replace('_', ' ')}"
    yield row.saw
    yield f"{row.tries} + {len(row.attempts) - row.tries}"
    yield f"{row.seconds:.2f}"
    yield f"{row.failed:,}"
    yield f"{row.answered:,}"


def problems(rows: Iterable[Row]) -> list[str]:
    """Which rules are broken, and where."""
    return [f"{row.fault.name}, {row.strategy}: {problem}" for row in rows for problem in row.wrong()]
