"""Ollama's chat and generate, whole and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.cache.forms.form import FormError
from tollgate.cache.forms.ollama import OLLAMA
from tollgate.calls import Event

HEAD: dict[str, Any] = {"model": "m", "created_at": "2026-01-01T00:00:00Z"}
END: dict[str, Any] = {"done": True, "done_reason": "stop", "eval_count": 3}
CALL: dict[str, Any] = {"function": {"name": "f", "arguments": {"a": 1}}}
CHAT = {
    **HEAD,
    "message": {"role": "assistant", "content": "hello", "thinking": "hm", "tool_calls": [CALL]},
    **END,
}
GENERATE = {**HEAD, "response": "hello", "context": [1, 2], **END}


@pytest.mark.parametrize("answer", [CHAT, GENERATE], ids=["chat", "generate"])
def test_a_stream_made_of_a_whole_answer_makes_it_again(answer: dict[str, Any]) -> None:
    first, last = OLLAMA.unfold(answer, {})

    assert OLLAMA.fold([first, last]) == answer
    assert OLLAMA.complete(answer)
    assert (first.json()["done"], last.json()["done"]) == (False, True)


def test_lines_are_put_together() -> None:
    said: list[dict[str, Any]] = [
        {"content": "he"},
        {"content": "llo", "role": "assistant"},
        {"content": "", "tool_calls": [CALL]},
    ]
    lines = [{**HEAD, "message": {"role": "assistant", **piece}, "done": False} for piece in said]
    lines.append({**HEAD, "message": {"role": "assistant", "content": ""}, **END})

    answer = OLLAMA.fold([Event(orjson.dumps(line)) for line in lines])

    assert answer["message"] == {"role": "assistant", "content": "hello", "tool_calls": [CALL]}
    assert answer["eval_count"] == 3


def test_a_stream_that_was_not_completed_is_no_answer() -> None:
    with pytest.raises(FormError):
        OLLAMA.fold(OLLAMA.unfold(CHAT, {})[:1])


@pytest.mark.parametrize(
    "answer", [{**CHAT, "done_reason": "length"}, {**CHAT, "done": False}, {**HEAD, **END}]
)
def test_what_broke_off_or_says_nothing_is_not_complete(answer: dict[str, Any]) -> None:
    assert not OLLAMA.complete(answer)
