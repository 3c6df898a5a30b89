"""Whole answers of Cohere's chat. https://docs.cohere.com/reference/chat"""

from __future__ import annotations

from typing import Any

from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Stop, Text, Thinking
from tollgate.routing.translation.requests.openai_chat import read_call

STOPS: dict[str, Stop] = {
    "COMPLETE": "end",
    "STOP_SEQUENCE": "stop_sequence",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_use",
    "ERROR": "malformed",
    "TIMEOUT": "malformed",
}


def read(document: Any, answer: Answer, losses: Losses) -> None:
    """ValueError where it ended with an error, of which nothing else is said."""
    reason = text_at(document, ("finish_reason",))
    if STOPS.get(reason) == "malformed":
        raise ValueError(f"it ended with {reason}")
    if plan := text_at(document, ("message.tool_plan",)):
        answer.parts.append(Thinking(plan))
    for part in objects_at(document, "message.content"):
        thought = part.get("type") == "thinking"
        answer.parts.append(
            Thinking(text_at(part, ("thinking",))) if thought else Text(text_at(part, ("text",)))
        )
    calls = objects_at(document, "message.tool_calls")
    answer.parts += [read_call(call, f"message.tool_calls[{n}]") for n, call in enumerate(calls)]
    if objects_at(document, "message.citations"):
        losses.note("citations", "message.citations", hint=True)
    answer.stop = STOPS.get(reason, "end")
