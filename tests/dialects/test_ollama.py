from __future__ import annotations

from typing import Any

import orjson
import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.ollama import OLLAMA


@pytest.mark.parametrize(
    ("body", "seen", "named"),
    [
        (
            {
                "model": "m",
                "messages": [
                    {"role": "user", "content": "look", "images": ["iVBO"]},
                    {
                        "role": "assistant",
                        "tool_calls": [{"function": {"name": "f", "arguments": {"who": "Ada"}}}],
                    },
                    {"role": "tool", "tool_name": "f", "content": "rain"},
                ],
                "tools": [{"type": "function", "function": {"name": "f", "description": "weather"}}],
                "format": {"type": "object", "description": "out"},
                "options": {"stop": ["END"], "temperature": 0},
                "keep_alive": "5m",
            },
            ["look", "blob:iVBO", "Ada", "rain", "weather", "out", "END"],
            ["who"],
        ),
        (
            {"model": "m", "prompt": "plain", "system": "s", "images": ["AAAA"], "raw": True},
            ["plain", "s", "blob:AAAA"],
            [],
        ),
        ({"model": "m", "input": ["one", "two"]}, ["one", "two"], []),
    ],
    ids=["chat", "generate", "embed"],
)
def test_text_is_seen_and_structure_is_not(body: dict[str, Any], seen: list[str], named: list[str]) -> None:
    assert texts(OLLAMA.shape, body) == seen
    assert keys(OLLAMA.shape, body) == named


@pytest.mark.parametrize(
    ("body", "streams"), [({}, True), ({"stream": True}, True), ({"stream": False}, False)]
)
def test_it_streams_unless_told_not_to(body: dict[str, Any], streams: bool) -> None:
    assert OLLAMA.streams(body, {}) is streams
    assert OLLAMA.expected_framing({}) == "ndjson"


def test_the_last_line_tells_usage() -> None:
    line = Event(b'{"model":"m","message":{"content":""},"done":true,"prompt_eval_count":17,"eval_count":50}')

    assert OLLAMA.is_last(line)
    assert OLLAMA.usage(OLLAMA.payload(line)) == Usage(input=17, output=50)
    assert OLLAMA.answered_model(OLLAMA.payload(line)) == "m"


def test_the_other_lines_tell_none() -> None:
    line = Event(b'{"model":"m","message":{"content":"a"},"done":false}')

    assert not OLLAMA.is_last(line)
    assert OLLAMA.usage(OLLAMA.payload(line), Usage(input=1)) == Usage(input=1)


def test_an_error_is_one_word_of_json() -> None:
    (event,) = OLLAMA.error_events("cut", "provider_cut", "id-1")

    assert event.json() == {"error": "cut"}
    assert OLLAMA.stream_error(event) == "error"
    assert orjson.loads(OLLAMA.error_body(400, "no", "duplicate_keys", "id-1")) == {"error": "no"}
