"""Pieces that shapes are made of. What a shape does not name is a slot, so only the structural is listed."""

from __future__ import annotations

import re
from typing import Any

type Node = dict[str, Any]
"""A shape under construction: `calls.Shape` is its read-only view."""


def skip(*names: str) -> Node:
    """Fields that hold no text of a person or a tool: ids, enums, signatures."""
    return dict.fromkeys(names, "skip")


def blob(*names: str) -> Node:
    """Fields that hold base64, a data: URL or a plain URL. APIs also put plain text there at times
    (Anthropic's text documents), so what is none of these has to be read as text."""
    return dict.fromkeys(names, "blob")


def text(*names: str) -> Node:
    """Fields that hold text, or anything else that is all text, keys included. They are slots unnamed as
    well; named, only their own keys are not."""
    return {name: {} for name in names}


SETTINGS: Node = {
    **skip("stream", "temperature", "top_p", "top_k", "min_p", "seed", "n", "logprobs", "top_logprobs"),
    **skip("max_tokens", "max_output_tokens", "max_completion_tokens", "dimensions"),
    **skip("presence_penalty", "frequency_penalty", "repetition_penalty"),
    **skip("parallel_tool_calls", "store", "background"),
}
"""Numbers and switches that many APIs have: there is nothing to see in them, so their names are no slots."""


def _schema() -> Node:
    """JSON Schema: types and references are structure; descriptions, values and names are not."""
    schema: Node = {
        **skip("$schema", "$id", "$ref", "type", "format", "encrypted"),
        **text("title", "description", "default", "enum", "const", "pattern", "example", "examples"),
        "required": "key",
        "propertyOrdering": "key",
    }
    for name in ("properties", "$defs", "definitions", "patternProperties"):
        schema[name] = {"*": schema}
    for name in ("items", "prefixItems", "anyOf", "oneOf", "allOf", "not", "if", "then", "else"):
        schema[name] = schema
    schema["additionalProperties"] = schema["propertyNames"] = schema
    return schema


SCHEMA = _schema()

FUNCTION_CALL: Node = {
    **skip("id", "type", "index"),
    "function": {**skip("name"), "arguments": "json"},
    "custom": {**skip("name"), **text("input")},
    "extra_content": {"google": skip("thought_signature")},
}
"""A tool call as OpenAI's Chat API writes it, and those after it."""

FUNCTION_TOOL: Node = {
    **skip("type", "cache_control"),
    "function": {**skip("name", "strict"), **text("description"), "parameters": SCHEMA},
    "custom": {
        **skip("name"),
        **text("description"),
        "format": {**skip("type"), "grammar": {**skip("syntax"), **text("definition")}},
    },
}
"""A tool's declaration in the same APIs."""


def with_snake_case(shape: Node) -> Node:
    """The same shape that also knows each camelCase field by its snake_case name: Google's APIs take both."""
    return _with_snake_case(shape, {})


def _with_snake_case(shape: Node, done: dict[int, Node]) -> Node:
    if id(shape) not in done:
        both = done[id(shape)] = {}  # entered first: shapes contain themselves
        for key, below in shape.items():
            both[key] = both[_snake(key)] = (
                _with_snake_case(below, done) if isinstance(below, dict) else below
            )
    return done[id(shape)]


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
