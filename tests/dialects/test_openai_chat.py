from __future__ import annotations

import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.openai_chat import CHAT

BODY = {
    "model": "gpt-x",
    "stream": True,
    "user": "ada@example.com",
    "metadata": {"team": "blue"},
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "name": "ada",
            "content": [
                {"type": "text", "text": "look"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA", "detail": "low"}},
                {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
                {
                    "type": "file",
                    "file": {"filename": "plan.pdf", "file_data": "data:application/pdf;base64,JVBE"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "reasoning_details": [
                {"type": "reasoning.text", "text": "hm", "signature": "c2ln", "format": "f"}
            ],
            "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "rain"},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": "f", "description": "weather", "parameters": {"type": "object"}},
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "n", "schema": {"description": "out"}},
    },
    "stop": ["END"],
    "temperature": 0,
}


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(CHAT.shape, BODY) == [
        "ada@example.com",
        "blue",
        "Be brief.",
        "ada",
        "look",
        "blob:data:image/png;base64,AAAA",
        "blob:low",
        "blob:UklG",
        "plan.pdf",
        "blob:data:application/pdf;base64,JVBE",
        "hm",
        'json:{"a":1}',
        "rain",
        "weather",
        "out",
        "END",
    ]
    assert keys(CHAT.shape, BODY) == ["team"]


def test_model_and_stream_are_the_bodys_unless_the_path_has_a_deployment() -> None:
    assert CHAT.model(BODY, {}) == "gpt-x"
    assert CHAT.model(BODY, {"model": "my-deployment"}) == "my-deployment"
    assert CHAT.streams(BODY, {})


@pytest.mark.parametrize(
    ("data", "last"),
    [
        (b"[DONE]", True),
        (b'{"choices":[{"delta":{},"finish_reason":"stop"}]}', True),
        (b'{"choices":[{"delta":{"content":"a"},"finish_reason":null}]}', False),
        (
            b'{"choices":[{"delta":{"content":"\\"finish_reason\\": \\"stop\\""},"finish_reason":null}]}',
            False,
        ),
        (b'{"choices":[{"delta":{"content":"[DONE]"}}]}', False),
    ],
)
def test_an_answer_is_complete_with_its_finish_reason(data: bytes, last: bool) -> None:
    assert CHAT.is_last(Event(data)) is last


def test_a_stream_tells_model_and_usage() -> None:
    first = Event(b'{"model":"gpt-x-1","choices":[{"delta":{"content":"a"}}],"usage":null}')
    chunk = Event(
        b'{"model":"gpt-x-1","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}'
    )

    assert CHAT.answered_model(CHAT.payload(first)) == "gpt-x-1"
    assert CHAT.usage(CHAT.payload(first)) is None
    assert CHAT.usage(CHAT.payload(chunk)) == Usage(input=3, output=2)
    assert not any(mark in (first.data or b"") for mark in CHAT.usage_marks)
    assert any(mark in (chunk.data or b"") for mark in CHAT.usage_marks)


def test_an_error_in_a_stream_is_known() -> None:
    assert CHAT.stream_error(Event(b'{"error":{"code":502,"message":"m"},"choices":[]}')) == "502"
