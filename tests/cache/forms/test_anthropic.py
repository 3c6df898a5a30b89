"""Anthropic's Messages, whole and streamed, and Claude's within Bedrock's chunks."""

from __future__ import annotations

from base64 import b64decode, b64encode
from typing import Any

import orjson
import pytest

from tollgate.cache.forms.anthropic import INVOKE, MESSAGES
from tollgate.cache.forms.form import Form, FormError
from tollgate.calls import Event

USAGE = {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 2}
BLOCKS: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "EqQB=="},
    {"type": "redacted_thinking", "data": "xyz"},
    {"type": "text", "text": "hello", "citations": [{"type": "char_location", "cited_text": "x"}]},
    {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, "ü"]}},
    {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}},
]
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": BLOCKS,
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": USAGE,
}
FORMS = pytest.mark.parametrize("form", [MESSAGES, INVOKE], ids=["messages", "invoke"])


@FORMS
def test_a_stream_made_of_a_whole_answer_makes_it_again(form: Form) -> None:
    again = form.fold(form.unfold(WHOLE, {}))

    assert again == WHOLE
    assert form.complete(again)


def test_a_stream_begins_empty_and_ends_with_what_was_used() -> None:
    first, *_, delta, last = [event.json() for event in MESSAGES.unfold(WHOLE, {})]

    assert (first["message"]["content"], first["message"]["stop_reason"]) == ([], None)
    assert delta["usage"] == USAGE
    assert last == {"type": "message_stop"}


def test_claude_s_chunks_end_with_bedrocks_own_counts() -> None:
    events = INVOKE.unfold(WHOLE, {})

    last = orjson.loads(b64decode(events[-1].json()["bytes"]))
    assert events[-1].name == "chunk"
    assert last["amazon-bedrock-invocationMetrics"] == {"inputTokenCount": 3, "outputTokenCount": 5}


def test_what_message_delta_says_besides_is_kept() -> None:
    events = MESSAGES.unfold(WHOLE, {})
    more = {**events[-2].json(), "context_management": {"applied_edits": []}}
    events[-2] = Event(orjson.dumps(more))

    assert MESSAGES.fold(events)["context_management"] == {"applied_edits": []}


def broken(*events: dict[str, Any]) -> list[Event]:
    return [Event(orjson.dumps(event)) for event in events]


@pytest.mark.parametrize(
    "events",
    [
        MESSAGES.unfold(WHOLE, {})[:-1],
        broken({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "x"}}),
        broken(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text"}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "hologram_delta"}},
        ),
        broken(
            {"type": "content_block_start", "index": 0, "content_block": {"type": "tool_use"}},
            {
                "type": "content_block_delta",
                "index": 0,
                "delta": {"type": "input_json_delta", "partial_json": "{"},
            },
            {"type": "message_stop"},
        ),
    ],
    ids=["cut", "unopened", "unknown", "no-json"],
)
def test_a_stream_that_is_not_as_it_should_be_is_no_answer(events: list[Event]) -> None:
    with pytest.raises(FormError):
        MESSAGES.fold(events)


def test_chunks_of_another_model_are_no_answer() -> None:
    with pytest.raises(FormError):
        INVOKE.fold([Event(b'{"bytes": "!"}', "chunk")])
    with pytest.raises(FormError):
        INVOKE.fold([Event(orjson.dumps({"bytes": b64encode(b'{"generation": "x"}').decode()}), "chunk")])
    with pytest.raises(FormError):
        INVOKE.unfold({"generation": "x"}, {})


@pytest.mark.parametrize("reason", ["max_tokens", "refusal", "pause_turn", None, "new_reason"])
def test_what_broke_off_or_was_refused_is_not_complete(reason: str | None) -> None:
    assert not MESSAGES.complete({**WHOLE, "stop_reason": reason})
