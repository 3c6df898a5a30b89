"""What counts a model's tokens: the rows of encodings.yaml."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field

from tollgate.cost.tables import read_table
from tollgate.policy.fields import Patterns
from tollgate.policy.match import Matcher, names
from tollgate.policy.part import Part


class Tokens(Part):
    """How a model's tokens are counted; the head of encodings.yaml explains the keys."""

    model: Patterns
    encoding: Literal["o200k_base", "cl100k_base"]
    factor: float = Field(default=1.0, gt=0)
    once: int = 6
    message: int = 4
    tool: int = 6
    tools_once: int = 20


class _Table(Part):
    rows: list[Tokens]


def tokens_of(model: str) -> Tokens:
    """The first row that fits a model's name; the last one fits every name."""
    return next(row for row, matcher in _rows() if matcher.matches((model,)))


@cache
def _rows() -> tuple[tuple[Tokens, Matcher], ...]:
    return tuple((row, Matcher(row.model, names)) for row in read_table("encodings.yaml", _Table).rows)
