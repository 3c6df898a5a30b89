"""Questions by what else their calls ask with, and which of them are most like another one. In memory.

The search is exact: one product of a matrix and a vector. Partitions are small, since a question compares
only with those of the same caller, model, system prompt and parameters.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from tollgate.cache.semantic.guards import Marks
from tollgate.cache.semantic.models import Vector

_MOST = 4096
"""Questions of one partition: 6 MB at 384 numbers each, and 1 ms to search."""
_FIRST = 8


@dataclass(frozen=True, slots=True)
class Near:
    """A question that is like another one."""

    name: str
    """Of the entry with its answer."""
    score: float
    marks: Marks


class Index:
    """Holds the newest questions. Not for several threads at once."""

    def __init__(self, room: int) -> None:
        """`room`: how many questions in all."""
        self._room = room
        self._held = 0
        self._partitions: OrderedDict[str, _Partition] = OrderedDict()

    def __len__(self) -> int:
        return self._held

    def add(self, partition: str, name: str, vector: Vector, marks: Marks) -> None:
        held = self._partitions.setdefault(partition, _Partition(min(_MOST, self._room)))
        self._partitions.move_to_end(partition)
        self._held += held.add(name, vector, marks)
        while self._held > self._room:  # what was used longest ago goes, a partition at a time
            _, gone = self._partitions.popitem(last=False)
            self._held -= len(gone.names)

    def near(self, partition: str, vector: Vector, least: float) -> Iterator[Near]:
        """Those that are at least so like it, the likest first."""
        held = self._partitions.get(partition)
        if held is not None:
            self._partitions.move_to_end(partition)
            yield from held.near(vector, least)


@dataclass(slots=True)
class _Partition:
    room: int
    names: list[str] = field(default_factory=list)
    marks: list[Marks] = field(default_factory=list)
    vectors: Vector = field(default_factory=lambda: np.empty((0, 0), np.float32))
    oldest: int = 0
    """The row that is replaced next, once all are taken."""

    def add(self, name: str, vector: Vector, marks: Marks) -> int:
        """How many more questions there are now."""
        if name in self.names:
            return 0
        if len(self.names) >= self.room:
            row, self.oldest = self.oldest, (self.oldest + 1) % self.room
            self.names[row], self.marks[row], self.vectors[row] = name, marks, vector
            return 0
        if len(self.names) == len(self.vectors):
            self._grow(len(vector))
        self.vectors[len(self.names)] = vector
        self.names.append(name)
        self.marks.append(marks)
        return 1

    def near(self, vector: Vector, least: float) -> Iterator[Near]:
        scores = self.vectors[: len(self.names)] @ vector
        found = np.flatnonzero(scores >= least)
        for row in found[np.argsort(-scores[found], kind="stable")]:
            yield Near(self.names[row], min(1.0, float(scores[row])), self.marks[row])

    def _grow(self, width: int) -> None:
        larger = np.zeros((min(self.room, max(_FIRST, 2 * len(self.vectors))), width), np.float32)
        larger[: len(self.vectors)] = self.vectors.reshape(-1, width)
        self.vectors = larger
