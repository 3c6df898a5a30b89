"""Headers of an answer as the client's SDK looks for them: rate limits, ids, and when to try again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

_KEPT = ("retry-after", "retry-after-ms", "x-should-retry")

_REQUEST_IDS = {
    "anthropic-messages": "request-id",
    "openai-chat": "x-request-id",
    "openai-responses": "x-request-id",
    "openai-embeddings": "x-request-id",
    "bedrock-converse": "x-amzn-requestid",
}
_ANY_ID = ("request-id", "x-request-id", "x-amzn-requestid", "apim-request-id")

_LIMITS = ("requests", "tokens")
_SIDES = ("limit", "remaining", "reset")


def translated(headers: Mapping[str, str], source: str) -> dict[str, str]:
    """What a target's headers say, in the words of the client's dialect; all else is left behind."""
    kept = {name: headers[name] for name in _KEPT if name in headers}
    id = next((headers[name] for name in _ANY_ID if name in headers), "")
    if id and source in _REQUEST_IDS:
        kept[_REQUEST_IDS[source]] = id
    if source == "anthropic-messages":
        return kept | _as_anthropic(headers)
    return kept | _as_openai(headers) if source.startswith("openai") else kept


def json_headers(headers: Mapping[str, str], source: str) -> dict[str, str]:
    """The same for a body of JSON."""
    return {"content-type": "application/json", **translated(headers, source)}


def created(headers: Mapping[str, str]) -> int:
    """When the answer was given, in seconds since 1970; 0 where its headers do not say."""
    return int(moment.timestamp()) if (moment := _now(headers)) else 0


def _as_openai(headers: Mapping[str, str]) -> dict[str, str]:
    """OpenAI says in how long a limit is lifted: https://platform.openai.com/docs/guides/rate-limits"""
    found = _found(headers, "anthropic-ratelimit-{of}-{side}") or {}
    now = _now(headers)
    out = {f"x-ratelimit-{side}-{of}": value for (of, side), value in found.items() if side != "reset"}
    for of in _LIMITS:
        if (reset := found.get((of, "reset"))) and now and (then := _timestamp(reset)):
            out[f"x-ratelimit-reset-{of}"] = f"{max(0.0, (then - now).total_seconds()):g}s"
    return out or {name: value for name, value in headers.items() if name.lower().startswith("x-ratelimit-")}


def _as_anthropic(headers: Mapping[str, str]) -> dict[str, str]:
    """Anthropic says at what time a limit is lifted: https://platform.claude.com/docs/en/api/rate-limits"""
    found = _found(headers, "x-ratelimit-{side}-{of}") or {}
    now = _now(headers)
    out = {
        f"anthropic-ratelimit-{of}-{side}": value for (of, side), value in found.items() if side != "reset"
    }
    for of in _LIMITS:
        wait = _duration(found.get((of, "reset"), ""))
        if now and wait is not None:
            then = (now + wait).astimezone(UTC).replace(microsecond=0)
            out[f"anthropic-ratelimit-{of}-reset"] = then.isoformat().replace("+00:00", "Z")
    return out


def _found(headers: Mapping[str, str], pattern: str) -> dict[tuple[str, str], str]:
    names = {(of, side): pattern.format(of=of, side=side) for of in _LIMITS for side in _SIDES}
    return {key: headers[name] for key, name in names.items() if name in headers}


def _now(headers: Mapping[str, str]) -> datetime | None:
    """By the target's own clock."""
    try:
        return parsedate_to_datetime(headers.get("date", ""))
    except ValueError:
        return None


def _timestamp(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_PIECE = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")


def _duration(text: str) -> timedelta | None:
    """As Go writes it, and so OpenAI: 6m0s, 1.5s, 20ms."""
    pieces = _PIECE.findall(text)
    if not pieces or "".join(map("".join, pieces)) != text:
        return None
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in pieces))
