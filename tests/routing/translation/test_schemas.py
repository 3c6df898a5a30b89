from tollgate.routing.translation.schemas import closed, from_openapi


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

    assert closed(schema) == {
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
    assert (closed(None), from_openapi(None), closed([1]), from_openapi([True])) == (None, None, [1], [True])
