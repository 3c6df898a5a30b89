"""How alike two answers are."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.semantic.agreement import agree, likeness, said


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "x", "choices": [{"message": {"role": "assistant", "content": "Four."}}]},
        {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "Four."}]},
        {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Four."}]}]},
        {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "Four."}]}}]},
        {"output": {"message": {"content": [{"text": "Four."}]}}},
        {"response": "Four.", "done": True},
    ],
    ids=["chat", "anthropic", "responses", "gemini", "converse", "ollama"],
)
def test_what_an_answer_says_is_found_in_every_dialect(answer: Any) -> None:
    assert said(answer) == "Four."


def test_a_long_answer_counts_by_its_beginning() -> None:
    assert len(said({"text": "a" * 5000})) == 4000


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("A spider has eight legs.", "a spider has eight legs", 1.0),
        ("Yes", "No", 0.0),
        ("a b", "a c", 0.5),
        ("", "", 1.0),
        ("", "Yes", 0.0),
    ],
)
def test_likeness_is_that_of_the_words(one: str, other: str, expected: float) -> None:
    assert likeness(one, other) == pytest.approx(expected)


def test_answers_agree_in_numbers_and_mostly_in_words() -> None:
    assert agree("The bridge is 120 m long.", "the bridge is 120 m long, indeed")
    assert not agree("The bridge is 120 m long.", "The bridge is 121 m long.")
    assert not agree("Yes, it is.", "No, never.")
    assert not agree("", "")
