"""How a request differs from the recorded one that is nearest to it, in a few words for a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from tollgate.cache.cassettes.asked import Asked

type Leaves = Mapping[str, Any]
"""Path → what stands there: messages[0].content."""

SHOWN = 40
"""Characters of a value that are shown at most."""
_BEFORE = 12
"""Of them, how many may stand before the first one that differs."""
_ENDS = 200
"""Characters at the beginning and at the end of two texts that say how much they are alike."""
_WEIGHTS = {"provider": 1000, "dialect": 1000, "operation": 1000, "method": 100, "url": 100, "stream": 10}
"""What makes a request another one altogether, or almost. All else counts 1."""
_ABSENT = object()
_PLAIN = re.compile(r"[\w$-]{1,40}(?:\[\d+\])*")


class Difference(NamedTuple):
    path: str
    recorded: Any
    asked: Any

    @property
    def place(self) -> str:
        """The path, for records: without names in it that may be text of a person's."""
        return ".".join(name if _PLAIN.fullmatch(name) else "…" for name in self.path.split("."))

    def __str__(self) -> str:
        if self.recorded is _ABSENT:
            return f"{self.path}: not in the recording, asked {_show(self.asked, 0)}"
        if self.asked is _ABSENT:
            return f"{self.path}: recorded {_show(self.recorded, 0)}, not asked"
        start = max(0, _first(self.recorded, self.asked) - _BEFORE)
        return f"{self.path}: recorded {_show(self.recorded, start)}, asked {_show(self.asked, start)}"


def nearest[K](asked: Asked, recorded: Iterable[tuple[K, Asked]]) -> tuple[K, list[Difference]] | None:
    """The recorded request with the least differences, and these; None where nothing is recorded. Of several
    it is the one whose texts are most alike."""
    leaves = dict(_leaves(asked, ""))
    found = [(key, differences(leaves, dict(_leaves(request, "")))) for key, request in recorded]
    return min(found, key=lambda one: _distance(one[1]), default=None)


def _distance(told: Iterable[Difference]) -> tuple[int, float]:
    weights = [(_WEIGHTS.get(one.path, 1), _unlikeness(one.recorded, one.asked)) for one in told]
    return sum(weight for weight, _ in weights), sum(unlike for _, unlike in weights)


def _unlikeness(one: Any, other: Any) -> float:
    """From 0 for equal texts to 1 for what is no text, by how they begin and end."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return 1.0
    ends = [(one[:_ENDS], other[:_ENDS]), (one[: -_ENDS - 1 : -1], other[: -_ENDS - 1 : -1])]
    alike = sum(_first(*pair) for pair in ends)
    return max(0.0, 1.0 - alike / max(1, min(2 * _ENDS, len(one), len(other))))


def differences(asked: Leaves, recorded: Leaves) -> list[Difference]:
    """In the order of the request that is asked, then what only the recorded one has."""
    paths = [*asked, *(path for path in recorded if path not in asked)]
    pairs = ((path, recorded.get(path, _ABSENT), asked.get(path, _ABSENT)) for path in paths)
    return [Difference(path, was, now) for path, was, now in pairs if not _same(was, now)]


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, dict) and tree:
        for name, item in tree.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(tree, list) and tree:
        for place, item in enumerate(tree):
            yield from _leaves(item, f"{path}[{place}]")
    else:
        yield path, tree


def _first(one: Any, other: Any) -> int:
    """The first place at which two texts differ; 0 for what is no text."""
    if not (isinstance(one, str) and isinstance(other, str)):
        return 0
    return next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(map(len, (one, other)))
    )


def _show(value: Any, start: int) -> str:
    if not isinstance(value, str):
        return orjson.dumps(value).decode()[:SHOWN]
    cut = value[start : start + SHOWN]
    return f"{'…' if start else ''}{orjson.dumps(cut).decode()}{'…' if start + SHOWN < len(value) else ''}"
