from __future__ import annotations

import pytest

from support.slots import keys, texts
from tollgate.calls import Event, Usage
from tollgate.dialects.openai_responses import RESPONSES

BODY = {
    "model": "gpt-x",
    "instructions": "Be brief.",
    "input": [
        {"type": "message", "role": "user", "content": "plain"},
        {
            "type": "message",
            "role": "user",
            "content": [
                {"type": "input_text", "text": "look"},
                {"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "low"},
                {
                    "type": "input_file",
                    "filename": "plan.pdf",
                    "file_data": "data:application/pdf;base64,JVBE",
                },
            ],
        },
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "hm"}],
            "encrypted_content": "gAA",
        },
        {
            "type": "function_call",
            "id": "fc_1",
            "call_id": "c1",
            "name": "f",
            "arguments": '{"a":1}',
            "status": "completed",
        },
        {"type": "function_call_output", "call_id": "c1", "output": [{"type": "input_text", "text": "rain"}]},
        {"type": "custom_tool_call", "call_id": "c2", "name": "exec", "input": "rm -r x"},
        {"type": "image_generation_call", "id": "ig_1", "result": "iVBO"},
        {
            "type": "additional_tools",
            "id": "at_1",
            "tools": [
                {
                    "type": "namespace",
                    "name": "functions",
                    "description": "outer",
                    "tools": [
                        {
                            "type": "custom",
                            "name": "exec",
                            "description": "inner",
                            "format": {"type": "grammar", "syntax": "lark", "definition": "start: x"},
                        }
                    ],
                }
            ],
        },
    ],
    "tools": [
        {
            "type": "function",
            "name": "f",
            "description": "weather",
            "parameters": {"type": "object"},
            "strict": True,
        },
        {
            "type": "mcp",
            "server_label": "wiki",
            "server_url": "https://mcp.example/mcp",
            "headers": {"x-key": "k"},
        },
    ],
    "text": {
        "format": {"type": "json_schema", "name": "n", "schema": {"description": "out"}},
        "verbosity": "low",
    },
    "reasoning": {"effort": "low"},
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0198",
    "client_metadata": {"turn": '{"workspaces":{"/home/ada":{}}}'},
}


def test_text_is_seen_and_structure_is_not() -> None:
    assert texts(RESPONSES.shape, BODY) == [
        "Be brief.",
        "plain",
        "look",
        "blob:data:image/png;base64,AAAA",
        "plan.pdf",
        "blob:data:application/pdf;base64,JVBE",
        "hm",
        'json:{"a":1}',
        "rain",
        "rm -r x",
        "blob:iVBO",
        "outer",
        "inner",
        "start: x",
        "weather",
        "blob:https://mcp.example/mcp",
        "k",
        "out",
        'json:{"workspaces":{"/home/ada":{}}}',
    ]
    assert keys(RESPONSES.shape, BODY) == ["headers", "x-key", "turn"]


def test_a_plain_input_is_text() -> None:
    assert texts(RESPONSES.shape, {"model": "m", "input": "hello"}) == ["hello"]


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("response.created", False),
        ("response.output_text.delta", False),
        ("response.completed", True),
        ("response.incomplete", True),
        ("response.failed", True),
    ],
)
def test_an_answer_ends_completed_incomplete_or_failed(name: str, last: bool) -> None:
    assert RESPONSES.is_last(Event(b"{}", name)) is last
    assert RESPONSES.is_last(Event(b'{"type":"' + name.encode() + b'"}')) is last


def test_the_last_event_tells_usage_and_tier() -> None:
    event = Event(
        b'{"type":"response.completed","response":{"model":"gpt-x-1","service_tier":"default","error":null,'
        b'"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":3}}}',
        "response.completed",
    )
    document = RESPONSES.payload(event)

    assert RESPONSES.answered_model(document) == "gpt-x-1"
    assert RESPONSES.usage(document) == Usage(input=5, cache_read=4, output=3, tier="default")
    assert RESPONSES.stream_error(event) == ""
