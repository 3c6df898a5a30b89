"""How a dialect words an error: whole, and within a stream that has begun."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from tollgate.calls import Event
from tollgate.dialects.paths import find

type Template = Mapping[str, Any]
"""JSON in which the strings "$message", "$type", "$code", "$CODE", "$status" and "$id" stand for values."""

_JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """The templates that say an error, and the table that finds one in a stream."""

    types: Mapping[int, str] = field(default_factory=dict)
    """HTTP status → the provider's word for it; 400 and 500 stand for the rest of their hundreds."""
    whole: Template
    """The body of an error."""
    stream: tuple[tuple[str, Template], ...]
    """The events that end a stream with an error: (event name, payload)."""
    type_header: str = ""
    """The response header that says the type too."""

    names: frozenset[str] = frozenset()
    """Events of these names are errors, whatever they hold."""
    at: tuple[str, ...] = ("error",)
    """Where an error stands in an event of any name; null and absent mean none."""
    mark: bytes = b'"error"'
    """What an event must hold to have anything there: a cheap test before parsing."""
    words: tuple[str, ...] = ("code", "type")
    """Where an error says what it is, in its object."""

    def type(self, status: int) -> str:
        """The provider's word for a status."""
        return self.types.get(status) or self.types.get(400 if status < 500 else 500, "")

    def body(self, status: int, message: str, code: str, request_id: str) -> bytes:
        return orjson.dumps(fill(self.whole, self._values(status, message, code, request_id)))

    def headers(self, status: int) -> dict[str, str]:
        typed = {self.type_header: self.type(status)} if self.type_header else {}
        return {"content-type": _JSON, **typed}

    def events(self, message: str, code: str, request_id: str) -> list[Event]:
        values = self._values(500, message, code, request_id)
        return [Event(orjson.dumps(fill(template, values)), name) for name, template in self.stream]

    def of_event(self, event: Event, read: Callable[[Event], Any]) -> str:
        """The type or code of the error that an event tells; empty where it tells none. Never its text."""
        if event.name not in self.names and (event.data is None or self.mark not in event.data):
            return ""
        document = read(event)
        error = next((found for path in self.at if (found := find(document, path))), None)
        if error is None and event.name in self.names:
            return _word(document, self.words) or event.name
        return (_word(error, self.words) or "error") if error else ""

    def _values(self, status: int, message: str, code: str, request_id: str) -> dict[str, Any]:
        return {
            "$message": message,
            "$type": self.type(status),
            "$code": code,
            "$CODE": code.upper(),
            "$status": status,
            "$id": request_id,
        }


def fill(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its placeholders replaced."""
    if isinstance(template, Mapping):
        return {key: fill(value, values) for key, value in template.items()}
    if isinstance(template, list):
        return [fill(value, values) for value in template]
    return values.get(template, template) if isinstance(template, str) else template


def _word(error: Any, paths: tuple[str, ...]) -> str:
    """The first of the paths at which a number or a short word stands: a sentence names no error."""
    words = (str(found) for path in paths if isinstance(found := find(error, path), str | int))
    return next((word for word in words if word and " " not in word and len(word) <= 64), "")
