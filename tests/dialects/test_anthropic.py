from __future__ import annotations

from typing import Any

import orjson
import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.anthropic import MESSAGES, MESSAGES_2026_10_21

BODY = {
    "model": "claude-x",
    "max_tokens": 64,
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "metadata": {"user_id": '{"device_id":"fd14"}'},
    "messages": [
        {"role": "user", "content": "plain"},
        {"role": "system", "content": "in between"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
                {"type": "redacted_thinking", "data": "ZW5j"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"who": {"name": "Ada"}}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_1",
                    "content": [{"type": "text", "text": "rain"}],
                },
                {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBO"}},
                {
                    "type": "document",
                    "title": "a plan",
                    "source": {"type": "content", "content": [{"type": "text", "text": "part"}]},
                },
                {
                    "type": "search_result",
                    "source": "a shelf",
                    "content": [{"type": "text", "text": "found"}],
                },
            ],
        },
    ],
    "tools": [{"name": "f", "description": "weather", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "f"},
    "mcp_servers": [
        {"type": "url", "name": "wiki", "url": "https://mcp.example/mcp", "authorization_token": "t"}
    ],
    "stop_sequences": ["END"],
}


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(MESSAGES.shape, BODY) == [
        "Be brief.",
        "plain",
        "in between",
        "hm",
        "Ada",
        "rain",
        "blob:iVBO",
        "a plan",
        "part",
        "a shelf",
        "found",
        "weather",
        "blob:https://mcp.example/mcp",
        "t",
        "END",
    ]
    assert keys(MESSAGES.shape, BODY) == ["who", "name"]


def test_a_batch_holds_bodies() -> None:
    batch = {
        "requests": [
            {"custom_id": "a", "params": {"model": "m", "messages": [{"role": "user", "content": "hi"}]}}
        ]
    }

    assert texts(MESSAGES.shape, batch) == ["hi"]
    assert keys(MESSAGES.shape, batch) == []


@pytest.mark.parametrize(
    ("body", "params", "streams"),
    [
        ({"stream": True}, {}, True),
        ({}, {}, False),
        ({}, {"verb": "streamRawPredict"}, True),
        ({}, {"verb": "rawPredict"}, False),
    ],
)
def test_a_stream_is_asked_for_by_body_or_googles_verb(
    body: Any, params: dict[str, str], streams: bool
) -> None:
    assert MESSAGES.streams(body, params) is streams


def read_stream(*documents: dict[str, Any]) -> Usage | None:
    usage: Usage | None = None
    for document in documents:
        usage = MESSAGES.usage(document, usage)
    return usage


START = {
    "type": "message_start",
    "message": {
        "model": "claude-x-1",
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 200,
            "cache_creation_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 60},
            "output_tokens": 1,
            "service_tier": "standard",
        },
    },
}


def test_a_whole_answer_adds_up_without_counting_twice() -> None:
    usage = MESSAGES.usage(START["message"])

    assert usage == Usage(
        input=10, cache_read=200, cache_write=40, cache_write_long=60, output=1, tier="standard"
    )
    assert usage is not None
    assert usage.total == 10 + 200 + 100 + 1


@pytest.mark.parametrize(
    ("deltas", "output", "reasoning"),
    [
        ([{"output_tokens": 30}], 30, 0),
        ([{"output_tokens": 30}, {"output_tokens": 50}], 50, 0),
        ([{"output_tokens": 30, "output_tokens_details": {"thinking_tokens": 20}}], 10, 20),
    ],
)
def test_the_last_delta_counts_and_the_start_keeps_the_rest(
    deltas: list[dict[str, Any]], output: int, reasoning: int
) -> None:
    usage = read_stream(START, *({"type": "message_delta", "usage": said} for said in deltas))

    assert usage == Usage(
        input=10,
        cache_read=200,
        cache_write=40,
        cache_write_long=60,
        output=output,
        reasoning=reasoning,
        tier="standard",
    )


def test_a_delta_that_says_more_input_takes_the_starts_place() -> None:
    """After server tools. What the cache wrote for an hour stays the start's; the rest was for 5 minutes."""
    said = {
        "input_tokens": 15,
        "cache_read_input_tokens": 300,
        "cache_creation_input_tokens": 110,
        "output_tokens": 9,
    }
    usage = read_stream(
        START, {"type": "message_delta", "usage": {**said, "server_tool_use": {"web_search_requests": 2}}}
    )

    assert usage == Usage(
        input=15,
        cache_read=300,
        cache_write=50,
        cache_write_long=60,
        output=9,
        tier="standard",
        requests={"web_search": 2},
    )


def test_iterations_that_the_sum_leaves_out_are_added() -> None:
    iterations = [
        {"type": "message", "input_tokens": 10, "output_tokens": 5},
        {"type": "compaction", "input_tokens": 300, "output_tokens": 20, "cache_read_input_tokens": 7},
        {"type": "advisor_message", "model": "claude-y", "input_tokens": 50, "output_tokens": 4},
        {"type": ["?"], "input_tokens": 1000},
    ]
    said = {"input_tokens": 10, "cache_read_input_tokens": 0, "output_tokens": 5, "iterations": iterations}

    assert MESSAGES.usage({"usage": said}) == Usage(
        input=360, cache_read=7, output=29, requests={"compaction": 1, "advisor": 1}
    )


def test_counting_tokens_is_not_using_them() -> None:
    assert MESSAGES.usage({"input_tokens": 12}) is None


def test_a_stream_names_its_model_first_and_ends_with_message_stop() -> None:
    assert MESSAGES.answered_model(START) == "claude-x-1"
    assert MESSAGES.is_last(Event(b'{"type":"message_stop"}', "message_stop"))
    assert not MESSAGES.is_last(Event(b'{"type":"message_delta"}', "message_delta"))


def test_an_error_in_a_stream_is_known() -> None:
    event = Event(b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}', "error")

    assert MESSAGES.stream_error(event) == "overloaded_error"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, "invalid_request_error"), (413, "request_too_large"), (502, "api_error"), (504, "timeout_error")],
)
def test_an_error_looks_like_anthropics(status: int, kind: str) -> None:
    assert orjson.loads(MESSAGES.error_body(status, "no", "duplicate_keys", "id-1")) == {
        "type": "error",
        "error": {"type": kind, "message": "no", "details": {"error_code": "duplicate_keys"}},
        "request_id": "id-1",
    }


def test_a_cut_stream_ends_with_an_error_event() -> None:
    (event,) = MESSAGES.error_events("cut", "provider_cut", "id-1")

    assert event.name == "error"
    assert event.json()["error"]["type"] == "api_error"


def test_the_version_of_october_2026_refuses_sampling() -> None:
    assert MESSAGES.refused_params == frozenset()
    assert MESSAGES_2026_10_21.refused_params == {"temperature", "top_p", "top_k"}
    assert MESSAGES_2026_10_21.shape is MESSAGES.shape


def test_speed_and_region_are_told_where_they_have_a_price() -> None:
    said = {"input_tokens": 1, "service_tier": "standard", "speed": "fast", "inference_geo": "us"}

    assert MESSAGES.usage({"usage": said}) == Usage(input=1, tier="standard", speed="fast", region="us")
