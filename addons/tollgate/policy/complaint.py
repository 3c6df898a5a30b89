"""Pydantic's errors in the words of who writes policies: where, what is wrong, what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from typing import Any, get_args

from pydantic_core import ErrorDetails

from tollgate.policy.part import Part
from tollgate.policy.problem import Problem, write_key
from tollgate.policy.schema import PolicyFile
from tollgate.policy.tree import Steps, Tree


def complain(error: ErrorDetails, tree: Tree, root: type[Part] = PolicyFile) -> Problem:
    """One of pydantic's errors about `tree`, as a problem with its place in the files. `root` is what the
    tree should have been."""
    path = tuple(step for step in error["loc"] if step != "[key]")
    found = tree.nearest(path)
    at_key = error["type"] == "extra_forbidden" or "[key]" in error["loc"] or found.value is None
    mark = found.key if at_key and found.key else found.mark
    return Problem(mark, write_key(path), _message(error, path, root))


def _message(error: ErrorDetails, path: Steps, root: type[Part]) -> str:
    if error["type"] == "extra_forbidden":
        return _unknown_key(path, root)
    if error["input"] is None:
        return "nothing stands here: give it a value, or leave the key out"
    known = _MESSAGES.get(error["type"])
    return known(error, path) if known else error["msg"].replace("Input should be", "this has to be")


def _unknown_key(path: Steps, root: type[Part]) -> str:
    key = str(path[-1])
    keys = list(part_at(path[:-1], root).model_fields)
    if near := get_close_matches(key, keys, n=1):
        return f'unknown key; did you mean "{near[0]}"?'
    found = homes_of(key, root)
    if homes := [f"under {write_key(home)}" if home else "at the top of a file" for home in found]:
        return f"not a key of this place; it belongs {either(homes)}"
    return f"unknown key; what can stand here is {either(keys)}"


def _not_allowed(error: ErrorDetails, path: Steps) -> str:
    allowed = re.findall(r"'([^']*)'", error["ctx"]["expected"]) or [error["ctx"]["expected"]]
    given = path[-1] if "[key]" in error["loc"] else error["input"]
    near = get_close_matches(str(given), allowed, n=1) if len(allowed) > 2 else []
    hint = f'; did you mean "{near[0]}"?' if near else ""
    return f"{show(given)} is not allowed here; it has to be {either(allowed)}{hint}"


def _wrong_type(expected: str) -> Callable[[ErrorDetails, Steps], str]:
    return lambda error, path: f"this has to be {expected}, not {show(error['input'])}"


_MESSAGES: dict[str, Callable[[ErrorDetails, Steps], str]] = {
    "literal_error": _not_allowed,
    "missing": lambda error, path: f'the key "{path[-1]}" is missing',
    "value_error": lambda error, path: str(error["ctx"]["error"]),
    "string_type": _wrong_type("text (put it in quotes)"),
    "bool_type": _wrong_type("true or false"),
    "int_type": _wrong_type("a whole number"),
    "float_type": _wrong_type("a number"),
    "path_type": _wrong_type("a file's path"),
    "model_type": _wrong_type("a mapping of keys"),
    "dict_type": _wrong_type("a mapping of keys"),
    "list_type": _wrong_type("a list"),
    "string_pattern_mismatch": lambda error, path: (
        f"{show(error['input'])} is not of the form {error['ctx']['pattern'].strip('^$')}"
    ),
    "too_short": lambda error, path: "an empty list matches nothing: leave the key out, or give it a pattern",
    "string_too_short": lambda error, path: "this may not be empty",
}


def show(value: Any) -> str:
    """A value as a message names it: plain ones as they are, large ones by their kind."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    return f'"{text if len(text) <= 40 else text[:40] + "…"}"' if isinstance(value, str) else text


def either(choices: Sequence[str]) -> str:
    """ "a, b or c"."""
    return " or ".join(filter(None, (", ".join(choices[:-1]), choices[-1])))


def part_in(annotation: Any) -> type[Part] | None:
    """The part in a type: Bodies in Bodies, Host in list[Host], Resolve in dict[str, Resolve]."""
    if isinstance(annotation, type) and issubclass(annotation, Part):
        return annotation
    return next((part for inner in get_args(annotation) if (part := part_in(inner))), None)


def part_at(path: Sequence[str | int], root: type[Part] = PolicyFile) -> type[Part]:
    """The part whose keys stand at a path of a policy, or of what `root` is."""
    part = root
    for step in path:
        if (field := part.model_fields.get(str(step))) and (below := part_in(field.annotation)):
            part = below
    return part


_LISTED = ("rules", "budgets")
"""Whose keys would be a poor hint: they stand there again and again."""


def homes_of(key: str, part: type[Part] = PolicyFile, path: Steps = ()) -> list[Steps]:
    """Where in a policy a key of that name may stand, outside of its lists."""
    homes = [path] if key in part.model_fields else []
    for name, field in part.model_fields.items():
        if name not in _LISTED and (below := part_in(field.annotation)):
            homes += homes_of(key, below, (*path, name))
    return homes
