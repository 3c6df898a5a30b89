from __future__ import annotations

from typing import Any

import pytest

from support.routes import call_of
from tollgate.routing.needs import answer_tokens, modalities, tokens, wants_tools


def said(*parts: Any) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": list(parts)}]}


@pytest.mark.parametrize(
    ("speaks", "body", "kinds"),
    [
        ("openai-chat", said({"type": "text", "text": "an image"}), set()),
        ("openai-chat", said({"type": "image_url", "image_url": {"url": "x"}}), {"image"}),
        ("openai-chat", said({"type": "input_audio"}, {"type": "file", "file": {}}), {"audio", "document"}),
        ("openai-responses", {"input": [{"role": "user", "content": [{"type": "input_image"}]}]}, {"image"}),
        ("openai-responses", {"input": "an image"}, set()),
        ("anthropic-messages", said({"type": "document", "source": {}}), {"document"}),
        (
            "anthropic-messages",
            said({"type": "tool_result", "content": [{"type": "image", "source": {"data": "x"}}]}),
            {"image"},
        ),
        ("gemini", {"contents": [{"parts": [{"inlineData": {"mimeType": "audio/wav"}}]}]}, {"audio"}),
        ("gemini", {"contents": [{"parts": [{"fileData": {"mimeType": "application/pdf"}}]}]}, {"document"}),
        ("gemini", {"contents": [{"parts": [{"inline_data": {"mime_type": "image/png"}}]}]}, {"image"}),
        ("bedrock-converse", {"messages": [{"content": [{"image": {"format": "png"}}]}]}, {"image"}),
        ("ollama", {"messages": [{"content": "x", "images": ["aGk="]}]}, {"image"}),
        ("generic", [1], set()),
    ],
)
def test_kinds_besides_text_are_seen(speaks: str, body: Any, kinds: set[str]) -> None:
    assert modalities(call_of(body=body, speaks=speaks)) == kinds


def test_tokens_are_rather_too_many_and_attachments_are_none() -> None:
    call = call_of(
        body=said(
            {"type": "text", "text": "x" * 300}, {"type": "image_url", "image_url": {"url": "y" * 9000}}
        )
    )

    assert 100 <= tokens(call) < 200


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 6}, 6),
        ({"generationConfig": {"maxOutputTokens": 7}}, 7),
        ({"inferenceConfig": {"maxTokens": 8}}, 8),
        ({"max_tokens": None}, None),
        ({"generationConfig": 1}, None),
        ([], None),
    ],
)
def test_the_answers_limit_is_found(body: Any, number: int | None) -> None:
    assert answer_tokens(call_of(body=body)) == number


@pytest.mark.parametrize(("body", "wants"), [({"tools": [{}]}, True), ({"tools": []}, False), ([], False)])
def test_tools_are_wanted_where_some_are_named(body: Any, wants: bool) -> None:
    assert wants_tools(call_of(body=body)) is wants
