"""Whole answers of Ollama. https://github.com/ollama/ollama/blob/main/docs/api.md#response-11"""

from __future__ import annotations

from typing import Any

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation.codec import Json
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.passes import json_text

_STOPS: dict[str, Stop] = {"stop": "end", "length": "length"}


def read(document: Any, answer: Answer, losses: Losses) -> None:
    if thought := text_at(document, ("message.thinking",)):
        answer.parts.append(Thinking(thought))
    if text := text_at(document, ("message.content",)):
        answer.parts.append(Text(text))
    calls = objects_at(document, "message.tool_calls")
    answer.parts += [read_call(call, f"{answer.id}_{n}") for n, call in enumerate(calls)]
    answer.stop = stop_of(document, bool(calls))


def read_call(call: Json, id: str) -> ToolUse:
    """Calls have no ids, or had none for long."""
    given = find(call, "function.arguments")
    arguments = given if isinstance(given, str) else json_text(given or {})
    return ToolUse(text_at(call, ("id",)) or f"call_{id}", text_at(call, ("function.name",)), arguments)


def stop_of(document: Any, called: bool) -> Stop:
    stop = _STOPS.get(text_at(document, ("done_reason",)), "end")
    return "tool_use" if stop == "end" and called else stop
