"""Which conversation a call belongs to, so that it can stay with one target. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

import orjson

from tollgate.calls import Call

_NAMED = ("prompt_cache_key", "conversation", "session_id")
"""Where a body names its conversation, or what shares a prompt cache with it."""
_TURNS = ("messages", "input", "contents")


def conversation_of(call: Call) -> str:
    """A name that all calls of a conversation have in common, as a digest.

    It is what the client calls its session; else what the body names; else who is calling, and how the
    conversation begins: each later call repeats that.
    """
    who, body = call.identity, call.request.body.json
    if who.session:
        return _digest("session", who.user, who.session)
    named = next((text for key in _NAMED if isinstance(body, dict) and (text := body.get(key))), None)
    if isinstance(named, str | dict):
        return _digest("named", who.user, named)
    return _digest("begins", who.user, who.credential, _beginning(body))


def _beginning(body: Any) -> Any:
    """What the user said first; the text itself where it is no conversation."""
    if not isinstance(body, dict):
        return None
    turns = next((turns for key in _TURNS if (turns := body.get(key))), None)
    if not isinstance(turns, list):
        return turns
    said = (turn for turn in turns if isinstance(turn, dict) and turn.get("role") == "user")
    return next(said, turns[0])


def _digest(*parts: Any) -> str:
    return hashlib.blake2b(orjson.dumps(parts), digest_size=16).hexdigest()


def fraction(*parts: str) -> float:
    """A number from 0 up to 1, the same for the same texts and else as if by chance."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64
