"""What a request's body has to look like, written as a table, and the check of a body against it.

A shape is a type (`str`, `int | float`), `object` for anything, `[shape]` for a list, a tuple for one of
several, or a dict of keys to shapes. A key that ends in "?" may be left out or be null; a key that is not
named is a mistake. `Choice` picks a dict by the value of one of its keys.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Any

type Shape = type | UnionType | list[Shape] | tuple[Shape, ...] | dict[str, Shape] | Choice


@dataclass(frozen=True)
class Choice:
    """An object whose shape depends on what stands under `key` (`default` where nothing does)."""

    key: str
    shapes: dict[str, dict[str, Shape]]
    default: str = ""


class ShapeError(ValueError):
    """A body of the wrong shape, and the place where."""

    def __init__(self, place: str, message: str) -> None:
        super().__init__(f"{place or 'body'}: {message}")
        self.place = place


def check(value: Any, shape: Shape, place: str = "") -> None:
    """ShapeError where the value is not of that shape."""
    match shape:
        case list():
            _check_list(value, shape[0], place)
        case dict():
            _check_object(value, shape, place)
        case tuple():
            _check_any(value, shape, place)
        case Choice():
            _check_choice(value, shape, place)
        case _:
            _check_type(value, shape, place)


def _check_type(value: Any, shape: type | UnionType, place: str) -> None:
    if shape is object or (isinstance(value, shape) and (shape is bool or not isinstance(value, bool))):
        return
    expected = getattr(shape, "__name__", str(shape))
    raise ShapeError(place, f"expected {expected}, but got {type(value).__name__}")


def _check_list(value: Any, item: Shape, place: str) -> None:
    _check_type(value, list, place)
    for index, element in enumerate(value):
        check(element, item, f"{place}[{index}]")


def _check_object(value: Any, shape: dict[str, Shape], place: str) -> None:
    _check_type(value, dict, place)
    known = {key.removesuffix("?"): (key.endswith("?"), below) for key, below in shape.items()}
    for key, (optional, _) in known.items():
        if key not in value and not optional:
            raise ShapeError(_join(place, key), "field required")
    for key, element in value.items():
        if key not in known:
            raise ShapeError(_join(place, key), "unknown field; extra inputs are not permitted")
        optional, below = known[key]
        if not (optional and element is None):
            check(element, below, _join(place, key))


def _check_any(value: Any, shapes: tuple[Shape, ...], place: str) -> None:
    """The error is that of the last shape, which is the most detailed one by habit."""
    for shape in shapes[:-1]:
        try:
            return check(value, shape, place)
        except ShapeError:
            continue
    return check(value, shapes[-1], place)


def _check_choice(value: Any, choice: Choice, place: str) -> None:
    _check_type(value, dict, place)
    chosen = value.get(choice.key, choice.default)
    if chosen not in choice.shapes:
        expected = ", ".join(choice.shapes)
        raise ShapeError(_join(place, choice.key), f"unknown value {chosen!r}; expected one of {expected}")
    key = choice.key + ("?" if choice.default else "")
    _check_object(value, {key: str, **choice.shapes[chosen]}, place)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key
