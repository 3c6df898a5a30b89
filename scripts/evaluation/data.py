"""Labelled data: JSON lines, perhaps gzipped, each with a text and the spans in it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

type Rows = Sequence[dict[str, Any]]

_VALUES = "bypass_values.json.gz"
"""The values that requests hide, by name; it lies beside the file of requests."""


class Label(NamedTuple):
    """What stands where in a text; the end is exclusive."""

    start: int
    end: int
    kind: str


def rows(path: Path) -> list[dict[str, Any]]:
    """A file's rows. What one expects by name is looked up in the file of values."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        found = [json.loads(line) for line in file if line.strip()]
    if any("expect" in row for row in found):
        with gzip.open(path.with_name(_VALUES), "rt", encoding="utf-8") as file:
            values = json.load(file)
        return [{**row, "expect": [values[name] for name in row["expect"]]} for row in found]
    return found


def labels(row: dict[str, Any]) -> list[Label]:
    """What a row says is in its text."""
    return [Label(span["start"], span["end"], span["type"]) for span in row["spans"]]


def sources(package: str) -> Iterator[str]:
    """The source files of an installed package."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"there is no installed package {package!r}")
    for folder in spec.submodule_search_locations:
        for path in sorted(Path(folder).rglob("*.py")):
            yield path.read_text("utf-8")
