"""Says for each field of each dialect whether it counts; the fields are those that the simulator takes."""

from __future__ import annotations

from typing import Any

import pytest

from simulator import anthropic, bedrock, cohere, gemini, ollama, openai_chat, openai_other, openai_responses
from tollgate.cache.key import without
from tollgate.cache.neutral import BILLING, NEUTRAL

OPENAI = {"stream", "stream_options", "user", "safety_identifier", "metadata"}
CACHING = {"prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}

FIELDS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "openai-chat": (openai_chat.REQUEST, OPENAI | CACHING),
    "openai-responses": (openai_responses.REQUEST, OPENAI | CACHING | {"client_metadata"}),
    "openai-completions": (openai_other.COMPLETION, OPENAI),
    "openai-embeddings": (openai_other.EMBEDDING, {"user"}),
    "anthropic-messages": (anthropic.REQUEST, {"stream", "metadata", "cache_control", "diagnostics"}),
    "bedrock-invoke": (bedrock.INVOKE, {"metadata", "cache_control", "diagnostics"}),
    "bedrock-converse": (bedrock.CONVERSE, {"requestMetadata"}),
    "gemini": (gemini.REQUEST, {"labels"}),
    "cohere-chat": (cohere.REQUEST, {"stream"}),
    "ollama": ({**ollama.CHAT, **ollama.GENERATE}, {"stream", "keep_alive"}),
}
"""Dialect to all fields of its requests, and those of them that change no answer."""
ROWS = [
    (dialect, field.removesuffix("?"), neutral)
    for dialect, (fields, neutral) in FIELDS.items()
    for field in fields
]


@pytest.mark.parametrize(("dialect", "field", "neutral"), ROWS)
def test_a_field_counts_or_does_not(dialect: str, field: str, neutral: set[str]) -> None:
    table = NEUTRAL[dialect]
    one, other, none = ({"x": 1, field: "a"}, {"x": 1, field: "b"}, {"x": 1})

    same = without(one, table) == without(other, table) == without(none, table)

    assert same == (field in neutral)


def message(content: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


INSIDE: list[tuple[str, Any, Any]] = [
    ("openai-chat", message([{"text": "a", "cache_control": {}}]), message([{"text": "a"}])),
    ("anthropic-messages", message([{"text": "a", "cache_control": {}}]), message([{"text": "a"}])),
    (
        "anthropic-messages",
        {"system": [{"text": "x-anthropic-billing-header: cc_version=1.0; cch=aa;"}, {"text": "be"}]},
        {"system": [{"text": "x-anthropic-billing-header: cc_version=1.0; cch=bb;"}, {"text": "be"}]},
    ),
    (
        "anthropic-messages",
        message([{"type": "tool_use", "id": "toolu_1"}, {"type": "tool_result", "tool_use_id": "toolu_1"}]),
        message([{"type": "tool_use", "id": "toolu_2"}, {"type": "tool_result", "tool_use_id": "toolu_2"}]),
    ),
    ("bedrock-converse", message([{"text": "a"}, {"cachePoint": {}}]), message([{"text": "a"}])),
    (
        "gemini",
        {"contents": [{"parts": [{"functionCall": {"id": "1"}}]}]},
        {"contents": [{"parts": [{"functionCall": {"id": "2"}}]}]},
    ),
    (
        "gemini",
        {"contents": [{"parts": [{"function_call": {"id": "1"}}]}]},
        {"contents": [{"parts": [{"function_call": {"id": "2"}}]}]},
    ),
    ("gemini-cloudcode", {"project": "a", "request": {"session_id": "s"}}, {"project": "b", "request": {}}),
]


@pytest.mark.parametrize(("dialect", "one", "other"), INSIDE)
def test_what_is_neutral_within(dialect: str, one: Any, other: Any) -> None:
    assert without(one, NEUTRAL[dialect]) == without(other, NEUTRAL[dialect])


DIFFERENT: list[tuple[str, Any, Any]] = [
    (
        "anthropic-messages",
        message("x-anthropic-billing-header: cch=a;"),
        message("x-anthropic-billing-header: cch=b;"),
    ),
    (
        "anthropic-messages",
        message([{"type": "tool_result", "tool_use_id": "a"}, {"type": "tool_result", "tool_use_id": "b"}]),
        message([{"type": "tool_result", "tool_use_id": "a"}, {"type": "tool_result", "tool_use_id": "a"}]),
    ),
    ("anthropic-messages", message([{"text": "a", "cache_control": {}}]), message([{"text": "b"}])),
    ("anthropic-messages", message([{}]), message([])),
    ("openai-responses", {"input": [{"id": "msg_1"}]}, {"input": [{"id": "msg_2"}]}),
]


@pytest.mark.parametrize(("dialect", "one", "other"), DIFFERENT)
def test_what_is_not(dialect: str, one: Any, other: Any) -> None:
    assert without(one, NEUTRAL[dialect]) != without(other, NEUTRAL[dialect])


@pytest.mark.parametrize(
    ("text", "billing"),
    [
        ("x-anthropic-billing-header: cc_version=2.1.330.269; cc_entrypoint=sdk-cli; cch=00000;", True),
        ("x-anthropic-billing-header: cc_version=1\nYou are a helper", False),
        ("x-anthropic-billing-header: and now for something else", False),
        ("You are x-anthropic-billing-header: cch=1;", False),
    ],
)
def test_only_accounting_is_accounting(text: str, billing: bool) -> None:
    assert (BILLING.fullmatch(text) is not None) == billing
