from __future__ import annotations

from support.slots import keys, texts
from tollgate.dialects.shapes import FUNCTION_CALL, FUNCTION_TOOL, SCHEMA, blob, skip, text, with_snake_case


def test_what_is_skipped_is_no_slot_and_what_is_unknown_is() -> None:
    shape = {**skip("id"), **blob("data"), **text("said")}
    body = {"id": "1", "data": "AAAA", "said": "hi", "new": "?"}

    assert texts(shape, body) == ["blob:AAAA", "hi", "?"]
    assert keys(shape, body) == ["new"]


def test_all_below_a_text_is_text_its_keys_too() -> None:
    body = {"arguments": {"name": "Ada", "tags": ["x", {"y": "z"}]}}

    assert texts(text("arguments"), body) == ["Ada", "x", "z"]
    assert keys(text("arguments"), body) == ["name", "tags", "y"]


def test_of_a_json_schema_words_and_names_are_slots_and_types_are_not() -> None:
    schema = {
        "type": "object",
        "description": "who",
        "properties": {
            "type": {"type": "string", "enum": ["a", "b"], "default": {"deep": "c"}},
            "list": {"type": "array", "items": {"$ref": "#/$defs/X"}, "anyOf": [{"format": "date"}]},
        },
        "required": ["type"],
        "$defs": {"X": {"title": "an X"}},
        "additionalProperties": False,
    }

    assert texts(SCHEMA, schema) == ["who", "a", "b", "c", "an X"]
    assert keys(SCHEMA, schema) == ["type", "deep", "list", "type", "X"]


def test_tools_and_calls_keep_their_names_and_ids() -> None:
    tool = {
        "type": "function",
        "function": {"name": "f", "description": "d", "parameters": {"type": "object"}},
    }
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    custom = {"id": "2", "type": "custom", "custom": {"name": "g", "input": "free"}}

    assert texts(FUNCTION_TOOL, tool) == ["d"]
    assert texts(FUNCTION_CALL, call) == ['json:{"a": 1}']
    assert texts(FUNCTION_CALL, custom) == ["free"]


def test_snake_case_is_known_too_even_where_a_shape_contains_itself() -> None:
    shape = {**skip("mimeType"), **text("displayName")}
    shape["innerParts"] = shape
    both = with_snake_case(shape)
    body = {"inner_parts": [{"innerParts": {"mime_type": "t", "mimeType": "t", "display_name": "n"}}]}

    assert texts(both, body) == ["n"]
    assert keys(both, body) == []
