"""The tables of this room: facts with their sources, in YAML files beside the code."""

from __future__ import annotations

from importlib import resources

from tollgate.policy.parse import parse
from tollgate.policy.part import Part
from tollgate.policy.reader import as_part


def text_of(file: str) -> str:
    """The text of a table."""
    return resources.files("tollgate.cost").joinpath(file).read_text("utf-8")


def read_table[P: Part](file: str, kind: type[P]) -> P:
    """A table. ValueError, with line and key, where it is not what it should be."""
    return as_part(parse(text_of(file), file), kind)
