"""What a running proxy says of itself at its admin port."""

from __future__ import annotations

from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, build_opener

import orjson

from tollgate.calls import Checkup

_SECONDS = 5.0
_TURNS_AWAY = 503
_http = build_opener(ProxyHandler({}))  # whatever the environment says, it is asked straight


def checkups_at(admin: str) -> dict[str, Checkup]:
    """How the targets do that the proxy at host:port checks. ValueError where there is no proxy."""
    from tollgate.gate.place import parse_place  # imports mitmproxy, which takes a second

    parse_place(admin)
    try:
        rooms = _report(admin)["rooms"]
        return {name: Checkup(problem=of.get("problem", "")) for name, of in _targets(rooms).items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as e:
        why = e.reason if isinstance(e, URLError) and not isinstance(e, HTTPError) else e
        raise ValueError(f"no Tollgate tells how it is at http://{admin}/healthz ({why})") from e


def _targets(rooms: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = rooms["upstream"]["targets"]
    return found


def _report(admin: str) -> Any:
    try:
        with _http.open(f"http://{admin}/healthz", timeout=_SECONDS) as answer:
            return orjson.loads(answer.read())
    except HTTPError as e:
        with e:
            if e.code != _TURNS_AWAY:
                raise
            return orjson.loads(e.read())
