"""JSON Schema as providers want it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tollgate.routing.translation.loss import Losses

_VALUES = frozenset({"enum", "const", "default", "example", "examples", "required"})
"""Keys under which values stand, not schemas."""
_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties"})
"""Keys under which schemas stand by names that somebody chose."""


_UNCHECKED = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("minLength", "maxLength", "maxItems", "uniqueItems", "minProperties", "maxProperties"),
    }
)
"""What Anthropic refuses in the schema of an answer; of `minItems` it takes 0 and 1."""


def of_arguments(schema: Any) -> Any:
    """A tool's schema with what OpenAI (`properties`) and Anthropic (`type`) refuse to do without."""
    plain = schema if isinstance(schema, dict) else {}
    if plain.keys() & {"$ref", "anyOf", "oneOf", "allOf"}:
        return {"type": "object", **plain}
    return {"type": "object", **plain, "properties": plain.get("properties") or {}}


def closed(schema: Any, losses: Losses, where: str) -> Any:
    """The same schema in which no object takes fields that it does not name, as Anthropic demands it.

    https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    """

    def step(inner: Any) -> Any:
        return closed(inner, losses, where)

    if not isinstance(schema, dict):
        return _each(schema, step)
    if schema.get("additionalProperties") not in (None, False):
        losses.note("fields without a name in a schema", where)
    for key in unchecked(schema):
        losses.note(f"{key} in a schema", where)
    inner = {key: _below(key, value, step) for key, value in schema.items() if key not in unchecked(schema)}
    kinds = schema.get("type")
    of_objects = kinds == "object" or (isinstance(kinds, list) and "object" in kinds)
    return {**inner, "additionalProperties": False} if of_objects else inner


def unchecked(schema: Mapping[str, Any]) -> list[str]:
    """The limits in a schema that Anthropic does not know."""
    most = [key for key in schema if key in _UNCHECKED]
    return most if schema.get("minItems") in (None, 0, 1) else [*most, "minItems"]


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
