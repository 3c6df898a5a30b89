"""What stands in a body that somebody may be known by: slots of text, large numbers, files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any, Literal, NamedTuple, cast

type Kind = Literal["text", "key", "json", "blob"]
type Shape = Mapping[str, "Shape | Kind | Literal['skip']"]
"""Where text stands in a body. Keys lead down; lists are passed through; "*" is any key. A leaf says what
stands there: "skip" is no slot (ids, enums, signatures) as long as it is a string that may be one, "json" is
JSON in a string, "blob" is base64 or a URL. What a shape does not name is a slot, its key too: scanning is
opt-out."""

type Path = tuple[str | int, ...]

LEAST_NUMBER = 10**8
"""Numbers below have fewer digits than any that identifies somebody."""
_MOST_DIGITS = 10**20
"""Whole numbers beyond have more digits than any that identifies somebody; 1e300 has."""
_NAME = re.compile(r"(?=.{1,40}$)(?!(?:.*\d){4})[A-Za-z_$][\w$-]*", re.ASCII)
"""A key as programmers choose it: short, and with three digits at most."""
_FILES = frozenset(("file_id", "file_ids", "input_file_id", "vector_store_ids", "fileUri", "file_uri"))
"""Members that name files which the provider keeps, or stores of them."""


class Slot(NamedTuple):
    """A place in a body where human or tool text stands."""

    ordinal: int
    """The how manyth string literal of the body it is, from 0, keys included."""
    text: str
    kind: Kind
    path: Path

    @property
    def place(self) -> str:
        return place_of(self.path)


class Number(NamedTuple):
    """A large whole number in a body: a card number is one without quotes too."""

    ordinal: int
    """How many string literals stand before it."""
    value: int
    path: Path

    @property
    def place(self) -> str:
        return place_of(self.path)


class File(NamedTuple):
    """A file that the provider keeps, named in a body."""

    ordinal: int
    """How many string literals stand before its id."""
    id: str


class Contents(NamedTuple):
    """What stands in a tree that somebody may be known by, in document order."""

    slots: list[Slot]
    numbers: list[Number]
    """Those from LEAST_NUMBER on, with either sign, also where they are written as 4e15 or 4.0. Such with a
    fraction are measurements and embeddings."""
    files: list[File]
    """Wherever an object has a member such as `file_id`."""


def place_of(path: Path) -> str:
    """A path as people write it: messages[0].content[1].text

    A key that is no plain name stands there as "…": it may be text of somebody's, and this goes on record.
    """
    steps = (step if isinstance(step, int) or _NAME.fullmatch(step) else "…" for step in path)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


def find_slots(tree: Any, shape: Shape | None) -> list[Slot]:
    """The slots of a tree whose objects keep the order of the bytes."""
    return find_contents(tree, shape).slots


def find_contents(tree: Any, shape: Shape | None, since: Slot | None = None) -> Contents:
    """The slots and numbers of a tree; those from a slot on, where its place is given."""
    walk = _Walk()
    if since is None:
        walk.value(tree, shape, ())
    else:
        walk.strings = since.ordinal
        walk.rest(tree, shape, (), since)
    return Contents(walk.slots, walk.numbers, walk.files)


class _Walk:
    """Counts the strings of a tree in document order and collects the slots among them, numbers and files."""

    __slots__ = ("files", "numbers", "slots", "strings")

    def __init__(self) -> None:
        self.strings = 0
        self.slots: list[Slot] = []
        self.numbers: list[Number] = []
        self.files: list[File] = []

    def value(self, value: Any, shape: Any, path: Path) -> None:
        kind = type(value)
        if kind is str:
            if shape == "skip" and _is_no_id(value):
                shape = "key"
            if shape != "skip":
                self.slots.append(
                    Slot(self.strings, value, cast(Kind, shape) if type(shape) is str else "text", path)
                )
            self.strings += 1
        elif kind is dict:
            self.members(value.items(), shape, path)
        elif kind is list:
            for index, item in enumerate(value):
                self.value(item, shape, (*path, index))
        elif kind is int and not -LEAST_NUMBER < value < LEAST_NUMBER:
            self.numbers.append(Number(self.strings, value, path))
        elif kind is float and LEAST_NUMBER <= abs(value) < _MOST_DIGITS and value.is_integer():
            self.numbers.append(Number(self.strings, int(value), path))

    def members(self, members: Iterable[tuple[str, Any]], shape: Any, path: Path) -> None:
        named, others = _below(shape)
        for key, item in members:
            below = named.get(key)
            if below is None:
                below = others
                if type(shape) is not str:  # a leaf's word holds for all that stands under it
                    self.slots.append(Slot(self.strings, key, "key", (*path, key)))
            self.strings += 1
            if key in _FILES:
                ids = item if type(item) is list else (item,)
                self.files += (File(self.strings, id) for id in ids if type(id) is str)
            if below == "skip" and type(item) is str and not _is_no_id(item):  # most need no path
                self.strings += 1
            else:
                self.value(item, below, (*path, key))

    def rest(self, value: Any, shape: Any, path: Path, since: Slot) -> None:
        """What stands in a value from the slot on to which the path leads."""
        if path == since.path:
            self.value(value, shape, path)
        elif type(value) is list:
            first = cast(int, since.path[len(path)])
            self.rest(value[first], shape, (*path, first), since)
            for index in range(first + 1, len(value)):
                self.value(value[index], shape, (*path, index))
        else:
            key = cast(str, since.path[len(path)])
            behind = iter(value.items())
            found = next(member for member in behind if member[0] == key)
            if since.kind == "key" and len(since.path) == len(path) + 1:
                behind = chain((found,), behind)
            else:
                named, others = _below(shape)
                self.rest(found[1], named.get(key, others), (*path, key), since)
            self.members(behind, shape, path)


def _is_no_id(text: str) -> bool:
    """True for what is neither an id, nor an enum or a signature, where such should stand."""
    return "@" in text or " " in text


def _below(shape: Any) -> tuple[Mapping[str, Any], Any]:
    """What a shape says of the members of an object: of those that it names, and of all others."""
    if type(shape) is dict:
        return shape, shape.get("*")
    return {}, shape if type(shape) is str else None
