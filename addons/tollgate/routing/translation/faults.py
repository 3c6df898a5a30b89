"""Errors of a target as errors of the client's dialect: its own words, where the client looks for them."""

from __future__ import annotations

from typing import Any

import orjson

from tollgate.calls import Event, Headers
from tollgate.dialects import Dialect
from tollgate.dialects.base import json_of
from tollgate.dialects.paths import text_at
from tollgate.routing.translation.headers import translated
from tollgate.routing.translation.loss import Loss
from tollgate.routing.translation.neutral import Fail

type Told = tuple[int, dict[str, str], bytes, list[Loss]]
"""Status, headers, body, and what could not be told."""

_UNSAID = "The provider answered with an error, and did not say which."


def fault(dialect: Dialect, event: Event) -> Fail | None:
    """The error that an event tells; None for any other event."""
    if not (code := dialect.stream_error(event)):
        return None
    return Fail(message_of(json_of(event)) or _UNSAID, code)


def whole_fault(target: Dialect, source: Dialect, status: int, headers: Headers, body: bytes) -> Told | None:
    """The error that an answer is, with status 200 too; None for any other answer."""
    document = _json(body)
    if status < 400:
        code, status = target.stream_error(Event(body)), 502
    else:
        said = text_at(document, _CODES) or headers.get("x-amzn-errortype", "")
        code = said.partition(":")[0] or "provider_error"
    if not code:
        return None
    status = _status(status, source.name)
    told = translated(headers, source.name)
    id = next((value for name, value in told.items() if name.endswith(("request-id", "requestid"))), "")
    written = source.error_body(status, message_of(document) or _UNSAID, code, id)
    return status, {**source.error_headers(status, code), **told}, written, []


_CODES = ("error.status", "error.code", "error.type", "code", "type")

_OVERLOADED = {"anthropic-messages": 529}
_OWN = {529: 503, 424: 502, 408: 504}
"""Statuses that some providers have for themselves, and what others say."""


def _status(status: int, source: str) -> int:
    if status in (503, 529):
        return _OVERLOADED.get(source, 503)
    return _OWN.get(status, status)


_SAID = ("message", "error", "delta", "response")


def message_of(document: Any) -> str:
    """The sentence of an error, wherever the dialect has it: {"error": {"message": …}}, {"message": …}."""
    if isinstance(document, str):
        return document
    if not isinstance(document, dict):
        return ""
    return next(filter(None, (message_of(document.get(name)) for name in _SAID)), "")


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except ValueError:
        return None
