from __future__ import annotations

from typing import Any

import pytest

from tollgate.policy.parse import parse
from tollgate.policy.problem import Mark
from tollgate.policy.tree import EMPTY, Tree, merge

TEXT = "mode: observe\nrules:\n  - name: a\n    when: {user: [ann, bob]}\n"


def test_a_tree_without_its_marks_is_plain_data() -> None:
    plain = {"mode": "observe", "rules": [{"name": "a", "when": {"user": ["ann", "bob"]}}]}
    assert parse(TEXT, "a.yaml").plain() == plain


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [((), 1, 1), (("mode",), 1, 7), (("rules", 0), 3, 5), (("rules", 0, "when", "user", 1), 4, 24)],
)
def test_what_is_found_knows_its_place(path: tuple[str | int, ...], line: int, column: int) -> None:
    found = parse(TEXT, "a.yaml").find(path)
    assert found is not None
    assert (found.mark.file, found.mark.line, found.mark.column) == ("a.yaml", line, column)


@pytest.mark.parametrize("path", [("bodies",), ("rules", 1), ("rules", "name"), ("mode", "x"), (0,)])
def test_what_is_not_there_is_not_found(path: tuple[str | int, ...]) -> None:
    assert parse(TEXT, "a.yaml").find(path) is None


def test_the_nearest_thing_to_what_is_missing_is_what_should_hold_it() -> None:
    tree = parse(TEXT, "a.yaml")
    assert tree.nearest(("rules", 0, "set", "mode")) is tree.find(("rules", 0))


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ("a: 1", "b: 2", {"a": 1, "b": 2}),
        ("a: {x: 1, y: 2}", "a: {y: 3}", {"a": {"x": 1, "y": 3}}),
        ("a: {x: 1}", "a: 2", {"a": 2}),
        ("a: 2", "a: {x: 1}", {"a": {"x": 1}}),
        ("a: [1]", "a: [2]", {"a": [2]}),
        ("a: 1", "a:", {"a": None}),
        ("rules: [1]", "rules: [2, 3]", {"rules": [1, 2, 3]}),
        ("rules: [1]", "rules: 2", {"rules": 2}),
        ("rules: 1", "rules: [2]", {"rules": [2]}),
        ("x: {rules: [1]}", "x: {rules: [2]}", {"x": {"rules": [2]}}),
        ("", "a: 1", {"a": 1}),
        ("a: 1", "", {"a": 1}),
        ("a: 1", "[1]", [1]),
    ],
)
def test_a_later_file_goes_over_an_earlier_one(base: str, over: str, merged: Any) -> None:
    tree = merge(parse(base, "base"), parse(over, "over"), frozenset({"rules"}))
    assert tree.plain() == merged


def test_what_is_merged_keeps_the_place_it_came_from() -> None:
    tree = merge(parse("a: 1\nrules: [1]", "base"), parse("b: 2\nrules: [2]", "over"), frozenset({"rules"}))
    found = [tree.find(path) for path in (("a",), ("b",), ("rules", 0), ("rules", 1))]
    assert [str(child.mark) for child in found if child] == ["base:1", "over:1", "base:2", "over:2"]


def test_merging_changes_neither_tree() -> None:
    base, over = parse("a: {x: 1}", "base"), parse("a: {y: 2}", "over")
    merge(base, over)
    assert (base.plain(), over.plain()) == ({"a": {"x": 1}}, {"a": {"y": 2}})


def test_the_empty_tree_has_nothing() -> None:
    assert EMPTY.plain() == {}
    assert Tree(1, Mark("a", 1)).find(()) == Tree(1, Mark("a", 1))
