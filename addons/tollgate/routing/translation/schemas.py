"""JSON Schema as providers want it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_VALUES = frozenset({"enum", "const", "default", "example", "examples", "required"})
"""Keys under which values stand, not schemas."""
_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties"})
"""Keys under which schemas stand by names that somebody chose."""


def closed(schema: Any) -> Any:
    """The same schema in which no object takes fields that it does not name, as Anthropic demands it.

    https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    """
    if not isinstance(schema, dict):
        return _each(schema, closed)
    inner = {key: _below(key, value, closed) for key, value in schema.items()}
    return {**inner, "additionalProperties": False} if schema.get("type") == "object" else inner


def from_openapi(schema: Any) -> Any:
    """Google's older dialect of OpenAPI as JSON Schema: types in capitals, and null as a flag.

    https://ai.google.dev/api/caching#Schema
    """
    if not isinstance(schema, dict):
        return _each(schema, from_openapi)
    named = ((str(_SPELLED.get(key, key)), value) for key, value in schema.items())
    plain = {
        key: _below(key, value, from_openapi)
        for key, value in named
        if key not in ("nullable", "propertyOrdering", "property_ordering")
    }
    if isinstance(kind := plain.get("type"), str):
        plain["type"] = [kind.lower(), "null"] if schema.get("nullable") is True else kind.lower()
    return plain


_SPELLED = {
    "any_of": "anyOf",
    "min_items": "minItems",
    "max_items": "maxItems",
    "min_length": "minLength",
    "max_length": "maxLength",
}
"""Google's SDKs write some names in the other way."""


def _below(key: str, value: Any, step: Callable[[Any], Any]) -> Any:
    if key in _VALUES:
        return value
    if key in _BY_NAME and isinstance(value, dict):
        return {name: step(schema) for name, schema in value.items()}
    return step(value)


def _each(value: Any, step: Callable[[Any], Any]) -> Any:
    return [step(item) for item in value] if isinstance(value, list) else value
