from __future__ import annotations

import pytest

from support.slots import texts
from tollgate.calls import End, Event, Usage
from tollgate.dialects.openai_other import COMPLETIONS, EMBEDDINGS


def test_a_completions_text_is_seen() -> None:
    body = {"model": "m", "prompt": ["one", "two"], "suffix": "s", "stop": "\n", "user": "u", "echo": True}

    assert texts(COMPLETIONS.shape, body) == ["one", "two", "s", "\n", "u"]


@pytest.mark.parametrize("text", ["one", ["one"]])
def test_what_is_embedded_is_seen(text: str | list[str]) -> None:
    assert texts(EMBEDDINGS.shape, {"model": "m", "input": text, "encoding_format": "base64"}) == ["one"]


def test_tokens_that_were_counted_already_are_no_text() -> None:
    assert texts(EMBEDDINGS.shape, {"model": "m", "input": [[1, 2], [3]]}) == []


def test_a_completion_ends_as_a_chat_does() -> None:
    assert COMPLETIONS.is_last(Event(b"[DONE]"))
    assert COMPLETIONS.is_last(Event(b'{"choices":[{"text":"","finish_reason":"length"}]}'))
    assert not COMPLETIONS.is_last(Event(b'{"choices":[{"text":"a","finish_reason":null}]}'))


def test_embeddings_use_input_only_and_are_never_cut() -> None:
    document = {"model": "e-1", "data": [], "usage": {"prompt_tokens": 8, "total_tokens": 8}}

    assert EMBEDDINGS.usage(document) == Usage(input=8)
    assert EMBEDDINGS.answered_model(document) == "e-1"
    assert EMBEDDINGS.is_last(End())


def test_embeddings_may_say_the_total_only() -> None:
    assert EMBEDDINGS.usage({"usage": {"total_tokens": 10}}) == Usage(input=10)
    assert EMBEDDINGS.usage({"usage": {"prompt_tokens": 8, "total_tokens": 8}}) == Usage(input=8)
