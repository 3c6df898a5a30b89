from __future__ import annotations

from typing import Any

import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.interactions import INTERACTIONS

BODY = {
    "model": "g",
    "system_instruction": "Be brief.",
    "input": [
        {"type": "user_input", "content": [{"type": "image", "data": "iVBO", "mime_type": "image/png"}]},
        {"type": "thought", "signature": "c2ln", "summary": [{"type": "text", "text": "hm"}]},
        {"type": "function_call", "id": "1", "name": "f", "arguments": {"who": "Ada"}},
        {"type": "function_result", "call_id": "1", "name": "f", "result": "rain"},
    ],
    "tools": [{"type": "function", "name": "f", "description": "weather", "parameters": {"type": "object"}}],
    "generation_config": {"temperature": 0.7, "thinking_level": "low", "stop_sequences": ["END"]},
    "stream": True,
}


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(INTERACTIONS.shape, BODY) == [
        "Be brief.",
        "blob:iVBO",
        "hm",
        "Ada",
        "rain",
        "weather",
        "END",
    ]
    assert keys(INTERACTIONS.shape, BODY) == ["who"]
    assert texts(INTERACTIONS.shape, {"agent": "a", "input": "plain"}) == ["plain"]


def test_an_agent_is_asked_for_like_a_model() -> None:
    assert INTERACTIONS.model(BODY, {}) == "g"
    assert INTERACTIONS.model({"agent": "deep-research"}, {}) == "deep-research"
    assert INTERACTIONS.streams(BODY, {})


@pytest.mark.parametrize("wrap", [("usage",), ("interaction", "usage"), ("metadata", "usage")])
def test_counts_do_not_overlap(wrap: tuple[str, ...]) -> None:
    document: Any = {
        "total_tokens": 660,
        "total_input_tokens": 600,
        "input_tokens_by_modality": [
            {"modality": "text", "tokens": 342},
            {"modality": "image", "tokens": 258},
        ],
        "total_cached_tokens": 100,
        "total_output_tokens": 3,
        "total_tool_use_tokens": 40,
        "total_thought_tokens": 17,
        "grounding_tool_count": [{"type": "google_search", "count": 2}],
    }
    for name in reversed(wrap):
        document = {name: document}
    usage = INTERACTIONS.usage(document)

    assert usage == Usage(
        input=282, cache_read=100, input_image=258, output=3, reasoning=17, requests={"google_search": 2}
    )
    assert usage is not None
    assert usage.total == 660


def test_the_last_event_tells_model_and_tier() -> None:
    event = Event(
        b'{"interaction":{"model":"g-1","service_tier":"standard","usage":{"total_input_tokens":1}}}',
        "interaction.completed",
    )
    document = INTERACTIONS.payload(event)

    assert INTERACTIONS.is_last(event)
    assert INTERACTIONS.answered_model(document) == "g-1"
    assert INTERACTIONS.usage(document) == Usage(input=1, tier="standard")


def test_what_comes_after_the_end_is_no_document() -> None:
    assert INTERACTIONS.payload(Event(b"[DONE]", "done")) is None


def test_a_cut_stream_ends_with_an_error_event() -> None:
    (event,) = INTERACTIONS.error_events("cut", "provider_cut", "id-1")

    assert event.name == "error"
    assert event.json() == {"event_type": "error", "error": {"code": "provider_cut", "message": "cut"}}
    assert INTERACTIONS.stream_error(event) == "provider_cut"
