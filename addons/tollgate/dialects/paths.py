"""Reading a JSON tree of which nothing is certain, by dotted paths: "usage.prompt_tokens"."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

MOST = 10**12
"""No answer uses as much of anything. A larger number is made up: it says nothing, and would not fit where
numbers are written."""


def find(tree: Any, path: str) -> Any:
    """What stands at a path; None where nothing does. The empty path is the tree itself."""
    for key in _keys(path):
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


@cache
def _keys(path: str) -> tuple[str, ...]:
    """A path's keys. Paths stand in tables, so there are a few hundred at the most."""
    return tuple(path.split(".")) if path else ()


def text_at(tree: Any, paths: Iterable[str]) -> str:
    """The first of the paths at which a non-empty string stands; empty for none."""
    return next((text for path in paths if isinstance(text := find(tree, path), str) and text), "")


def number_at(tree: Any, paths: Iterable[str]) -> float | None:
    """The first of the paths at which a number from 0 up stands, 28.0 as 28; None for none."""
    number: float | None = next((found for path in paths if is_count(found := find(tree, path))), None)
    return int(number) if number is not None and number == int(number) else number


def object_at(tree: Any, paths: Iterable[str]) -> dict[str, Any] | None:
    """The first of the paths at which an object stands; None for none."""
    return next((found for path in paths if isinstance(found := find(tree, path), dict)), None)


def objects_at(tree: Any, path: str) -> list[dict[str, Any]]:
    """The objects in the list at a path; empty where there is no list."""
    found = find(tree, path)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def is_count(value: Any) -> bool:
    """True for a number from 0 to `MOST`: what a provider may bill."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST
