"""Whole answers of Bedrock's Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.codec import Asked, Json, totals
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Part, Stop, Text, Thinking, ToolUse
from tollgate.routing.translation.passes import as_object, loose_seals
from tollgate.routing.translation.requests.bedrock import read_block
from tollgate.routing.translation.signatures import wrap, wrap_any

_FAMILY = "anthropic"

STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "guardrail_intervened": "refusal",
    "content_filtered": "refusal",
    "malformed_model_output": "malformed",
    "malformed_tool_use": "malformed",
}
REASONS = {
    "length": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "content_filtered",
    "malformed": "malformed_model_output",
}
"""All others are "end_turn"."""


def read(document: Any, answer: Answer, losses: Losses) -> None:
    for n, node in enumerate(objects_at(document, "output.message.content")):
        part = read_block(node, f"output.message.content[{n}]", losses)
        if part is not None:
            answer.parts.append(part)
    answer.stop = STOPS.get(text_at(document, ("stopReason",)), "end")


def write(answer: Answer, asked: Asked) -> Json:
    content = [written(part) for part in loose_seals(answer.parts)]
    return {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": REASONS.get(answer.stop, "end_turn"),
        "usage": usage(answer.usage),
        "metrics": {"latencyMs": 0},
    }


def written(part: Part) -> Json:
    if isinstance(part, ToolUse):
        given = {"input": as_object(part.arguments)}
        return {"toolUse": {"toolUseId": renamed(part.id, "tooluse_"), "name": part.name, **given}}
    if isinstance(part, Thinking):
        if part.redacted and part.signature:
            return {"reasoningContent": {"redactedContent": redacted(part)}}
        text = {"text": part.text, "signature": wrap_any(part.signature, _FAMILY)}
        return {"reasoningContent": {"reasoningText": text}}
    return {"text": part.text if isinstance(part, Text) else ""}


def redacted(thinking: Thinking) -> str:
    """As Bedrock has it: Anthropic's own string once more in base64."""
    return b64encode(wrap(thinking.signature, _FAMILY).encode()).decode() if thinking.signature else ""


def usage(used: Usage | None) -> Json:
    """What was read from or written to the cache is no part of `inputTokens`, but of the total."""
    said = used or Usage()
    all_input, output = totals(said)
    written_ = said.cache_write + said.cache_write_long
    return {
        "inputTokens": all_input - said.cache_read - written_,
        "outputTokens": output,
        "totalTokens": all_input + output,
        "cacheReadInputTokens": said.cache_read,
        "cacheWriteInputTokens": written_,
    }
