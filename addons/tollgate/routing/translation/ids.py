"""Ids in the form that each SDK expects, always the same for the same id of the target."""

from __future__ import annotations

import hashlib
import re

LONGEST = 64
"""OpenAI and Bedrock take no longer ones."""

_PREFIX = re.compile(r"^(?:chatcmpl-|resp_|msg_|call_|toolu_|tooluse_|fc_|ctc_|rs_|gen-)+")
_LEGAL = re.compile(r"[A-Za-z0-9_-]+")


def renamed(id: str, prefix: str) -> str:
    """An id with another prefix: toolu_01A as call_01A."""
    rest = _PREFIX.sub("", id)
    return prefix + (rest if _fits(rest, LONGEST - len(prefix)) else _digest(id))


def legal(id: str) -> str:
    """An id as any provider takes it back: unchanged where it can be."""
    return id if _fits(id, LONGEST) else f"call_{_digest(id)}"


def _fits(id: str, longest: int) -> bool:
    return len(id) <= longest and _LEGAL.fullmatch(id) is not None


def _digest(id: str) -> str:
    return hashlib.sha256(id.encode()).hexdigest()[:24]
