from __future__ import annotations

from typing import Any

import orjson
import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.cohere import CHAT

BODY = {
    "model": "command-x",
    "messages": [
        {"role": "user", "content": "plain"},
        {
            "role": "assistant",
            "tool_plan": "I will ask f.",
            "tool_calls": [{"id": "f_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {
            "role": "tool",
            "tool_call_id": "f_1",
            "content": [{"type": "document", "document": {"id": "1", "data": {"sky": "rain"}}}],
        },
        {
            "role": "assistant",
            "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "wet"}],
        },
    ],
    "documents": ["a fact", {"id": "2", "data": "another"}],
    "tools": [{"type": "function", "function": {"name": "f", "description": "weather", "parameters": {}}}],
    "safety_mode": "STRICT",
    "stop_sequences": ["END"],
}


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(CHAT.shape, BODY) == [
        "plain",
        "I will ask f.",
        "json:{}",
        "rain",
        "hm",
        "wet",
        "a fact",
        "another",
        "weather",
        "END",
    ]
    assert keys(CHAT.shape, BODY) == ["sky"]


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        (
            {"model": "e", "texts": ["one"], "input_type": "search_query", "embedding_types": ["float"]},
            ["one"],
        ),
        ({"model": "e", "images": ["data:image/png;base64,AAAA"]}, ["blob:data:image/png;base64,AAAA"]),
        ({"model": "r", "query": "who", "documents": ["one"]}, ["who", "one"]),
    ],
    ids=["embed", "embed-images", "rerank"],
)
def test_other_operations_are_seen_too(body: dict[str, Any], seen: list[str]) -> None:
    assert texts(CHAT.shape, body) == seen


@pytest.mark.parametrize(
    ("document", "usage"),
    [
        (
            {
                "usage": {
                    "billed_units": {"input_tokens": 12, "output_tokens": 49},
                    "tokens": {"input_tokens": 212},
                }
            },
            Usage(input=12, output=49),
        ),
        (
            {
                "delta": {
                    "usage": {"billed_units": {"input_tokens": 12, "output_tokens": 49}, "cached_tokens": 208}
                }
            },
            Usage(input=12, output=49),
        ),
        ({"usage": {"tokens": {"input_tokens": 5, "output_tokens": 6}}}, Usage(input=5, output=6)),
        ({"meta": {"billed_units": {"input_tokens": 4, "image_tokens": 9}}}, Usage(input=4, input_image=9)),
        ({"meta": {"billed_units": {"search_units": 1}}}, Usage(requests={"search": 1})),
        ({"meta": {"api_version": {"version": "2"}}}, None),
    ],
    ids=["whole", "streamed", "unbilled", "embed", "rerank", "none"],
)
def test_what_is_billed_is_counted(document: Any, usage: Usage | None) -> None:
    assert CHAT.usage(document) == usage
    assert usage is None or any(mark in orjson.dumps(document) for mark in CHAT.usage_marks)


def test_a_stream_ends_with_message_end() -> None:
    assert CHAT.is_last(Event(b'{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}', "message-end"))
    assert not CHAT.is_last(Event(b'{"type":"content-delta"}', "content-delta"))


def test_a_cut_stream_ends_with_its_error() -> None:
    (event,) = CHAT.error_events("cut", "provider_cut", "id-1")

    assert event.name == event.json()["type"] == "message-end"
    assert event.json()["delta"] == {"finish_reason": "ERROR", "error": "cut"}
    assert CHAT.stream_error(event) == "error"
    assert CHAT.stream_error(Event(b'{"type":"message-end","delta":{"error":null}}', "message-end")) == ""


def test_an_error_looks_like_coheres() -> None:
    assert orjson.loads(CHAT.error_body(400, "no", "duplicate_keys", "id-1")) == {
        "id": "id-1",
        "message": "no",
    }
