from __future__ import annotations

from typing import Any

import pytest

from tollgate.policy.routing import Parameters
from tollgate.routing.parameters import changes_of


@pytest.mark.parametrize(
    ("parameters", "body", "changes"),
    [
        ({"set": {"a": 1}}, {}, {"a": b"1"}),
        ({"set": {"a": 1}}, {"a": 1}, {}),
        ({"set": {"a.b": [1], "a.c": "x"}}, {"a": {"b": 2}}, {"a": {"b": b"[1]", "c": b'"x"'}}),
        ({"default": {"a": 1}}, {}, {"a": b"1"}),
        ({"default": {"a": 1}}, {"a": None}, {"a": b"1"}),
        ({"default": {"a": 1}}, {"a": 0}, {}),
        ({"default": {"a.b": 1}}, {"a": 3}, {"a": {"b": b"1"}}),
        ({"cap": {"a": 10.0}}, {"a": 11}, {"a": b"10"}),
        ({"cap": {"a": 0.5}}, {"a": 0.7}, {"a": b"0.5"}),
        ({"cap": {"a": 10.0}}, {"a": 10}, {}),
        ({"cap": {"a": 10.0}}, {"a": "11"}, {}),
        ({"cap": {"a": 0.0}}, {"a": True}, {}),
        ({"cap": {"a": 10.0}}, {}, {}),
        ({"remove": ["a", "b.c"]}, {"a": None, "b": {"c": 1}}, {"a": None, "b": {"c": None}}),
        ({"remove": ["a"]}, {}, {}),
        ({"remove": ["a"]}, [1], {}),
        ({"remove": ["a"], "set": {"a.b.c": 1}}, {"a": {"z": 1}}, {"a": b'{"b":{"c":1}}'}),
        ({"default": {"a": {"x": 1}}, "set": {"a.b": 2}}, {}, {"a": b'{"x":1,"b":2}'}),
        ({"set": {"a": 1, "a.b": 2}}, {}, {"a": b'{"b":2}'}),
        ({"remove": ["a", "a.b"]}, {"a": {"b": 1}}, {"a": None}),
    ],
)
def test_changes_are_what_the_policy_says(
    parameters: dict[str, Any], body: Any, changes: dict[str, Any]
) -> None:
    assert changes_of(Parameters.model_validate(parameters), body) == changes
