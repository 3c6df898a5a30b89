"""From an answer that has come to the entry that is kept of it; nothing where it is none to keep. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import takewhile
from typing import Any

import orjson

from tollgate.cache.eligible import WHOLE_ONLY
from tollgate.cache.entry import Entry, pieces_of, usage_of
from tollgate.cache.forms import FORMS, Form
from tollgate.calls import SAME, Answer, Call, End, Event
from tollgate.calls.standins import BRAND, SHAPE

UNLIKE = (ValueError, TypeError, AttributeError, LookupError)
"""What reading an answer ends with that is not as its dialect says; a FormError is a ValueError."""

_ERRORS = ("error", "errors", "detail")
_NOTHING: tuple[Any, ...] = (None, "", [])
_DONE = ("data", "embeddings", "results")
"""Fields of embeddings and rankings that have something in them, where there are any."""

_BRAND = BRAND.lower().encode()

REQUEST_IDS = ("x-request-id", "request-id", "x-amzn-requestid")
"""Headers that name a call at the provider."""


@dataclass(slots=True)
class Heard:
    """A streamed answer as far as it has come."""

    status: int
    began: float
    """Seconds on the monotonic clock."""
    headers: Iterable[tuple[str, str]]
    room: int
    """Bytes that may still come."""
    events: list[tuple[float, Event]] = field(default_factory=list)

    def hear(self, event: Event, now: float) -> None:
        if self.room < 0 or event.data is None:
            return
        self.room -= len(event.data)
        if self.room < 0:
            self.events.clear()
        else:
            self.events.append((now - self.began, event))


def headers_of(call: Call, headers: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """What is kept of an answer's headers: what it is, and what it used. Nothing of accounts and limits."""
    wanted = _kept_headers(tuple(call.dialect.header_usage))
    return tuple([(name, value) for name, value in headers if name.lower() in wanted])


@lru_cache
def _kept_headers(usage: tuple[str, ...]) -> frozenset[str]:
    return frozenset(("content-type", *REQUEST_IDS, *usage))


def whole_entry(call: Call, answer: Answer) -> Entry | None:
    """The entry of a whole answer; None where it is not complete, or was refused or filtered."""
    body = answer.body
    try:
        document = answer.json()
        if answer.status != 200 or not _is_complete(call, document):
            return None
        written = orjson.dumps(document) if b"\\u00" in body else body  # with letters as they are
        return _entry(call, answer.headers.items(), document, written, body=body)
    except UNLIKE:
        return None


def stream_entry(call: Call, heard: Heard, options: str) -> Entry | None:
    """The entry of a streamed answer that has ended, None as for a whole one; `options` are its form's."""
    form = FORMS.get(call.dialect.name)
    events = [event for _, event in heard.events]
    if form is None or heard.status != 200 or not events:
        return None
    try:
        whole = form.fold(events)
        if not form.complete(whole):
            return None
        pieces = pieces_of(heard.events)
        return _entry(call, heard.headers, whole, orjson.dumps(whole), pieces=pieces, form=options)
    except UNLIKE:
        return None


def ended_well(call: Call, end: End) -> bool:
    """True where a stream was not cut, and told of no error."""
    attempt = call.attempts[-1] if call.attempts else None
    return not end.error and (attempt is None or (attempt.complete and not attempt.error))


def stands_in(call: Call) -> bool:
    """True for an answer of another model than the one that this call is for: of a target that was asked as
    the one before it fails, or where a budget runs low. Nobody wants it once that is over."""
    if any(verdict.code == "model_switched" and verdict.action == "change" for verdict in call.verdicts):
        return True
    route, planned = call.policy.route, {target.name: target for target in call.plan}
    if not (planned and call.attempts) or route.strategy != "priority":
        return False
    name = call.attempts[-1].target
    if name not in planned:
        name = SAME  # an attempt there is called by its host
    before = takewhile(name.__ne__, (choice.target for choice in route.targets))
    kinds = {one: (target.provider, target.model) for one, target in planned.items()}
    return any(kinds[one] != kinds.get(name) for one in before if one in kinds)


def _is_complete(call: Call, document: Any) -> bool:
    if call.operation in WHOLE_ONLY:
        return bool(document) and (
            type(document) is list or (type(document) is dict and not _failed(document))
        )
    form = FORMS.get(call.dialect.name)
    return form is not None and form.complete(document)


def _failed(document: Mapping[str, Any]) -> bool:
    """True where a status of 200 hides an error, as gateways and servers have it, or nothing was done."""
    said = document.keys() >= {"code", "message"} or document.get("success") is False
    told = any(document.get(name) not in _NOTHING for name in _ERRORS)
    return said or told or any(document.get(name) == [] for name in _DONE)


def _entry(
    call: Call, headers: Iterable[tuple[str, str]], whole: dict[str, Any], written: bytes, **kept: Any
) -> Entry:
    policy = call.policy.cache
    return Entry(
        created=call.time,
        ttl=policy.ttl,
        dialect=call.dialect.name,
        provider=call.provider,
        operation=call.operation,
        model=call.model,
        answered_model=call.answered_model,
        headers=headers_of(call, headers),
        usage=usage_of(call.usage),
        tag=policy.tag,
        ids=_ids(FORMS.get(call.dialect.name), whole),
        tokens=_tokens(written),
        **kept,
    )


def _tokens(written: bytes) -> tuple[str, ...]:
    lower = written.lower()
    if _BRAND not in lower:
        return ()  # as a rule
    return tuple(sorted(set(SHAPE.findall(lower.decode()))))


def _ids(form: Form | None, whole: Mapping[str, Any]) -> tuple[str, ...]:
    paths = form.ids if form else ()
    return tuple([id for path in paths if isinstance(id := _at(whole, path), str) and id])


def _at(whole: Any, path: str) -> Any:
    for name in path.split("."):
        whole = whole.get(name) if isinstance(whole, dict) else None
    return whole
