"""What of a request is recorded, and by what a call finds its recording. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

import orjson

from tollgate.cache import key
from tollgate.cache.cassettes.passing import steady
from tollgate.cache.forms import FORMS
from tollgate.cache.neutral import Neutral
from tollgate.calls import Call
from tollgate.calls.credentials import SECRET_HEADERS

type Asked = dict[str, Any]
"""A request as a file of a cassette shows it."""

_DIGEST_BYTES = 6


def asked(call: Call) -> Asked | None:
    """The redacted request without what does not change its answer; None where its body is no JSON.

    Unlike the cache, recordings tell streamed from whole answers: a test is to be told what it was told.
    """
    body = call.request.body
    if body.content and not body.parsed:
        return None
    told = key.asked(call)
    method, host, port, path, *query = told["url"]
    form = FORMS.get(call.dialect.name) if call.stream else None
    return {
        "provider": told["provider"],
        "dialect": told["dialect"],
        "operation": told["operation"],
        "method": method,
        "url": f"{call.request.scheme}://{host}:{port}{path}",
        "query": [list(pair) for pair in query],
        "headers": {name: text for name, text in told["headers"].items() if name not in SECRET_HEADERS},
        "stream": call.stream,
        "form": form.options(body.json) if form and body.parsed else "",
        "body": told["body"],
    }


def digest(request: Asked, ignored: Neutral | None = None) -> str:
    """The same for requests that differ in nothing but what is ignored, and when they are made."""
    counted = key.without(steady(request), ignored or {})
    form = orjson.dumps(counted, option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(form, digest_size=_DIGEST_BYTES).hexdigest()


def ignoring(paths: Iterable[str]) -> Neutral:
    """Paths such as "body.system.text", which lead through lists, as a table. ValueError for one that could
    not be meant."""
    table: dict[str, Any] = {}
    for path in paths:
        names = path.split(".")
        if not all(names) or "[" in path:
            raise ValueError(
                f"{path!r} is no path to ignore: write body.system.text, without places in lists"
            )
        below = table
        for name in names[:-1]:
            below = below.setdefault(name, {})
            if not isinstance(below, dict):
                raise ValueError(f"{path!r} is ignored already, with all that stands above it")
        below[names[-1]] = "skip"
    return table
