"""Anthropic's Messages API, wherever it is served: Anthropic, Google, Azure and many others."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from tollgate.dialects.base import Dialect
from tollgate.dialects.counts import Counts, Found, tally
from tollgate.dialects.ends import named
from tollgate.dialects.errors import Errors
from tollgate.dialects.paths import number_at, objects_at, text_at
from tollgate.dialects.shapes import SCHEMA, SETTINGS, Node, blob, skip, text

BLOCK: Node = {
    **skip("type", "id", "tool_use_id", "name", "server_name", "tool_name", "cache_control", "caller"),
    **skip("file_id", "error_code", "is_error", "signature", "data"),  # `data` is redacted thinking
    **skip("encrypted_content", "encrypted_stdout", "encrypted_index"),
    **text("text", "thinking", "title", "context", "input", "stdout", "stderr", "url"),
    "citations": {
        **skip("type", "encrypted_index", "file_id"),
        **text("cited_text", "document_title", "title", "url"),
    },
}
BLOCK |= {
    "source": {**skip("type", "media_type", "file_id"), **blob("data", "url"), "content": BLOCK},
    "content": BLOCK,
}

TOOL: Node = {
    **skip("type", "name", "strict", "cache_control", "allowed_callers", "model", "mcp_server_name"),
    **skip("max_uses", "defer_loading", "eager_input_streaming"),
    **text("description"),
    "input_schema": SCHEMA,
    "user_location": skip("type"),
}

_FORMAT: Node = {**skip("type"), "schema": SCHEMA}
_OUTPUT: Node = {**skip("effort"), "format": _FORMAT}

SHAPE: Node = {
    **SETTINGS,
    **skip("model", "tool_choice", "thinking", "service_tier", "inference_geo", "speed", "container"),
    **skip("anthropic_version", "anthropic_beta", "diagnostics"),
    **text("stop_sequences"),
    "system": BLOCK,
    "messages": {**skip("role"), "content": BLOCK, "output_config": _OUTPUT},
    "tools": TOOL,
    "metadata": skip("user_id"),  # opaque by definition; Claude Code's is a device's, as a hash
    "output_config": _OUTPUT,
    "output_format": _FORMAT,
    "context_management": {
        "edits": {**skip("type", "trigger", "keep", "exclude_tools"), **text("instructions")}
    },
    "mcp_servers": {
        **skip("type", "name", "tool_configuration"),
        **blob("url"),
        **text("authorization_token"),
    },
    "fallbacks": skip("model"),
}
SHAPE["requests"] = {**skip("custom_id"), "params": SHAPE}  # batches

FIELDS = {
    "input": "input_tokens",
    "output": "output_tokens",
    "cache_read": "cache_read_input_tokens",
    "cache_write": "cache_creation_input_tokens",
    "cache_write_long": "cache_creation.ephemeral_1h_input_tokens",
}
"""`input_tokens` leaves out what the cache read or wrote; the hour's writes are part of all writes."""

PARTS = (("cache_write_long", "cache_write"), ("reasoning", "output"))

WORDS = {
    "tier": ("usage.service_tier",),
    "speed": ("usage.speed",),
    "region": ("usage.inference_geo",),
}

_UNSUMMED = frozenset({"compaction", "advisor_message"})
"""Iterations whose tokens the top-level counts leave out."""


def _beside(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """Server tools, and the iterations that were billed beside the message itself.

    An advisor may be another model; its tokens are counted here all the same, and its calls as requests.
    """
    apart = [row for row in objects_at(said, "iterations") if text_at(row, ("type",)) in _UNSUMMED]
    more = {name: found[name] + _sum(apart, path) for name, path in FIELDS.items() if name in found}
    requests = tally(said.get("server_tool_use"), "_requests")
    requests |= Counter(str(row["type"]).removesuffix("_message") for row in apart)
    return more | ({"requests": requests} if requests else {})


def _sum(rows: list[dict[str, Any]], path: str) -> float:
    return sum(number_at(row, (path,)) or 0 for row in rows)


COUNTS = Counts(
    within=("message", ""),
    fields={
        **{name: (path,) for name, path in FIELDS.items()},
        "reasoning": ("output_tokens_details.thinking_tokens",),
    },
    parts=PARTS,
    words=WORDS,
    beside=_beside,
    updates=True,
)
"""https://platform.claude.com/docs/en/build-with-claude/streaming: `message_delta` counts are cumulative."""

_ERROR = {
    "type": "error",
    "error": {"type": "$type", "message": "$message", "details": {"error_code": "$code"}},
    "request_id": "$id",
}

ERRORS = Errors(
    types={
        400: "invalid_request_error",
        401: "authentication_error",
        402: "billing_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        500: "api_error",
        504: "timeout_error",
        529: "overloaded_error",
    },
    whole=_ERROR,
    stream=(("error", _ERROR),),
    names=frozenset({"error"}),
    words=("type",),
)
"""https://platform.claude.com/docs/en/api/errors"""

MESSAGES = Dialect(
    name="anthropic-messages",
    shape=SHAPE,
    usage_marks=(b'_tokens"',),
    answered=("message.model", "model"),
    stream_verbs=frozenset({"streamRawPredict"}),
    counts=COUNTS,
    errors=ERRORS,
    ends=named("message_stop"),
)
"""https://platform.claude.com/docs/en/api/messages, `anthropic-version: 2023-06-01`"""

MESSAGES_2026_10_21 = replace(
    MESSAGES, version="2026-10-21", refused_params=frozenset({"temperature", "top_p", "top_k"})
)
"""https://platform.claude.com/docs/en/api/migration-2026-10-21"""
