"""What the trail says of a call, a connection and the proxy itself: dicts that become lines of JSON. Pure.

A record never holds a credential, a prompt or an answer. Where it has to name one, to join records or to
prove something later, there is a keyed digest. What is not known is left out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from tollgate.calls import (
    METHODS,
    MODEL_PLACE,
    Attempt,
    Call,
    Connection,
    Finding,
    Identity,
    Notice,
    Timings,
    Verdict,
    path_segment,
)
from tollgate.store import Digester

VERSION = 1
"""Of the records' form. A field may be added within a version, but none changes its meaning."""

_WORD = 200
_SENTENCE = 1000
"""Characters that are kept of text that others chose."""
_PLACES = 30
"""Findings of a call that are told one by one."""
_DECIDING = frozenset(("refuse", "error"))
_WORD_OF_PATH = re.compile("[a-z][a-z_-]{0,30}|v[0-9][a-z0-9]{0,8}|")
"""A segment of a path as APIs have them."""

type Record = dict[str, Any]


def call_record(call: Call, policy: str = "") -> Record:
    """A call that is over, but for the digests of its bodies. `policy`: the digest of the policy in force."""
    return _known(
        {
            "v": VERSION,
            "kind": "call",
            "time": _time(call.time),
            "id": call.id,
            **_who(call.identity),
            **_what(call),
            "policy": policy,
            "mode": call.policy.mode,
            **_how(call),
            "ms": _known(milliseconds(call.timings, call.attempts)),
            "attempts": [_attempt(a) for a in call.attempts],
        }
    )


def connection_record(connection: Connection) -> Record:
    """A connection, or a request on one, that was not looked into."""
    return _known(
        {
            "v": VERSION,
            "kind": "connection",
            "time": _time(connection.time),
            "user": _clean(connection.user),
            "address": connection.address,
            "host": _clean(connection.host),
            "port": connection.port,
            "sight": connection.sight,
            "why": connection.why,
        }
    )


def notice_record(notice: Notice) -> Record:
    """Something about the proxy itself."""
    return {
        "v": VERSION,
        "kind": "notice",
        "time": _time(notice.time),
        "code": notice.code,
        "text": _clean(notice.text, _SENTENCE),
    }


def bodies(call: Call) -> dict[str, bytes]:
    """The bodies whose digests the record has: as the client sent it, and as it left where that differs."""
    asked, sent = call.client_request.body.wire, call.request.body
    found = {"body": asked}
    if call.timings.sent is not None:
        left = sent.render() if sent.edited else sent.wire
        if left != asked:
            found["sent_body"] = left
    return {name: data for name, data in found.items() if data}


def to_line(record: Record, hashed: Mapping[str, bytes], digester: Digester) -> bytes:
    """The record as a line, with the digests of what is to be hashed."""
    digests = {name: digester.digest("body", data) for name, data in hashed.items()}
    return orjson.dumps({**record, **digests}, option=orjson.OPT_APPEND_NEWLINE)


def milliseconds(timings: Timings, attempts: Sequence[Attempt]) -> dict[str, float | None]:
    """How long a call took, and where the time went; None where it did not get that far.

    `first_byte` is the provider's own time to the head of its answer, `first_out` the client's wait for the
    first byte of the body. `added` is our share: the time before the first attempt, and from the moment at
    which the last one had something for the client to that at which the client had it; of a call that never
    left, all of it.
    """
    t = timings
    total = _span(t.started, t.ended)
    before = _span(t.started, attempts[0].started) if attempts else None
    after = _span(attempts[-1].ready, t.first_out) if attempts else None
    return {
        "total": total,
        "first_byte": _span(t.sent, t.first_byte),
        "first_out": _span(t.started, t.first_out),
        "added": total if before is None else round(before + (after or 0.0), 3),
    }


