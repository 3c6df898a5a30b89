"""Cohere's API, version 2: https://docs.cohere.com/reference/chat"""

from __future__ import annotations

from typing import Any

from tollgate.dialects.base import Dialect
from tollgate.dialects.counts import Counts, Found, tally
from tollgate.dialects.ends import named
from tollgate.dialects.errors import Errors
from tollgate.dialects.shapes import FUNCTION_CALL, FUNCTION_TOOL, SCHEMA, SETTINGS, Node, blob, skip, text

_DOCUMENT: Node = {**skip("id"), **text("data")}

_PART: Node = {
    **skip("type", "detail"),
    **text("text", "thinking"),
    **blob("image_url"),
    "document": _DOCUMENT,
}

_MESSAGE: Node = {
    **skip("role", "tool_call_id"),
    **text("tool_plan", "message"),
    "content": _PART,
    "tool_calls": FUNCTION_CALL,
    "citations": skip("type", "id"),
}


def searches(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """Reranking is billed by the search."""
    units = said.get("billed_units")
    searches = tally({"search": units.get("search_units")}) if isinstance(units, dict) else {}
    return {"requests": searches} if searches else {}


CHAT = Dialect(
    name="cohere-chat",
    shape={
        **SETTINGS,
        **skip("model", "safety_mode", "tool_choice", "citation_options", "thinking", "priority"),
        **skip("input_type", "embedding_types", "truncate", "conversation_id"),
        **text("message", "preamble", "prompt", "texts", "query", "stop_sequences"),
        **blob("images"),
        "messages": _MESSAGE,
        "chat_history": _MESSAGE,
        "tools": FUNCTION_TOOL,
        "documents": _DOCUMENT,
        "inputs": {"content": _PART},
        "response_format": {**skip("type"), **dict.fromkeys(("json_schema", "schema"), SCHEMA)},
    },
    usage_marks=(b'"billed_units"', b'"tokens"'),
    model_marks=(),
    counts=Counts(
        within=("delta", ""),
        at=("usage", "meta"),
        # What is billed leaves out Cohere's own prompt, which `tokens` has.
        fields={
            "input": ("billed_units.input_tokens", "tokens.input_tokens"),
            "output": ("billed_units.output_tokens", "tokens.output_tokens"),
            "input_image": ("billed_units.image_tokens",),
        },
        beside=searches,
    ),
    errors=Errors(
        whole={"id": "$id", "message": "$message"},
        stream=(
            (
                "message-end",
                {
                    "type": "message-end",
                    "id": "$id",
                    "delta": {"finish_reason": "ERROR", "error": "$message"},
                },
            ),
        ),
        at=("delta.error",),
    ),
    ends=named("message-end"),
)
