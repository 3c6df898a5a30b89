from typing import Any

import pytest

from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.schemas import closed, from_openapi, of_arguments


def close(schema: Any) -> tuple[Any, list[str]]:
    losses = Losses()
    return closed(schema, losses, "f"), [loss.what for loss in losses]


def test_every_object_is_closed_and_values_are_left_alone() -> None:
    schema = {
        "type": "object",
        "properties": {
            "default": {"type": "object", "properties": {}},
            "list": {"type": "array", "items": [{"type": "object"}]},
        },
        "required": ["list"],
        "default": {"type": "object"},
        "$defs": {"x": {"anyOf": [{"type": "object"}, True]}},
    }

    assert close(schema)[0] == {
        "type": "object",
        "properties": {
            "default": {"type": "object", "properties": {}, "additionalProperties": False},
            "list": {"type": "array", "items": [{"type": "object", "additionalProperties": False}]},
        },
        "required": ["list"],
        "default": {"type": "object"},
        "$defs": {"x": {"anyOf": [{"type": "object", "additionalProperties": False}, True]}},
        "additionalProperties": False,
    }


def test_googles_older_schema_becomes_json_schema() -> None:
    schema = {
        "type": "OBJECT",
        "properties": {
            "nullable": {"type": "STRING", "nullable": True, "enum": ["A"]},
            "of": {"any_of": [{"type": "INTEGER"}], "min_items": 1},
            "free": {"description": "anything"},
        },
        "propertyOrdering": ["of"],
    }

    assert from_openapi(schema) == {
        "type": "object",
        "properties": {
            "nullable": {"type": ["string", "null"], "enum": ["A"]},
            "of": {"anyOf": [{"type": "integer"}], "minItems": 1},
            "free": {"description": "anything"},
        },
    }


def test_what_is_no_schema_stays_as_it_is() -> None:
    assert (close(None)[0], from_openapi(None)) == (None, None)
    assert (close([1])[0], from_openapi([True])) == ([1], [True])


def test_an_object_that_may_be_null_is_closed_too() -> None:
    nullable = {"type": ["object", "null"], "properties": {}}

    assert close(nullable) == ({**nullable, "additionalProperties": False}, [])


def test_what_a_closed_schema_cannot_say_is_noted() -> None:
    schema = {
        "type": "object",
        "properties": {
            "minimum": {"type": "integer", "minimum": 3},
            "list": {"type": "array", "minItems": 2},
            "some": {"type": "array", "minItems": 1},
        },
        "additionalProperties": {"type": "string"},
    }

    assert close(schema) == (
        {
            "type": "object",
            "properties": {
                "minimum": {"type": "integer"},
                "list": {"type": "array"},
                "some": {"type": "array", "minItems": 1},
            },
            "additionalProperties": False,
        },
        ["fields without a name in a schema", "minimum in a schema", "minItems in a schema"],
    )


@pytest.mark.parametrize(
    ("schema", "whole"),
    [
        (None, {"type": "object", "properties": {}}),
        ({}, {"type": "object", "properties": {}}),
        ({"type": "object"}, {"type": "object", "properties": {}}),
        ({"properties": {"a": {}}}, {"type": "object", "properties": {"a": {}}}),
        ({"$ref": "#/$defs/a", "$defs": {}}, {"type": "object", "$ref": "#/$defs/a", "$defs": {}}),
    ],
)
def test_arguments_are_an_object_with_properties(schema: Any, whole: Any) -> None:
    assert of_arguments(schema) == whole