def _who(identity: Identity) -> Record:
    return {
        "user": _clean(identity.user),
        "address": identity.address,
        "authenticated": identity.authenticated,
        "credential": identity.credential,
        "credential_kind": identity.credential_kind,
        "tool": identity.tool,
        "session": identity.session,
        "project": identity.project,
    }


def _what(call: Call) -> Record:
    request = call.client_request
    found = {finding.place for finding in call.findings}
    return {
        "provider": call.provider,
        "host": _clean(request.host),
        "method": request.method if request.method in METHODS else "…",
        "path": _clean(_path(request.path, found, unseen=_is_unseen(call)), _SENTENCE),
        "operation": call.operation,
        "dialect": call.dialect.name,
        "model": "…" if MODEL_PLACE in found else _clean(call.model),
        "answered_model": _clean(call.answered_model),
        "stream": call.stream,
        "coverage": call.coverage,
    }


def _is_unseen(call: Call) -> bool:
    """True where the call was refused before its path could be looked into."""
    return call.policy.dlp.enabled and any(v.room == "gate" and v.action == "refuse" for v in call.verdicts)


def _path(path: str, found: Collection[str], *, unseen: bool) -> str:
    """Without the query, which may hold a key, and without segments in which something was found or, if
    nobody has looked, may be."""
    segments = path.split("/")
    return "/".join(
        "…" if path_segment(n) in found or (unseen and not _WORD_OF_PATH.fullmatch(segment)) else segment
        for n, segment in enumerate(segments)
    )


def _how(call: Call) -> Record:
    return {
        "outcome": call.outcome,
        "status": call.status,
        "error": _clean(call.error, _SENTENCE),
        "code": next((v.code for v in reversed(call.verdicts) if v.action in _DECIDING), ""),
        "verdicts": [_verdict(v) for v in call.verdicts],
        "findings": _findings(call.findings),
        "bytes_in": call.bytes_in,
        "bytes_out": call.bytes_out,
        "events": call.events_out,
        "usage": call.usage.as_dict() if call.usage else None,
        "cache": call.cache,
        "cost": call.cost,
        "paid": call.paid,
    }


def _verdict(verdict: Verdict) -> Record:
    return _known(
        {
            "room": verdict.room,
            "action": verdict.action,
            "code": verdict.code,
            "reason": _clean(verdict.reason, _SENTENCE),
        }
    )


def _findings(findings: Sequence[Finding]) -> list[Record]:
    """The last ones by their places: in a conversation, those before were in the records before as well. Of
    them only sums are told."""
    before, last = findings[:-_PLACES], findings[-_PLACES:]
    sums: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for finding in before:
        sums[finding.kind, finding.action].append(finding.count)
    return [
        *(_finding(kind, _before(len(c)), action, sum(c)) for (kind, action), c in sums.items()),
        *(_finding(f.kind, _clean(f.place), f.action, f.count) for f in last),
    ]


def _before(places: int) -> str:
    return "1 place before" if places == 1 else f"{places} places before"


def _finding(kind: str, place: str, action: str, count: int) -> Record:
    return {"kind": kind, "place": place, "action": action, "count": count}


def _attempt(attempt: Attempt) -> Record:
    return _known(
        {
            "target": _clean(attempt.target),
            "provider": attempt.provider,
            "host": _clean(attempt.host),
            "model": _clean(attempt.model),
            "status": attempt.status,
            "error": _clean(attempt.error, _SENTENCE),
            "ms": _span(attempt.started, attempt.ended),
        }
    )


def _time(seconds: float) -> str:
    """RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _span(start: float | None, end: float | None) -> float | None:
    return None if start is None or end is None else round((end - start) * 1000, 3)


def _known(record: Record) -> Record:
    """Without what is not known; zero and false are known."""
    return {name: value for name, value in record.items() if value or value is False or value == 0}


def _clean(text: str, longest: int = _WORD) -> str:
    """Text that others chose, fit for a terminal: short, no control characters, no lone surrogates."""
    text = text[:longest]
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
