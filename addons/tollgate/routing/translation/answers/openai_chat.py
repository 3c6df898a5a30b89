"""Whole answers of OpenAI Chat Completions. https://platform.openai.com/docs/api-reference/chat/object"""

from __future__ import annotations

from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.codec import Asked, Json, totals
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.requests.openai_chat import read_call, seal_of

STOPS: dict[str, Stop] = {
    "stop": "end",
    "length": "length",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
FINISHES = {"length": "length", "tool_use": "tool_calls", "refusal": "content_filter"}
"""All others are "stop"."""


def read(document: Any, answer: Answer, losses: Losses) -> None:
    choice = next(iter(objects_at(document, "choices")), {})
    message = choice.get("message") if isinstance(choice.get("message"), dict) else {}
    thought, text = said(message)
    if thought:
        answer.parts.append(Thinking(thought))
    if text:
        answer.parts.append(Text(text))
    if refusal := text_at(message, ("refusal",)):
        answer.parts.append(Text(refusal, refusal=True))
    calls = objects_at(message, "tool_calls")
    answer.parts += [read_call(call, f"choices[0].message.tool_calls[{n}]") for n, call in enumerate(calls)]
    answer.stop = STOPS.get(text_at(choice, ("finish_reason",)), "end")
    if objects_at(message, "annotations"):
        losses.note("citations", "choices[0].message.annotations", hint=True)
    if len(objects_at(document, "choices")) > 1:
        losses.note("all choices but the first", "choices")


def said(node: Any) -> tuple[str, str]:
    """The thoughts and the words of a message, or of a piece of one. Mistral's models that think have both in
    parts of `content`: https://docs.mistral.ai/capabilities/reasoning/"""
    parts = objects_at(node, "content")
    thoughts = [text_at(one, ("text",)) for part in parts for one in objects_at(part, "thinking")]
    thought = text_at(node, ("reasoning_content", "reasoning")) or "".join(thoughts)
    return thought, text_at(node, ("content",)) or "".join(text_at(part, ("text",)) for part in parts)


def write(answer: Answer, asked: Asked) -> Json:
    texts = [part.text for part in answer.parts if isinstance(part, Text) and not part.refusal]
    refusals = [part.text for part in answer.parts if isinstance(part, Text) and part.refusal]
    thoughts = [part.text for part in answer.parts if isinstance(part, Thinking) and part.text]
    calls = [call(part) for part in answer.parts if isinstance(part, ToolUse)]
    message: Json = {"role": "assistant", "content": "".join(texts) if texts else None}
    message |= {"refusal": "".join(refusals) or None, "annotations": []}
    message |= {"reasoning_content": "\n\n".join(thoughts)} if thoughts else {}
    message |= {"tool_calls": calls} if calls else {}
    finish = FINISHES.get(answer.stop, "stop")
    return {
        **head(answer.id, answer.model, "chat.completion", asked.created),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish}],
        "usage": usage(answer.usage),
    }


def head(id: str, model: str, kind: str, created: int) -> Json:
    return {"id": renamed(id, "chatcmpl-"), "object": kind, "created": created, "model": model}


def call(part: ToolUse) -> Json:
    id = renamed(part.id, "call_")
    if part.kind == "custom":
        return {"id": id, "type": "custom", "custom": {"name": part.name, "input": part.arguments}}
    function = {"name": part.name, "arguments": part.arguments or "{}"}
    return {"id": id, "type": "function", "function": function, **seal_of(part)}


def usage(used: Usage | None) -> Json:
    """Cached tokens are part of the prompt's, reasoning is part of the completion's."""
    said = used or Usage()
    all_input, output = totals(said)
    return {
        "prompt_tokens": all_input,
        "completion_tokens": output,
        "total_tokens": all_input + output,
        "prompt_tokens_details": {
            "cached_tokens": said.cache_read,
            "cache_write_tokens": said.cache_write + said.cache_write_long,
            "audio_tokens": said.input_audio,
        },
        "completion_tokens_details": {
            "reasoning_tokens": said.reasoning,
            "audio_tokens": said.output_audio,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }
