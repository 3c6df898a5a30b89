"""What each kind of data set is measured by."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from time import perf_counter
from typing import Any, NamedTuple

from rich.table import Table

from evaluation.bypass import bypasses
from evaluation.data import Label, Rows, labels
from evaluation.score import Count, count, is_covered
from evaluation.tables import table
from tollgate.dlp.engine import Engine, resolve

SAME = {"DOMAIN_NAME": "URL", "STREET_ADDRESS": "ADDRESS", "GPE": "LOCATION"}
"""Names of data sets for entities of ours."""
REAL = frozenset({"EMAIL_ADDRESS", "IP_ADDRESS"})
"""Entities that source code really has; the others are false alarms there."""


class Measure(NamedTuple):
    """How one kind of data is measured."""

    is_for: Callable[[Rows], bool]
    table: Callable[[Rows, Engine], Table]


def measure(name: str, rows: Rows, engine: Engine) -> Table:
    """The figures for a data set. SystemExit for a kind that nobody measures."""
    for kind in MEASURES:
        if kind.is_for(rows):
            made = kind.table(rows, engine)
            made.title = name
            return made
    raise SystemExit(f"{name}: these are rows of a kind that is not measured here: {', '.join(rows[0])}")


def found(engine: Engine, text: str) -> list[Label]:
    """What the engine finds, without overlaps."""
    return [Label(span.start, span.end, span.entity) for span in resolve(engine.scan(text))]


# -- personal data -----------------------------------------------------------------------------------------


def _personal(rows: Rows, engine: Engine) -> Table:
    counts: dict[str, Count] = defaultdict(Count)
    labelled = {SAME.get(label.kind, label.kind) for row in rows for label in labels(row)}
    for row in rows:
        gold = [label._replace(kind=SAME.get(label.kind, label.kind)) for label in labels(row)]
        for kind, (wanted, got) in _by_kind(gold, found(engine, row["text"])).items():
            count(wanted, got, counts[kind])
    made = table("entity", "labelled", "precision", "recall", "F1")
    for kind, figures in sorted(counts.items()):
        total = str(figures.right + figures.missed) if kind in labelled else "none"
        made.add_row(
            kind, total, *(f"{figure:.3f}" for figure in (figures.precision, figures.recall, figures.f1))
        )
    return made


def _by_kind(gold: Iterable[Label], got: Iterable[Label]) -> dict[str, tuple[list[Label], list[Label]]]:
    kinds: dict[str, tuple[list[Label], list[Label]]] = defaultdict(lambda: ([], []))
    for side, spans in enumerate((gold, got)):
        for span in spans:
            kinds[span.kind][side].append(span)
    return kinds


# -- secrets -----------------------------------------------------------------------------------------------


def _secrets(rows: Rows, engine: Engine) -> Table:
    total = hit = clean = flagged = 0
    for row in rows:
        secrets = [span for span in found(engine, row["text"]) if span.kind == "SECRET"]
        wanted = labels(row)
        total += len(wanted)
        hit += sum(_is_found(label, secrets) for label in wanted)
        clean += not wanted
        flagged += not wanted and bool(secrets)
    made = table("secrets", "found", "recall", "texts without", "flagged")
    made.add_row(str(total), str(hit), f"{hit / max(total, 1):.3f}", str(clean), str(flagged))
    return made


def _is_found(label: Label, secrets: Sequence[Label]) -> bool:
    """A label of a whole line is found by whatever is found in it."""
    if label.kind == "SECRET_LINE":
        return any(span.start < label.end and label.start < span.end for span in secrets)
    return is_covered(label, secrets)


MEASURES = [
    Measure(
        lambda rows: any(label.kind.startswith("SECRET") for row in rows for label in _labels(row)), _secrets
    ),
    Measure(lambda rows: all("body_b64" in row for row in rows), bypasses),
    Measure(lambda rows: all("spans" in row for row in rows), _personal),
]
"""The first that is for a data set does."""


def _labels(row: dict[str, Any]) -> list[Label]:
    return labels(row) if "spans" in row else []


# -- source code -------------------------------------------------------------------------------------------


def code(texts: Iterable[str], engine: Engine) -> Table:
    """What is found in source code, per MB: mostly false alarms."""
    counts: Counter[str] = Counter()
    size, seconds = 0, 0.0
    for text in texts:
        size += len(text.encode("utf-8", "surrogatepass"))
        started = perf_counter()
        counts.update(label.kind for label in found(engine, text))
        seconds += perf_counter() - started
    made = table(
        "entity",
        "found",
        "per MB",
        title=f"source code: {size / 1e6:.1f} MB, {size / 1e6 / seconds:.0f} MB/s",
    )
    for kind, number in counts.most_common():
        made.add_row(f"{kind} (real)" if kind in REAL else kind, str(number), f"{number / size * 1e6:.1f}")
    return made
