"""OpenAI's Responses API, and everyone who speaks it."""

from __future__ import annotations

from tollgate.dialects.base import Dialect
from tollgate.dialects.ends import named
from tollgate.dialects.openai import COUNTS, RESPONSE_ERRORS
from tollgate.dialects.shapes import SCHEMA, SETTINGS, Node, blob, skip, text

_PART: Node = {
    **skip("type", "id", "file_id", "detail", "encrypted_content", "prompt_cache_breakpoint"),
    **text("text", "refusal", "filename"),
    **blob("image_url", "file_url", "file_data"),
    "input_audio": {**skip("format"), **blob("data")},
    "annotations": {**skip("type", "file_id", "container_id"), **text("url", "title", "filename")},
}

_TOOL: Node = {
    **skip("type", "name", "strict", "execution"),
    **skip("server_label", "connector_id", "allowed_tools", "require_approval"),
    **skip("search_context_size", "vector_store_ids", "ranking_options"),
    **skip("model", "quality", "size", "background", "output_format", "moderation", "input_fidelity"),
    **text("description", "server_description"),
    **blob("server_url"),
    "parameters": SCHEMA,
    "format": {**skip("type", "syntax"), **text("definition")},
    "user_location": skip("type"),
    "container": skip("type", "file_ids", "memory_limit"),
    "environment": skip("type", "container_id", "file_ids", "memory_limit"),
    "input_image_mask": {**skip("file_id"), **blob("image_url")},
}
_TOOL["tools"] = _TOOL  # namespaces hold tools

_ITEM: Node = {
    **skip("type", "id", "call_id", "status", "role", "phase", "name", "namespace", "server_label"),
    **skip("encrypted_content", "container_id", "approval_request_id", "execution"),
    **skip("internal_chat_message_metadata_passthrough"),  # Codex: turn ids and kinds
    **text("input", "code", "error", "reason"),
    **blob("result"),
    **dict.fromkeys(("content", "output", "summary"), _PART),
    "arguments": "json",
    "tools": _TOOL,
    "action": skip("type"),
    "operation": {**skip("type"), **text("path", "diff")},
}

RESPONSES = Dialect(
    name="openai-responses",
    shape={
        **SETTINGS,
        **skip("type", "model", "provider", "include", "reasoning", "tool_choice", "truncation"),
        **skip("previous_response_id", "conversation", "context_management", "stream_options"),
        **skip("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
        **skip("service_tier", "moderation"),
        **text("instructions", "user", "safety_identifier", "metadata"),
        "input": _ITEM,
        "tools": _TOOL,
        "text": {
            **skip("verbosity"),
            "format": {**skip("type", "name", "strict"), **text("description"), "schema": SCHEMA},
        },
        "prompt": skip("id", "version"),
        "client_metadata": {"*": "json"},  # Codex puts folders and git remotes here
    },
    usage_marks=(b'"input_tokens"',),
    answered=("response.model", "model"),
    counts=COUNTS,
    errors=RESPONSE_ERRORS,
    ends=named("response.completed", "response.incomplete", "response.failed"),
)
"""https://platform.openai.com/docs/api-reference/responses"""
