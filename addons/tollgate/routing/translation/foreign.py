"""Seals in our own wrapping are taken out of a request that goes to a provider in its client's own dialect.

A conversation that another provider answered for a while, in translation, holds thoughts of that one. Whoever
gets them as its own refuses the whole request.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tollgate.dialects.paths import text_at
from tollgate.routing.translation import compaction
from tollgate.routing.translation.signatures import is_wrapped


class _Place(NamedTuple):
    turns: str
    """The member of a body that holds the conversation."""
    parts: str
    """The member of a turn that holds its parts; empty where turns have none."""
    seals: tuple[str, ...]
    """Where a part, or a turn, has its seal."""


_PLACES: Mapping[str, _Place] = {
    "anthropic-messages": _Place("messages", "content", ("signature", "data")),
    "openai-responses": _Place("input", "", ("encrypted_content",)),
    "gemini": _Place("contents", "parts", ("thoughtSignature", "thought_signature")),
    "bedrock-converse": _Place(
        "messages",
        "content",
        ("reasoningContent.reasoningText.signature", "reasoningContent.redactedContent"),
    ),
}


def without_foreign(dialect: str, body: Any) -> tuple[str, list[Any]] | None:
    """The member of a body that holds its conversation, and that without the thoughts of other providers;
    None where there are none."""
    place = _PLACES.get(dialect)
    turns = body.get(place.turns) if place and isinstance(body, dict) else None
    if place is None or not isinstance(turns, list):
        return None
    kept = list(_kept(turns, place) if not place.parts else _turns(turns, place))
    return None if kept == turns else (place.turns, kept)


def _turns(turns: list[Any], place: _Place) -> Iterator[Any]:
    """Turns in which nothing is left would be refused."""
    for turn in turns:
        parts = turn.get(place.parts) if isinstance(turn, dict) else None
        if not isinstance(parts, list):
            yield turn
        elif (kept := list(_kept(parts, place))) or not parts:
            yield {**turn, place.parts: kept}


def _kept(parts: list[Any], place: _Place) -> Iterator[Any]:
    """A thought goes with its seal; a call of a tool stays without, and a summary of ours as words."""
    for part in parts:
        foreign = isinstance(part, dict) and any(is_wrapped(text_at(part, (path,))) for path in place.seals)
        if not foreign:
            yield part
        elif summary := compaction.words(part):
            content = [{"type": "input_text", "text": summary}]
            yield {"type": "message", "role": "user", "content": content}
        elif part.keys() & {"functionCall", "function_call"}:
            yield {key: value for key, value in part.items() if key not in place.seals} | _UNSIGNED


_UNSIGNED = {"thoughtSignature": "skip_thought_signature_validator"}
"""What Google wants on calls that its model did not make: https://ai.google.dev/gemini-api/docs/thought-signatures"""
