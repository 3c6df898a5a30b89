"""What of a request does not change its answer, by dialect. What is not listed here counts, known or not.

A leaf says what becomes of the field: "skip" leaves it out. "link" is an id that ties a tool's result to its
call, made anew by the provider each time: only which ids are equal counts, not how they are spelt. "own"
leaves out the id that a client gives to what it sends in full: see `OWN`. "billing" leaves out a text that is
nothing but Claude Code's accounting. Patterns leave out what they match of a text, but for their first group.
Keys lead down, lists are passed through, and what is left without any field is left out of its list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

type Neutral = Mapping[str, Neutral | str | tuple[re.Pattern[str], ...]]


def _skip(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "skip")


def _link(*names: str) -> dict[str, Any]:
    return dict.fromkeys(names, "link")


def _snake_too(table: dict[str, Any], done: dict[int, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Google's APIs take camelCase and snake_case."""
    done = {} if done is None else done
    if id(table) not in done:
        both = done[id(table)] = {}
        for name, below in table.items():
            snake = "".join(f"_{c.lower()}" if c.isupper() else c for c in name)
            both[name] = both[snake] = _snake_too(below, done) if isinstance(below, dict) else below
    return done[id(table)]


_OPENAI = _skip("stream", "stream_options", "user", "safety_identifier", "metadata")
_PROMPT_CACHE = _skip("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention")
_PART = _skip("cache_control", "prompt_cache_breakpoint")

_CHAT = {
    **_OPENAI,
    **_PROMPT_CACHE,
    "messages": {
        **_skip("cache_control"),
        **_link("tool_call_id"),
        "content": _PART,
        "tool_calls": _link("id"),
    },
    "tools": _skip("cache_control"),
}

_RESPONSES = {
    **_OPENAI,
    **_PROMPT_CACHE,
    **_skip("client_metadata"),  # Codex: folders, git remotes, turn ids
    "input": {
        **_skip("internal_chat_message_metadata_passthrough"),
        **_link("call_id"),
        "id": "own",
        "content": _PART,
        "output": _PART,
    },
}

_BLOCK: dict[str, Any] = {**_skip("cache_control"), **_link("id", "tool_use_id")}
_BLOCK["content"] = _BLOCK

_ANTHROPIC = {
    **_skip("stream", "metadata", "cache_control", "diagnostics"),
    "system": {**_skip("cache_control"), "text": "billing"},
    "messages": {"content": _BLOCK},
    "tools": _skip("cache_control"),
}

_GEMINI_PART = {"functionCall": _link("id"), "functionResponse": _link("id")}
_GEMINI = _snake_too({**_skip("labels"), "contents": {"parts": _GEMINI_PART}})

_CONVERSE_BLOCK = {
    **_skip("cachePoint"),
    "toolUse": _link("toolUseId"),
    "toolResult": _link("toolUseId"),
}

NEUTRAL: Mapping[str, Neutral] = {
    "openai-chat": _CHAT,
    "openai-responses": _RESPONSES,
    "openai-completions": _OPENAI,
    "openai-embeddings": _skip("user"),
    "anthropic-messages": _ANTHROPIC,
    "gemini": _GEMINI,
    "gemini-cloudcode": {
        **_skip("project", "user_prompt_id"),
        "request": {**_GEMINI, **_skip("session_id")},
    },
    "gemini-interactions": _skip("stream", "labels"),
    "bedrock-converse": {
        **_skip("requestMetadata"),
        "messages": {"content": _CONVERSE_BLOCK},
        "system": _skip("cachePoint"),
        "toolConfig": {"tools": _skip("cachePoint")},
    },
    "bedrock-invoke": _ANTHROPIC,  # Claude's; other models' bodies have none of these fields
    "cohere-chat": {
        **_skip("stream"),
        "messages": {**_link("tool_call_id"), "tool_calls": _link("id")},
    },
    "ollama": _skip("stream", "keep_alive"),
}
"""https://platform.openai.com/docs/api-reference/chat/create (user, metadata, prompt_cache_*)
https://platform.openai.com/docs/api-reference/responses/create
https://platform.claude.com/docs/en/api/messages (metadata)
https://platform.claude.com/docs/en/build-with-claude/prompt-caching (cache_control)
https://ai.google.dev/api/generate-content (labels)
https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
https://docs.cohere.com/reference/chat
https://docs.ollama.com/api/chat (keep_alive)"""

OWN: Mapping[str, str] = {
    "message": "content",
    "additional_tools": "tools",
    "function_call_output": "output",
    "custom_tool_call_output": "output",
    "local_shell_call_output": "output",
    "shell_call_output": "output",
    "apply_patch_call_output": "output",
}
"""Items of OpenAI's Responses that clients make, and with what they are there in full. Codex gives each an
id, in every run another one. The ids of all other items count: the provider made them, and may look up by
them what it keeps, as it does for `item_reference`."""

BILLING = re.compile(r"x-anthropic-billing-header:(?:\s*\w+=[\w.:-]*;?)*\s*")
"""The first system text of Claude Code: version, entry point and hashes, other ones in every call."""

HEADERS = frozenset(
    (
        *("anthropic-version", "anthropic-beta", "openai-beta"),
        *("x-amzn-bedrock-guardrailidentifier", "x-amzn-bedrock-guardrailversion", "x-amzn-bedrock-trace"),
        *("x-amzn-bedrock-performanceconfig-latency", "x-amzn-bedrock-service-tier"),
        "extra-parameters",  # https://learn.microsoft.com/rest/api/aifoundry/model-inference
        "x-vertex-ai-llm-request-type",
    )
)
"""Headers, in lower case, that change an answer. All others say who asks, and with what program."""

HEADER_PREFIXES = ("cf-aig-", "helicone-", "x-portkey-", "x-litellm-", "x-openrouter-")
"""Of gateways that a provider may stand behind: they choose models, prompts and fallbacks by such headers."""

FORM_PARAMETERS = frozenset(("alt", "$alt"))
"""Query parameters that say how an answer is written, and not what."""
