from __future__ import annotations

from typing import Any

import orjson
import pytest

from support.upstream import make_call, make_request
from tollgate.calls import Call
from tollgate.cost.asked import asked


def call_with(body: Any, speaks: str = "openai-chat", operation: str = "chat") -> Call:
    call = make_call(make_request(orjson.dumps(body)), speaks=speaks)
    call.operation = operation
    call.request.body.parse(call.dialect.shape)
    return call


def test_all_texts_are_one_below_the_other() -> None:
    body = {
        "model": "gpt-5.4",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "description": "weather"}}],
    }

    found = asked(call_with(body))
    assert (found.text, found.messages, found.tools, found.media) == ("Be brief.\nHi\nweather", 2, 1, 0)


def test_what_another_room_has_changed_is_asked_for_as_it_is_now() -> None:
    call = call_with({"messages": [{"role": "user", "content": "Hi Ada"}]})
    body = call.request.body
    body.edit(next(slot for slot in body.slots if slot.text == "Hi Ada"), "Hi [NAME]")

    assert asked(call).text == "Hi [NAME]"


@pytest.mark.parametrize(
    ("speaks", "body", "output"),
    [
        ("openai-chat", {"max_completion_tokens": 50}, 50),
        ("openai-chat", {"max_tokens": 50, "n": 3}, 150),
        ("openai-chat", {}, None),
        ("openai-responses", {"max_output_tokens": 60}, 60),
        ("anthropic-messages", {"max_tokens": 70}, 70),
        ("gemini", {"generationConfig": {"maxOutputTokens": 80, "candidateCount": 2}}, 160),
        ("gemini-cloudcode", {"request": {"generationConfig": {"maxOutputTokens": 80}}}, 80),
        ("gemini-interactions", {"generation_config": {"max_output_tokens": 80}}, 80),
        ("bedrock-converse", {"inferenceConfig": {"maxTokens": 90}}, 90),
        ("bedrock-invoke", {"textGenerationConfig": {"maxTokenCount": 90}}, 90),
        ("ollama", {"options": {"num_predict": 100}}, 100),
        ("ollama", {"options": {"num_predict": -1}}, None),
    ],
)
def test_every_dialect_limits_its_answers_somewhere(speaks: str, body: Any, output: int | None) -> None:
    assert asked(call_with(body, speaks)).output == output


@pytest.mark.parametrize("operation", ["embeddings", "count_tokens", "rerank", "moderations"])
def test_some_operations_have_no_output(operation: str) -> None:
    assert asked(call_with({"input": "a"}, operation=operation)).output == 0


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        ("https://example.com/a.png", 1_600),
        ("data:image/png;base64,iVBO", 1_600),
        ("data:application/pdf;base64,JVBERi0" + "A" * 400_000, 10_000),
        ("JVBERi0", 1_600),
    ],
)
def test_media_have_tokens_by_their_kind(data: str, tokens: int) -> None:
    content = [{"type": "image_url", "image_url": {"url": data}}]

    found = asked(call_with({"messages": [{"role": "user", "content": content}]}))
    assert (found.text, found.media) == ("", tokens)


@pytest.mark.parametrize(
    ("body", "complete"),
    [
        ({"input": "a"}, True),
        ({"input": "a", "previous_response_id": None}, True),
        ({"input": "a", "previous_response_id": "resp_1"}, False),
        ({"input": "a", "conversation": {"id": "conv_1"}}, False),
    ],
)
def test_a_request_may_stand_on_what_the_provider_keeps(body: Any, complete: bool) -> None:
    assert asked(call_with(body, "openai-responses", "responses")).complete is complete


def test_the_tier_that_is_asked_for_is_the_one_that_is_reserved() -> None:
    assert asked(call_with({"service_tier": "priority"})).tier == "priority"
    assert asked(call_with({"serviceTier": {"type": "flex"}}, "bedrock-converse")).tier == "flex"
    assert asked(call_with({"speed": "fast"}, "anthropic-messages")).speed == "fast"
    assert len(asked(call_with({"service_tier": "x" * 1_000_000})).tier) == 32


def test_a_body_of_another_kind_asks_for_nothing_known() -> None:
    found = asked(call_with(["a"], "generic"))

    assert (found.text, found.messages, found.tools, found.output) == ("a", 0, 0, None)
