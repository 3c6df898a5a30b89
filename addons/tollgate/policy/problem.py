"""What is wrong with a policy, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Mark(NamedTuple):
    """Where something stands in a file. Lines and columns count from 1; line 0 is the file as a whole."""

    file: str
    line: int = 0
    column: int = 1
    width: int = 1
    """How many characters of the line belong to it."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where, at which key, what, and what would be right."""

    mark: Mark
    key: str
    """As people write it: rules[2].set.mode; empty where it is no key's fault."""
    message: str

    def __str__(self) -> str:
        return ": ".join(filter(None, (str(self.mark), self.key, self.message)))


class PolicyError(ValueError):
    """A policy that cannot be put in force, with everything that is wrong with it."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: problem.mark)
        super().__init__("\n".join(map(str, self.problems)))


class Unfit(ValueError):
    """A value of a policy that a room cannot use, though the schema takes it."""

    def __init__(self, path: Sequence[str | int], message: str) -> None:
        super().__init__(f"{write_key(path)}: {message}")
        self.path = tuple(path)
        self.message = message


def write_key(path: Sequence[str | int]) -> str:
    """A path as people write it: rules[2].set.mode"""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")
