"""What a policy does to a request's parameters, as changes of its body. Pure."""

from __future__ import annotations

from typing import Any

import orjson

from tollgate.calls.members import Changes, changed
from tollgate.policy.routing import Parameters

_ABSENT = object()


def changes_of(parameters: Parameters, body: Any) -> Changes:
    """The changes that bring a body in line with the policy; none where it is already."""
    found: dict[str, Any] = {}
    for path in parameters.remove:
        if at(body, path) is not _ABSENT:
            put(found, path, None)
    for path, value in parameters.default.items():
        if at(body, path) in (_ABSENT, None):
            put(found, path, orjson.dumps(value))
    for path, most in parameters.cap.items():
        if _number(value := at(body, path)) and value > most:
            put(found, path, orjson.dumps(int(most) if isinstance(value, int) else most))
    for path, value in parameters.set.items():
        if at(body, path) != value:
            put(found, path, orjson.dumps(value))
    return found


def put(changes: dict[str, Any], path: str, value: bytes | None) -> None:
    """Add a change at a dotted path."""
    key, _, rest = path.partition(".")
    if not rest:
        changes[key] = value
    elif isinstance(below := changes.setdefault(key, {}), dict):
        put(below, rest, value)
    elif value is not None:  # all of it changes already: it is removed, or given as a whole
        whole = below if isinstance(below, bytes) and below.startswith(b"{") else b"{}"
        changes[key] = changed(whole, _nested(rest, value))


def _nested(path: str, value: bytes) -> Changes:
    made: dict[str, Any] = {}
    put(made, path, value)
    return made


def at(body: Any, path: str) -> Any:
    """What stands at a dotted path; a mark of its own where nothing does, which null is not."""
    for key in path.split("."):
        if not isinstance(body, dict) or key not in body:
            return _ABSENT
        body = body[key]
    return body


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
