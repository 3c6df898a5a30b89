"""Whole answers of Gemini. https://ai.google.dev/api/generate-content#generatecontentresponse"""

from __future__ import annotations

from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.codec import Asked, Json, totals
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Part, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.passes import as_object, json_text
from tollgate.routing.translation.signatures import unwrap, wrap

_FAMILY = "gemini"

_REFUSALS = (
    *("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "LANGUAGE", "MODEL_ARMOR"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
)
_MALFORMED = (
    "MALFORMED_FUNCTION_CALL",
    "MALFORMED_RESPONSE",
    "UNEXPECTED_TOOL_CALL",
    "MISSING_THOUGHT_SIGNATURE",
)
STOPS: dict[str, Stop] = {
    "STOP": "end",
    "MAX_TOKENS": "length",
    **dict.fromkeys(_REFUSALS, "refusal"),
    **dict.fromkeys(_MALFORMED, "malformed"),
}
FINISHES = {"length": "MAX_TOKENS", "refusal": "SAFETY", "malformed": "MALFORMED_FUNCTION_CALL"}
"""All others are "STOP"; tool calls have no word of their own."""


def read(document: Any, answer: Answer, losses: Losses) -> None:
    candidate = first_candidate(document)
    for n, part in enumerate(objects_at(candidate, "content.parts")):
        found = read_part(part, f"{answer.id}_{n}")
        if found is None:
            losses.note("a part that only this provider knows", f"candidates[0].content.parts[{n}]")
        elif not isinstance(found, Text) or found.text:
            answer.parts.append(found)
    if candidate.get("groundingMetadata"):
        losses.note("citations", "candidates[0].groundingMetadata", hint=True)
    answer.stop = stop_of(document, any(isinstance(part, ToolUse) for part in answer.parts)) or "end"


def first_candidate(document: Any) -> Json:
    return next(iter(objects_at(document, "candidates")), {})


def stop_of(document: Any, called: bool) -> Stop | None:
    """Why it ended, with no candidates too, where the prompt was blocked; None where it goes on."""
    if text_at(document, ("promptFeedback.blockReason",)):
        return "refusal"
    reason = text_at(first_candidate(document), ("finishReason",))
    if not reason:
        return None
    stop = STOPS.get(reason, "end")
    return "tool_use" if stop == "end" and called else stop


def read_part(part: Json, id: str) -> Text | Thinking | ToolUse | None:
    """A part; `id` is for a call without one."""
    seal = text_at(part, ("thoughtSignature",))
    signature = unwrap(seal, _FAMILY) if seal else None
    if isinstance(call := part.get("functionCall"), dict):
        own = text_at(call, ("id",)) or f"call_{id}"
        return ToolUse(own, text_at(call, ("name",)), json_text(call.get("args") or {}), signature=signature)
    if not isinstance(text := part.get("text"), str):
        return None
    if part.get("thought") is True:
        return Thinking(text, signature, redacted=not text)
    return Text(text) if text or not seal else Thinking(signature=signature, redacted=True)


def write(answer: Answer, asked: Asked) -> Json:
    parts = [written for part in answer.parts if (written := write_part(part))]
    return chunk(answer, parts or [{"text": ""}], finish=FINISHES.get(answer.stop, "STOP"))


def write_part(part: Part) -> Json:
    if isinstance(part, ToolUse):
        call = {"id": part.id, "name": part.name, "args": as_object(part.arguments)}
        return {"functionCall": call, **_sealed(part)}
    if isinstance(part, Thinking):
        return {"text": part.text, "thought": True, **_sealed(part)}
    return {"text": part.text} if isinstance(part, Text) else {}


def _sealed(part: ToolUse | Thinking) -> Json:
    return {"thoughtSignature": wrap(part.signature, _FAMILY)} if part.signature else {}


def chunk(answer: Answer, parts: list[Json], finish: str = "") -> Json:
    """A whole answer, or one event of a streamed one."""
    candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
    candidate |= {"finishReason": finish} if finish else {}
    used = {"usageMetadata": usage(answer.usage)} if answer.usage else {}
    return {"candidates": [candidate], **used, "modelVersion": answer.model, "responseId": answer.id}


def usage(said: Usage) -> Json:
    """The prompt's tokens contain the cached ones; those of the candidates leave out the thoughts."""
    all_input, output = totals(said)
    counts = {
        "promptTokenCount": all_input,
        "cachedContentTokenCount": said.cache_read,
        "candidatesTokenCount": output - said.reasoning,
        "thoughtsTokenCount": said.reasoning,
        "totalTokenCount": all_input + output,
    }
    return {name: count for name, count in counts.items() if count}
