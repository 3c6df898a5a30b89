"""The one short question of a call."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tollgate.cache.semantic.question import TURNS, question_of

USER = {"role": "user", "content": "Why?"}
PARTS = {"role": "user", "content": [{"type": "text", "text": "Why?"}]}


def text_of(dialect: str, body: Any, most: int = 100) -> str | None:
    question = question_of(dialect, body, most)
    return question.text if question else None


@pytest.mark.parametrize(
    ("dialect", "body"),
    [
        ("openai-chat", {"messages": [USER]}),
        ("openai-chat", {"messages": [{"role": "system", "content": "Be brief."}, PARTS]}),
        ("openai-responses", {"input": "Why?"}),
        (
            "openai-responses",
            {"input": [{"role": "user", "content": [{"type": "input_text", "text": "Why?"}]}]},
        ),
        ("anthropic-messages", {"system": "Be brief.", "messages": [PARTS]}),
        ("bedrock-invoke", {"messages": [USER]}),
        ("bedrock-converse", {"messages": [{"role": "user", "content": [{"text": "Why?"}]}]}),
        ("gemini", {"contents": [{"parts": [{"text": "Why?"}]}]}),
        ("cohere-chat", {"messages": [USER]}),
        ("ollama", {"messages": [USER]}),
    ],
)
def test_the_question_is_found_in_every_dialect(dialect: str, body: dict[str, Any]) -> None:
    before = copy.deepcopy(body)
    question = question_of(dialect, body, 100)

    assert question is not None
    assert question.text == "Why?"
    assert "Why?" not in str(question.rest)
    assert question.rest.keys() == body.keys()
    assert body == before


def test_every_dialect_with_turns_was_tried() -> None:
    tried = {"openai-chat", "openai-responses", "anthropic-messages", "bedrock-invoke", "bedrock-converse"}

    assert tried | {"gemini", "cohere-chat", "ollama"} == set(TURNS)


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"messages": []},
        {"messages": ["Why?"]},
        {"messages": [{"role": "user", "content": " "}]},
        {"messages": [{"role": "user", "content": None}]},
        {"messages": [USER, {"role": "assistant", "content": "So."}, USER]},
        {"messages": [USER, USER]},
        {"messages": [{"role": "assistant", "content": "So."}]},
        {"messages": [USER], "tools": [{"type": "function"}]},
        {"messages": [{"role": "user", "content": [*PARTS["content"], {"type": "image_url"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url", "text": "Why?"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": 1}]}]},
        {"messages": [{"role": "user", "content": ["Why?"]}]},
        {"messages": [{"role": "user", "content": "Why? " * 50}]},
    ],
)
def test_all_else_has_none(body: Any) -> None:
    assert text_of("openai-chat", body) is None


def test_dialects_without_single_turns_have_none() -> None:
    assert text_of("openai-completions", {"prompt": "Why?"}) is None


def test_all_but_the_text_is_the_rest() -> None:
    """What else stands beside the text tells questions apart."""
    bodies = [
        {"messages": [USER]},
        {"messages": [PARTS]},
        {"messages": [{**USER, "name": "ann"}]},
        {"messages": [USER], "temperature": 0},
        {"messages": [{"role": "system", "content": "Be brief."}, USER]},
        {"messages": [{"role": "user", "content": {"the question": None}}]},
    ]
    rests = [question.rest for body in bodies if (question := question_of("openai-chat", body, 100))]

    assert len(rests) == len(bodies) - 1
    assert all(one != other for n, one in enumerate(rests) for other in rests[:n])
