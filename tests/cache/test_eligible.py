"""Which calls the cache leaves alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.upstream import make_call, make_request
from tollgate.cache.eligible import reason_against, temperature


def reason(
    body: Any, speaks: str = "openai-chat", operation: str = "chat", method: str = "POST", **policy: Any
) -> str:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    call = make_call(make_request(data, method=method), speaks=speaks, policy={"cache": policy})
    call.operation = operation
    if data[:1] in b"[{":
        call.request.body.parse(call.dialect.shape)
    return reason_against(call)


def test_a_plain_call_is_not() -> None:
    assert reason({"model": "m", "messages": []}) == ""


@pytest.mark.parametrize(
    ("why", "asked"),
    [
        ("no_json", {"body": b"x"}),
        ("no_json", {"body": []}),
        ("no_json", {"body": {}, "method": "GET"}),
        ("no_json", {"body": {"request": [1]}, "speaks": "gemini-cloudcode"}),
        ("operation", {"body": {}, "operation": "images"}),
        ("operation", {"body": {}, "operation": "chat", "operations": ["embed*"]}),
        ("dialect", {"body": {}, "speaks": "generic"}),
        ("dialect", {"body": {}, "speaks": "gemini-interactions"}),
        ("state", {"body": {"previous_response_id": "r"}, "speaks": "openai-responses"}),
        ("state", {"body": {"conversation": "c"}, "speaks": "openai-responses"}),
        ("state", {"body": {"container": "c"}, "speaks": "anthropic-messages"}),
        ("state", {"body": {"prompt": {"id": "pmpt_1"}}, "speaks": "openai-responses"}),
        ("tools", {"body": {"tools": [{}]}}),
        ("tools", {"body": {"request": {"tools": [{}]}}, "speaks": "gemini-cloudcode"}),
        ("tools", {"body": {"toolConfig": {"tools": []}}, "speaks": "bedrock-converse"}),
        ("temperature", {"body": {"temperature": 1}, "max_temperature": 0.5}),
        ("temperature", {"body": {}, "max_temperature": 0.5}),
    ],
)
def test_why_a_call_is_left_alone(why: str, asked: dict[str, Any]) -> None:
    assert reason(**asked) == why


@pytest.mark.parametrize(
    "asked",
    [
        {"body": {}, "operation": "embeddings", "speaks": "generic"},
        {"body": {"tools": []}},
        {"body": {"prompt": {"id": "pmpt_1", "version": "2"}}, "speaks": "openai-responses"},
        {"body": {"prompt": "once"}, "operation": "completions", "speaks": "openai-completions"},
        {"body": {"tools": [{}]}, "tools": True},
        {"body": {"temperature": 0}, "max_temperature": 0.0},
        {"body": {}, "operation": "images", "operations": ["!batches"], "speaks": "openai-chat"},
    ],
)
def test_what_the_policy_allows(asked: dict[str, Any]) -> None:
    assert reason(**asked) == ""


@pytest.mark.parametrize(
    ("body", "degree"),
    [
        ({"temperature": 0.5}, 0.5),
        ({"generationConfig": {"temperature": 1}}, 1.0),
        ({"inferenceConfig": {"temperature": 0}}, 0.0),
        ({"options": {"temperature": 0.1}}, 0.1),
        ({"temperature": "hot"}, float("inf")),
        ({}, float("inf")),
    ],
)
def test_the_temperature_stands_where_the_dialect_has_it(body: Any, degree: float) -> None:
    assert temperature(body) == degree
