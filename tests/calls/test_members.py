from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls.members import Changes, changed, members

KEYS = st.sampled_from(["a", "b", "c", 'd"', "{,", "é"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", 'x,{}"', "]", "\\"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
CHANGES: st.SearchStrategy[Changes] = st.recursive(
    st.dictionaries(KEYS, st.none() | VALUES.map(orjson.dumps), max_size=4),
    lambda inner: st.dictionaries(KEYS, st.none() | VALUES.map(orjson.dumps) | inner, max_size=4),
    max_leaves=4,
)


def expected(tree: Any, changes: Changes) -> dict[str, Any]:
    found = dict(tree) if isinstance(tree, dict) else {}
    for key, change in changes.items():
        if change is None:
            found.pop(key, None)
        elif isinstance(change, Mapping):
            below = expected(found.get(key), change)
            if below or key in found:
                found[key] = below
        else:
            found[key] = orjson.loads(change)
    return found


@given(st.dictionaries(KEYS, VALUES, max_size=5), CHANGES, st.sampled_from([None, 0, 2]))
def test_changes_are_those_of_the_tree(tree: dict[str, Any], changes: Changes, indent: int | None) -> None:
    text = json.dumps(tree, indent=indent).encode()

    assert orjson.loads(changed(text, changes)) == expected(tree, changes)


@given(st.dictionaries(KEYS, VALUES, max_size=5), st.sampled_from([None, 0, 2]))
def test_no_changes_are_the_same_bytes(tree: dict[str, Any], indent: int | None) -> None:
    text = json.dumps(tree, indent=indent).encode()

    assert changed(text, {}) == text


@pytest.mark.parametrize(
    ("before", "changes", "after"),
    [
        (b'{ "model" : "a" ,"n":1.0}', {"model": b'"b"'}, b'{ "model" : "b" ,"n":1.0}'),
        (b'{"a": 1, "b": 2, "c": 3}', {"b": None}, b'{"a": 1, "c": 3}'),
        (b'{"a": 1, "b": 2}', {"a": None}, b'{"b": 2}'),
        (b'{"a": 1, "b": 2}', {"b": None, "c": b"3"}, b'{"a": 1,"c":3}'),
        (b'{"a": 1}', {"a": None}, b"{}"),
        (b'{"a": 1}', {"a": None, "b": b"2"}, b'{"b":2}'),
        (b" {}", {"a": {"b": b"1"}}, b' {"a":{"b":1}}'),
        (b'{"a": {"b": 1, "c": 1e2}}', {"a": {"b": b"2"}}, b'{"a": {"b": 2, "c": 1e2}}'),
        (b'{"a": 7}', {"a": {"b": b"1"}}, b'{"a": {"b":1}}'),
        (b'{"a": 7}', {"b": {"c": None}}, b'{"a": 7}'),
        (b'{"\\u0061": 7}', {"a": b"8"}, b'{"\\u0061": 8}'),
    ],
)
def test_only_the_named_bytes_change(before: bytes, changes: Changes, after: bytes) -> None:
    assert changed(before, changes) == after


def test_what_is_no_object_has_no_members() -> None:
    with pytest.raises(ValueError, match="no object"):
        changed(b"[1]", {"a": b"1"})


def test_members_say_where_they_stand() -> None:
    text = b'{"a": [1, {"b": 2}] , "c":"," }'

    assert [text[m.value : m.end] for m in members(text, 0)] == [b'[1, {"b": 2}]', b'","']
