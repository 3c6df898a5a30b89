"""Values that know where they stand in which file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from tollgate.policy.problem import Mark

type Steps = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A value of a YAML file, and where it stands."""

    value: dict[str, Tree] | list[Tree] | str | int | float | bool | None
    mark: Mark
    key: Mark | None = None
    """Where its key stands, for a value in a mapping."""

    def plain(self) -> Any:
        """The same without marks."""
        if isinstance(self.value, dict):
            return {key: child.plain() for key, child in self.value.items()}
        if isinstance(self.value, list):
            return [child.plain() for child in self.value]
        return self.value

    def find(self, path: Sequence[str | int]) -> Tree | None:
        """What stands at a path; None where nothing does."""
        tree: Tree | None = self
        for step in path:
            tree = tree and tree._child(step)
        return tree

    def nearest(self, path: Sequence[str | int]) -> Tree:
        """What stands at a path, or the last thing there is on the way to it."""
        tree = self
        for step in path:
            tree = tree._child(step) or tree
        return tree

    def _child(self, step: str | int) -> Tree | None:
        if isinstance(self.value, dict) and isinstance(step, str):
            return self.value.get(step)
        if isinstance(self.value, list) and isinstance(step, int) and step < len(self.value):
            return self.value[step]
        return None


EMPTY = Tree({}, Mark(""))


def merge(base: Tree, over: Tree, appended: frozenset[str] = frozenset()) -> Tree:
    """One tree over another: mappings merge, the lists `appended` names are joined, all else is replaced."""
    if not isinstance(base.value, dict) or not isinstance(over.value, dict):
        return over
    merged = dict(base.value)
    for key, child in over.value.items():
        old = merged.get(key)
        if key in appended and old and isinstance(old.value, list) and isinstance(child.value, list):
            child = replace(child, value=[*old.value, *child.value])
        merged[key] = merge(old, child) if old else child
    return replace(over, value=merged)
