from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tollgate.policy.complaint import part_in
from tollgate.policy.part import Part
from tollgate.policy.schema import PolicyFile, Rule, Settings, json_schema

SCHEMA_FILE = Path(__file__).parents[2] / "policies" / "policy.schema.json"


def parts(part: type[Part] = PolicyFile) -> Iterator[type[Part]]:
    yield part
    for field in part.model_fields.values():
        if below := part_in(field.annotation):
            yield from parts(below)


def test_the_committed_schema_is_that_of_the_code() -> None:
    """After a change: tollgate policy schema --output policies/policy.schema.json"""
    assert json.loads(SCHEMA_FILE.read_text("utf-8")) == json_schema()


def test_every_key_of_a_part_has_a_description_for_editors() -> None:
    """A key that holds a part may leave it to the part's own."""
    bare = [
        f"{part.__name__}.{name}"
        for part in set(parts())
        for name, field in part.model_fields.items()
        if not field.description and not part_in(field.annotation)
    ]
    assert bare == []


def test_every_part_has_a_description_for_editors() -> None:
    assert [part.__name__ for part in parts() if not part.__doc__] == []


def test_settings_can_be_named_in_part() -> None:
    """A rule's `set` is such a part of them, so that everything in Settings needs a default."""
    assert Settings() == Settings.model_validate({})
    rule = Rule.model_validate({"name": "a", "set": {"bodies": {"max_size": "1 MB"}}})
    assert rule.set.model_dump(exclude_unset=True) == {"bodies": {"max_size": 1024 * 1024}}


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        PolicyFile().mode = "observe"


@pytest.mark.parametrize(
    "content",
    [
        {"mdoe": "observe"},
        {"mode": "enforced"},
        {"version": 2},
        {"version": "1"},
        {"bodies": {"max_size": True}},
        {"bodies": {"max_size": -1}},
        {"timeouts": {"connect": 0}},
        {"timeouts": None},
        {"on_error": {"dpl": "open"}},
        {"hosts": [{"host": "", "provider": "x"}]},
        {"hosts": [{"host": "x", "provider": "x", "port": 65536}]},
        {"connections": {"metadata": "tunnel"}},
        {"upstream": {"ca": 1}},
        {"rules": [{"name": ""}]},
        {"rules": [{"name": "a", "when": {"user": 42}}]},
        {"rules": [{"name": "a", "when": {"client": "10.0.0.1/8"}}]},
        {"rules": [{"name": "a", "set": {"rules": []}}]},
    ],
    ids=json.dumps,
)
def test_what_a_policy_does_not_know_is_an_error(content: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PolicyFile.model_validate(content)
