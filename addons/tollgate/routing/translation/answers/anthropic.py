"""Whole answers of Anthropic Messages. https://platform.claude.com/docs/en/api/messages"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.codec import Asked, Json, totals
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Part, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.passes import as_object, json_text, loose_seals
from tollgate.routing.translation.signatures import unwrap, wrap, wrap_any

_FAMILY = "anthropic"

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "pause_turn": "pause",
    "refusal": "refusal",
}
REASONS = {
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "pause": "pause_turn",
    "refusal": "refusal",
}
"""All others are "end_turn"."""


def read(document: Any, answer: Answer, losses: Losses) -> None:
    for n, block in enumerate(objects_at(document, "content")):
        if reader := BLOCKS.get(text_at(block, ("type",))):
            answer.parts.append(reader(block))
        else:
            losses.note("a block that only this provider knows", f"content[{n}]")
        if block.get("citations"):
            losses.note("citations", f"content[{n}]", hint=True)
    answer.stop = STOPS.get(text_at(document, ("stop_reason",)), "end")
    answer.sequence = text_at(document, ("stop_sequence",))


def _thinking(block: Json) -> Thinking:
    seal = text_at(block, ("signature",))
    return Thinking(text_at(block, ("thinking",)), unwrap(seal, _FAMILY) if seal else None)


BLOCKS: Mapping[str, Callable[[Json], Part]] = {
    "text": lambda block: Text(text_at(block, ("text",))),
    "thinking": _thinking,
    "redacted_thinking": lambda block: Thinking(
        signature=unwrap(text_at(block, ("data",)), _FAMILY), redacted=True
    ),
    "tool_use": lambda block: ToolUse(
        text_at(block, ("id",)), text_at(block, ("name",)), json_text(block.get("input") or {})
    ),
}


def write(answer: Answer, asked: Asked) -> Json:
    blocks = [block(part) for part in loose_seals(answer.parts)]
    end = {"stop_reason": REASONS.get(answer.stop, "end_turn"), "stop_sequence": answer.sequence or None}
    return {**head(answer.id, answer.model), "content": blocks, **end, "usage": usage(answer.usage)}


def head(id: str, model: str) -> Json:
    return {"id": renamed(id, "msg_"), "type": "message", "role": "assistant", "model": model}


def block(part: Part) -> Json:
    if isinstance(part, ToolUse):
        return {
            "type": "tool_use",
            "id": renamed(part.id, "toolu_"),
            "name": part.name,
            "input": as_object(part.arguments),
        }
    if isinstance(part, Thinking):
        if part.redacted and part.signature:
            return {"type": "redacted_thinking", "data": wrap(part.signature, _FAMILY)}
        return {"type": "thinking", "thinking": part.text, "signature": wrap_any(part.signature, _FAMILY)}
    return {"type": "text", "text": part.text if isinstance(part, Text) else ""}


def usage(used: Usage | None) -> Json:
    """What was read from or written to the cache is no part of `input_tokens`."""
    said = used or Usage()
    all_input, output = totals(said)
    written = said.cache_write + said.cache_write_long
    return {
        "input_tokens": all_input - said.cache_read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": said.cache_read,
        "output_tokens": output,
        **({"output_tokens_details": {"thinking_tokens": said.reasoning}} if said.reasoning else {}),
    }
