"""Where something listens. Pure."""

from __future__ import annotations

import re

_PLACE = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([^\s:\[\]]+)):(\d{1,5})")


def parse_place(text: str) -> tuple[str, int]:
    """ "127.0.0.1:8080" or "[::1]:8080" as host and port. ValueError for anything else: without a host, it
    would listen on every interface."""
    found = _PLACE.fullmatch(text.strip())
    if found is None or int(found[3]) > 65535:
        raise ValueError(f"{text!r} is not host:port, such as 127.0.0.1:8080")
    return found[1] or found[2], int(found[3])
