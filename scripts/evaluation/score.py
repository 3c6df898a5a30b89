"""Precision and recall, counted span by span."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from evaluation.data import Label

IOU = 0.5
"""How much of what two spans cover together has to be covered by both, for one to be the other."""
COVERED = 0.5
"""How much of a secret has to be covered for it to be found."""


@dataclass(slots=True)
class Count:
    """What was right, what was found and is not there, and what is there and was not found."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return _share(self.right, self.right + self.wrong)

    @property
    def recall(self) -> float:
        return _share(self.right, self.right + self.missed)

    @property
    def f1(self) -> float:
        return _share(2 * self.right, 2 * self.right + self.wrong + self.missed)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 1.0


def count(gold: Sequence[Label], found: Sequence[Label], into: Count) -> None:
    """Counts one text's labels of one kind."""
    open_ = list(gold)
    for span in found:
        match = next((label for label in open_ if _iou(span, label) >= IOU), None)
        if match is None:
            into.wrong += 1
        else:
            open_.remove(match)
            into.right += 1
    into.missed += len(open_)


def _iou(one: Label, other: Label) -> float:
    both = min(one.end, other.end) - max(one.start, other.start)
    return both / (max(one.end, other.end) - min(one.start, other.start)) if both > 0 else 0.0


def is_covered(secret: Label, found: Iterable[Label]) -> bool:
    """Whether what was found covers enough of a secret."""
    places = {place for span in found for place in range(span.start, span.end)}
    inside = sum(place in places for place in range(secret.start, secret.end))
    return inside >= COVERED * (secret.end - secret.start)
