"""Which calls may have their answers kept, and may be given kept ones. Pure.

Everything that depends on more than the request, or does more than answer it, is left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from tollgate.cache.forms import FORMS
from tollgate.calls import Call
from tollgate.policy.cache import Cache
from tollgate.policy.match import Matcher, names

WHOLE_ONLY = frozenset(("embeddings", "count_tokens", "rerank"))
"""Operations whose answers are one document, with nothing in it that could be cut short or filtered."""

_STATE = {
    "openai-responses": ("previous_response_id", "conversation", "background"),
    "cohere-chat": ("conversation_id",),
    "anthropic-messages": ("container",),
}
"""Fields that make an answer depend on what the provider keeps, and that others may have changed."""

_TOOLS = frozenset(
    (
        *("tools", "functions", "toolConfig", "tool_config"),
        *("mcp_servers", "web_search_options", "connectors"),
    )
)

_TEMPERATURE = (
    ("temperature",),
    ("generationConfig", "temperature"),
    ("generation_config", "temperature"),
    ("inferenceConfig", "temperature"),
    ("options", "temperature"),
)

_INSIDE = {"gemini-cloudcode": "request"}
"""Dialects whose request proper stands within another object."""


def reason_against(call: Call) -> str:
    """Why the cache leaves a call alone, as a stable word; empty where it does not."""
    policy, body = call.policy.cache, call.request.body
    if call.request.method != "POST" or not body.parsed or type(body.json) is not dict:
        return "no_json"
    if not _is_kept(tuple(policy.operations), call.operation):
        return "operation"
    if call.operation not in WHOLE_ONLY and call.dialect.name not in FORMS:
        return "dialect"
    return _against(call.dialect.name, policy, body.json.get(_INSIDE.get(call.dialect.name, ""), body.json))


def _against(dialect: str, policy: Cache, asked: Any) -> str:
    if type(asked) is not dict:
        return "no_json"
    if any(asked.get(name) for name in _STATE.get(dialect, ())) or _is_unpinned(asked.get("prompt")):
        return "state"
    if not policy.tools and offers_tools(asked):
        return "tools"
    if policy.max_temperature is not None and temperature(asked) > policy.max_temperature:
        return "temperature"
    return ""


def _is_unpinned(prompt: Any) -> bool:
    """True for one of OpenAI's stored prompts without a version: whichever is the newest then is meant.
    https://platform.openai.com/docs/api-reference/responses/create"""
    return isinstance(prompt, dict) and not prompt.get("version")


def offers_tools(asked: Mapping[str, Any]) -> bool:
    return not _TOOLS.isdisjoint(asked) and any(asked.get(name) for name in _TOOLS)


def temperature(asked: Mapping[str, Any]) -> float:
    """Where none is named, as high as can be: what the default is depends on the model."""
    for path in _TEMPERATURE:
        value: Any = asked
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if isinstance(value, int | float):
            return float(value)
    return float("inf")


@lru_cache(maxsize=512)
def _is_kept(patterns: tuple[str, ...], operation: str) -> bool:
    return Matcher(patterns, names).matches((operation,))
