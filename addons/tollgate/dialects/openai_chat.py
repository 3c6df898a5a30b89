"""OpenAI's Chat Completions, and everyone who speaks it."""

from __future__ import annotations

from tollgate.dialects.base import Dialect
from tollgate.dialects.ends import finished
from tollgate.dialects.openai import COUNTS, ERRORS
from tollgate.dialects.shapes import FUNCTION_CALL, FUNCTION_TOOL, SCHEMA, SETTINGS, Node, blob, skip, text

_PART: Node = {
    **skip("type", "file_id", "cache_control"),
    **text("text", "refusal", "thinking"),
    **blob("image_url", "video_url", "audio_url", "document_url"),
    "input_audio": {**skip("format"), **blob("data")},
    "file": {**skip("file_id"), **blob("file_data"), **text("filename")},
}

_MESSAGE: Node = {
    **skip("role", "tool_call_id", "audio", "cache_control"),
    **text("name", "refusal", "reasoning", "reasoning_content"),
    "content": _PART,
    "tool_calls": FUNCTION_CALL,
    "function_call": {**skip("name"), "arguments": "json"},
    "reasoning_details": {
        **skip("type", "id", "index", "format", "signature", "data"),
        **text("text", "summary"),
    },
}

CHAT = Dialect(
    name="openai-chat",
    shape={
        **SETTINGS,
        **skip("model", "models", "provider", "route", "transforms", "tool_choice", "function_call"),
        **skip("logit_bias", "service_tier", "modalities", "audio", "verbosity", "include"),
        **skip("reasoning", "reasoning_effort", "thinking", "stream_options"),
        **skip("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        **text("stop", "user", "safety_identifier", "metadata"),
        "messages": _MESSAGE,
        "tools": FUNCTION_TOOL,
        "functions": {**skip("name"), **text("description"), "parameters": SCHEMA},
        "response_format": {
            **skip("type"),
            "json_schema": {**skip("name", "strict"), **text("description"), "schema": SCHEMA},
        },
        "prediction": {**skip("type"), "content": _PART},
        "web_search_options": {**skip("search_context_size"), "user_location": skip("type")},
    },
    usage_marks=(b'_tokens"',),
    counts=COUNTS,
    errors=ERRORS,
    ends=finished,
)
"""https://platform.openai.com/docs/api-reference/chat"""
