"""How often a like question has the same answer: hits and precision on pairs, by threshold and guards."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.table import Table

from evaluation.tables import table
from tollgate.cache.semantic.guards import Marks, differ, marks
from tollgate.cache.semantic.models import Model, Vector

THRESHOLDS = (0.0, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_WIDTH = 1024
_GRAMS = (3, 4, 5)

type Guard = Callable[[Marks, Marks], bool]

GUARDS: dict[str, Guard] = {
    "none": lambda one, other: True,
    "order": lambda one, other: not differ(one, other, "order"),
    "same": lambda one, other: not differ(one, other, "same"),
}
"""By what the policy calls `words`."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, whether they have one answer, and how like each other a model finds them."""

    one: Marks
    other: Marks
    same: bool
    kind: str
    score: float
    alike: bool
    """Equal but for spaces, case and the signs at the end: found without any model."""


class NGrams:
    """Character n-grams, hashed: no model, but made of nothing and the same everywhere."""

    def embed(self, text: str) -> Vector:
        plain = f" {' '.join(text.lower().split())} "
        vector = np.zeros(_WIDTH, np.float32)
        for size in _GRAMS:
            for start in range(len(plain) - size + 1):
                vector[zlib.crc32(plain[start : start + size].encode()) % _WIDTH] += 1
        return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-9))


def pairs(path: Path, model: Model) -> list[Pair]:
    """The pairs of JSON lines with "one", "other", "same" (true or false) and "kind"."""
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    return [_pair(row["one"], row["other"], row["same"], row["kind"], model) for row in rows]


def _pair(one: str, other: str, same: bool, kind: str, model: Model) -> Pair:
    a, b = model.embed(one), model.embed(other)
    score = float(a @ b) if a is not None and b is not None else 0.0
    return Pair(marks(one), marks(other), same, kind, score, _plain(one) == _plain(other))


def _plain(text: str) -> str:
    return " ".join(text.lower().split()).rstrip(".!? ")


def measure(title: str, found: Sequence[Pair], threshold: float) -> Iterator[Table]:
    """Figures by threshold, then those of one threshold by kind of pair."""
    yield _by_threshold(title, found)
    yield _by_kind(f"given at {threshold}, by kind of pair", found, threshold)


def _by_threshold(title: str, found: Sequence[Pair]) -> Table:
    made = table("threshold", *GUARDS, title=f"{title}: right, wrong and precision of {_counted(found)}")
    for threshold in THRESHOLDS:
        given = ([p for p in found if p.score >= threshold and ok(p.one, p.other)] for ok in GUARDS.values())
        made.add_row(str(threshold), *map(_figures, given))
    made.add_row("same text", _figures([p for p in found if p.alike]))
    return made


def _counted(found: Sequence[Pair]) -> str:
    same = sum(pair.same for pair in found)
    return f"{same} pairs with one answer, {len(found) - same} with two"


def _figures(given: Iterable[Pair]) -> str:
    right = [pair.same for pair in given]
    hits = sum(right)
    return f"{hits:2}  {len(right) - hits:2}  {f'{hits / len(right):.2f}' if right else '   -'}"


def _by_kind(title: str, found: Sequence[Pair], threshold: float) -> Table:
    made = table("kind", "one answer", "pairs", *GUARDS, title=title)
    for kind in dict.fromkeys(pair.kind for pair in found):
        of_kind = [pair for pair in found if pair.kind == kind]
        given = (sum(p.score >= threshold and ok(p.one, p.other) for p in of_kind) for ok in GUARDS.values())
        made.add_row(kind, "yes" if of_kind[0].same else "no", str(len(of_kind)), *map(str, given))
    return made
