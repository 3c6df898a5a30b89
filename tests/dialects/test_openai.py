from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from tollgate.calls import Event, Usage
from tollgate.dialects.base import json_of
from tollgate.dialects.openai import COUNTS, ERRORS, RESPONSE_ERRORS


@pytest.mark.parametrize(
    ("usage", "read"),
    [
        ({"prompt_tokens": 4, "total_tokens": 4}, Usage(input=4)),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "total_tokens": 150,
                "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 20, "audio_tokens": 5},
                "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 4},
            },
            Usage(
                input=15,
                cache_read=60,
                cache_write=20,
                input_audio=5,
                output=16,
                reasoning=30,
                output_audio=4,
            ),
        ),
        (
            {
                "input_tokens": 100,
                "input_tokens_details": {
                    "cached_tokens": 10,
                    "cache_write_tokens": 50,
                    "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 30},
                },
                "output_tokens": 7,
                "output_tokens_details": {"reasoning_tokens": 7},
            },
            Usage(input=40, cache_read=10, cache_write=20, cache_write_long=30, reasoning=7),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 8},
            Usage(input=1, cache_read=8, output=1),
        ),
        (
            {"prompt_tokens": 9, "completion_tokens": 1, "cached_tokens": 8},
            Usage(input=1, cache_read=8, output=1),
        ),
        (
            {"input_tokens": 20, "input_token_details": {"audio_tokens": 18}, "output_tokens": 5},
            Usage(input=2, input_audio=18, output=5),
        ),
        (
            {"prompt_tokens": 3, "completion_tokens": 2, "prompt_audio_seconds": 4},
            Usage(input=3, output=2, seconds=4),
        ),
    ],
    ids=["embeddings", "chat", "responses", "deepseek", "together", "transcription", "mistral"],
)
def test_each_spelling_of_the_counts_is_read(usage: dict[str, Any], read: Usage) -> None:
    assert COUNTS.read({"usage": usage}, None) == read
    assert COUNTS.read({"response": {"usage": usage}}, None) == read


def test_reasoning_that_is_not_in_the_output_is_not_taken_from_it() -> None:
    """xAI: 10 asked, 5 answered and 20 thought make 35."""
    usage = {
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "total_tokens": 35,
        "completion_tokens_details": {"reasoning_tokens": 20},
    }

    assert COUNTS.read({"usage": usage}, None) == Usage(input=10, output=5, reasoning=20)


def test_groq_puts_a_streams_usage_elsewhere() -> None:
    document = {"usage": None, "x_groq": {"id": "r", "usage": {"prompt_tokens": 3, "completion_tokens": 4}}}

    assert COUNTS.read(document, None) == Usage(input=3, output=4)


@pytest.mark.parametrize(
    ("said", "dollars"),
    [
        ({"cost": 0.0015}, 0.0015),
        ({"cost": 0.25, "is_byok": True, "cost_details": {"upstream_inference_cost": 4.5}}, 4.75),
        ({"cost": 0.25, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.25}}, 0.25),
        ({"cost": {"total_cost": 0.006}}, 0.006),
        ({"cost_in_usd_ticks": 25_000_000}, 0.0025),
    ],
    ids=["openrouter", "a key of one's own", "no key of one's own", "perplexity", "xai"],
)
def test_money_is_read_as_the_provider_reports_it(said: dict[str, Any], dollars: float) -> None:
    usage = COUNTS.read({"usage": {"prompt_tokens": 1, **said}}, None)

    assert usage == Usage(input=1, reported_cost=dollars)


@pytest.mark.parametrize(
    ("answer", "usage", "requests"),
    [
        ({"tool_usage": {"web_search": {"num_requests": 2}}}, {}, {"web_search": 2}),
        ({"tool_usage": {"web_search": {"num_requests": 0}}}, {}, None),
        (
            {},
            {"server_tool_use_details": {"web_search_requests": 1, "tool_calls_executed": 1}},
            {"web_search": 1},
        ),
        ({}, {"server_side_tool_usage_details": {"x_search_calls": 3}}, {"x_search": 3}),
        ({}, {"num_search_queries": 4}, {"web_search": 4}),
        (
            {"output": [{"type": "file_search_call"}, {"type": "message"}, {"type": "file_search_call"}]},
            {},
            {"file_search": 2},
        ),
        ({"output": [{"type": ["?"]}, {}]}, {}, None),
    ],
)
def test_server_tools_are_counted(answer: Any, usage: Any, requests: dict[str, int] | None) -> None:
    document = {**answer, "usage": {"input_tokens": 1, **usage}}

    assert COUNTS.read(document, None) == Usage(input=1, requests=requests)


def test_what_the_image_tool_used_is_added() -> None:
    document: dict[str, Any] = {
        "usage": {"input_tokens": 100, "output_tokens": 10, "total_tokens": 110},
        "tool_usage": {"image_gen": {"input_tokens": 30, "output_tokens": 400, "total_tokens": 430}},
    }

    used = Usage(input=100, input_image=30, output=10, output_image=400)
    assert COUNTS.read(document, None) == used

    document["output"] = [{"type": "image_generation_call", "result": "iVBO"}]
    assert COUNTS.read(document, None) == replace(used, requests={"image_generation": 1})


@pytest.mark.parametrize(
    "document",
    [
        {"usage": {"prompt_tokens": 1}, "service_tier": "flex"},
        {"usage": {"prompt_tokens": 1, "service_tier": "flex"}},
        {"response": {"usage": {"input_tokens": 1}, "service_tier": "flex"}},
    ],
)
def test_the_tier_is_the_one_that_served(document: Any) -> None:
    assert COUNTS.read(document, None) == Usage(input=1, tier="flex")


def test_an_error_looks_like_openais() -> None:
    assert orjson.loads(ERRORS.body(400, "no", "duplicate_keys", "id-1")) == {
        "error": {"message": "no", "type": "invalid_request_error", "param": None, "code": "duplicate_keys"}
    }
    assert ERRORS.type(502) == "server_error"


def test_a_chat_stream_ends_with_an_error_object() -> None:
    (event,) = ERRORS.events("cut", "provider_cut", "id-1")

    assert event.name == ""
    assert event.json()["error"] == {
        "message": "cut",
        "type": "server_error",
        "param": None,
        "code": "provider_cut",
    }


def test_a_responses_stream_ends_with_an_error_for_sdks_and_a_failure_for_codex() -> None:
    error, failed = RESPONSE_ERRORS.events("cut", "provider_cut", "id-1")

    assert (error.name, failed.name) == ("error", "response.failed")
    assert error.json()["error"]["message"] == error.json()["message"] == "cut"
    assert failed.json()["type"] == "response.failed"
    assert failed.json()["response"]["status"] == "failed"
    assert failed.json()["response"]["error"] == {"code": "provider_cut", "message": "cut"}


@pytest.mark.parametrize(
    ("data", "name", "word"),
    [
        (b'{"type":"error","code":"rate_limit_exceeded","message":"m"}', "error", "rate_limit_exceeded"),
        (b'{"type":"error","code":null,"message":"m"}', "error", "error"),
        (b'{"response":{"error":{"code":"server_error"}}}', "response.failed", "server_error"),
        (b'{"response":{"error":null}}', "response.created", ""),
    ],
)
def test_errors_of_a_responses_stream_are_known(data: bytes, name: str, word: str) -> None:
    assert RESPONSE_ERRORS.of_event(Event(data, name), json_of) == word
