from __future__ import annotations

from typing import Any

import pytest

from tollgate.dialects.paths import MOST, find, is_count, number_at, object_at, objects_at, text_at

TREE = {"a": {"b": "text", "n": 7, "f": 28.0, "none": None, "list": [1, {"c": 1}, {"d": 2}]}, "empty": ""}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", TREE),
        ("a.b", "text"),
        ("a.none", None),
        ("a.x", None),
        ("x.y", None),
        ("a.b.c", None),
        ("a.list.0", None),
    ],
)
def test_a_path_leads_through_objects_only(path: str, found: Any) -> None:
    assert find(TREE, path) == found


@pytest.mark.parametrize(
    ("paths", "text"), [(("a.x", "a.b"), "text"), (("empty", "a.b"), "text"), (("a.n",), ""), ((), "")]
)
def test_the_first_text_that_says_something_counts(paths: tuple[str, ...], text: str) -> None:
    assert text_at(TREE, paths) == text


@pytest.mark.parametrize(
    ("paths", "number"), [(("a.x", "a.n"), 7), (("a.b", "a.f"), 28), (("a.b",), None), ((), None)]
)
def test_the_first_number_counts(paths: tuple[str, ...], number: float | None) -> None:
    assert number_at(TREE, paths) == number


def test_a_number_without_fraction_is_whole() -> None:
    assert type(number_at({"n": 28.0}, ("n",))) is int
    assert number_at({"n": 12.5}, ("n",)) == 12.5


def test_a_number_that_nobody_can_use_says_nothing() -> None:
    assert number_at({"n": MOST}, ("n",)) == MOST
    assert number_at({"n": 1e300, "m": 2**64 - 1, "o": MOST + 1, "p": 7}, ("n", "m", "o", "p")) == 7


def test_the_first_object_counts() -> None:
    assert object_at({"a": 1, "b": {}}, ("a", "b")) == {}
    assert object_at([], ("",)) is None


@pytest.mark.parametrize(("path", "found"), [("a.list", [{"c": 1}, {"d": 2}]), ("a", []), ("x", [])])
def test_of_a_list_only_the_objects_count(path: str, found: list[Any]) -> None:
    assert objects_at(TREE, path) == found


@pytest.mark.parametrize("value", [-1, -0.5, float("inf"), float("nan"), True, "1", None, [1]])
def test_only_finite_numbers_from_zero_up_can_be_billed(value: Any) -> None:
    assert not is_count(value)
    assert number_at({"n": value}, ("n",)) is None
