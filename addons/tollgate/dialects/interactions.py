"""Google's Interactions API: https://ai.google.dev/api/interactions-api"""

from __future__ import annotations

from dataclasses import replace

from tollgate.dialects.base import Dialect
from tollgate.dialects.ends import named
from tollgate.dialects.gemini import COUNTS, ERRORS
from tollgate.dialects.shapes import SCHEMA, SETTINGS, Node, blob, skip, text

_STEP: Node = {
    **skip("type", "role", "id", "call_id", "name", "server_name", "search_type", "signature"),
    **skip("mime_type", "resolution", "is_error"),
    **text("text", "annotations", "arguments"),
    **blob("data", "uri"),
}
_STEP |= dict.fromkeys(("content", "result", "summary"), _STEP)

_TOOL: Node = {
    **skip("type", "name", "allowed_tools", "file_search_store_names"),
    **text("description", "short_description"),
    **blob("url"),
    "parameters": SCHEMA,
}

INTERACTIONS = Dialect(
    name="gemini-interactions",
    shape={
        **SETTINGS,
        **skip("model", "agent", "previous_interaction_id", "continuation_token", "service_tier"),
        **skip("response_mime_type", "response_modalities", "cached_content", "safety_settings"),
        **text("system_instruction", "labels"),
        "input": _STEP,
        "tools": _TOOL,
        "generation_config": {
            **SETTINGS,
            **skip("thinking_level", "thinking_summaries", "tool_choice", "image_config", "video_config"),
            **text("stop_sequences"),
            "speech_config": {**skip("voice", "language"), **text("speaker")},
        },
        "agent_config": skip("type", "thinking_summaries"),
        "environment": skip("type"),
        "response_format": {**SCHEMA, **skip("mime_type"), "schema": SCHEMA},
    },
    usage_marks=(b'_tokens"',),
    asked=("model", "agent"),
    answered=("interaction.model", "model"),
    counts=replace(
        COUNTS,
        at=("interaction.usage", "metadata.usage", "usage"),
        fields={
            "input": ("total_input_tokens",),
            "cache_read": ("total_cached_tokens",),
            "output": ("total_output_tokens",),
            "reasoning": ("total_thought_tokens",),
        },
        words={"tier": ("interaction.service_tier", "service_tier")},
    ),
    errors=replace(
        ERRORS,
        stream=(("error", {"event_type": "error", "error": {"code": "$code", "message": "$message"}}),),
        names=frozenset({"error"}),
    ),
    ends=named("interaction.completed"),
)
