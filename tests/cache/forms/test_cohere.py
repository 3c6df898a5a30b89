"""Cohere's chat, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.forms.cohere import CHAT
from tollgate.cache.forms.form import FormError

MESSAGE: dict[str, Any] = {
    "role": "assistant",
    "tool_plan": "I will call.",
    "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "hello"}],
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}],
    "citations": [{"start": 0, "end": 2, "text": "he"}],
}
WHOLE = {"id": "c1", "message": MESSAGE, "finish_reason": "TOOL_CALL", "usage": {"tokens": {}}}


def test_a_stream_made_of_a_whole_answer_makes_it_again() -> None:
    events = CHAT.unfold(WHOLE, {})

    assert CHAT.fold(events) == WHOLE
    assert CHAT.complete(WHOLE)
    assert events[-1].data == b"[DONE]"


def test_what_stays_empty_is_left_out() -> None:
    plain = {**WHOLE, "message": {"role": "assistant", "content": MESSAGE["content"]}}

    assert CHAT.fold(CHAT.unfold(plain, {})) == plain


def test_a_stream_that_was_not_completed_is_no_answer() -> None:
    with pytest.raises(FormError):
        CHAT.fold(CHAT.unfold(WHOLE, {})[:-2])


@pytest.mark.parametrize("reason", ["MAX_TOKENS", "ERROR", "ERROR_TOXIC"])
def test_what_broke_off_is_not_complete(reason: str) -> None:
    assert not CHAT.complete({**WHOLE, "finish_reason": reason})
