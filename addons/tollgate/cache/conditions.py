"""What a client asks of caches: https://www.rfc-editor.org/rfc/rfc9111#section-5.2.1. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tollgate.calls import Headers

_DIRECTIVE = re.compile(r'([a-z-]+)(?:\s*=\s*"?(\d+))?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What the client's Cache-Control says, as far as it concerns us."""

    give: bool = True
    """False: a kept answer will not do (no-cache)."""
    keep: bool = True
    """False: nothing of this call is to be kept (no-store)."""
    max_age: float | None = None
    """Seconds that a kept answer may be old."""
    only_kept: bool = False
    """Nobody is to be asked (only-if-cached)."""


_NONE, _NEW = Conditions(), Conditions(give=False)


def conditions(headers: Headers) -> Conditions:
    """The conditions of a request. What is not understood is ignored, as the RFC says."""
    said = headers.getall("cache-control", None)
    if not said:
        return _NONE if "no-cache" not in headers.get("pragma", "").lower() else _NEW
    found = {m[1].lower(): m[2] for value in said for m in _DIRECTIVE.finditer(value)}
    age = found.get("max-age")
    return Conditions(
        give="no-cache" not in found and "no-store" not in found,
        keep="no-store" not in found,
        max_age=float(age) if age else None,
        only_kept="only-if-cached" in found,
    )
