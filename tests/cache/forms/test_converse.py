"""Bedrock's Converse, whole and streamed."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.forms.converse import CONVERSE
from tollgate.cache.forms.form import FormError, event_of
from tollgate.calls import Event

BLOCKS: list[dict[str, Any]] = [
    {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
    {"reasoningContent": {"redactedContent": "cmVk"}},
    {"text": "hello"},
    {"toolUse": {"toolUseId": "t1", "name": "f", "input": {"a": 1}}},
    {"toolUse": {"toolUseId": "t2", "name": "g", "input": {}}},
]
WHOLE = {
    "output": {"message": {"role": "assistant", "content": BLOCKS}},
    "stopReason": "tool_use",
    "usage": {"inputTokens": 1, "outputTokens": 2, "totalTokens": 3},
    "metrics": {"latencyMs": 12},
}


def test_a_stream_made_of_a_whole_answer_makes_it_again() -> None:
    again = CONVERSE.fold(CONVERSE.unfold(WHOLE, {}))

    assert again == WHOLE
    assert CONVERSE.complete(again)


def test_pieces_are_put_together_and_padding_is_dropped() -> None:
    events = CONVERSE.unfold(WHOLE, {})
    at = next(n for n, event in enumerate(events) if b"hello" in (event.data or b""))
    events[at : at + 1] = [
        event_of({"contentBlockIndex": 2, "delta": {"text": text}, "p": "abc"}, "contentBlockDelta")
        for text in ("he", "llo")
    ]
    events[-1] = event_of({**events[-1].json(), "p": "abc"}, "metadata")

    assert CONVERSE.fold(events) == WHOLE


def delta(piece: dict[str, Any]) -> Event:
    return event_of({"contentBlockIndex": 0, "delta": piece}, "contentBlockDelta")


@pytest.mark.parametrize(
    "events", [CONVERSE.unfold(WHOLE, {})[:-1], [delta({"hologram": {}})]], ids=["cut", "unknown"]
)
def test_a_stream_that_is_not_as_it_should_be_is_no_answer(events: list[Event]) -> None:
    with pytest.raises(FormError):
        CONVERSE.fold(events)


def test_a_block_that_is_not_known_cannot_be_streamed() -> None:
    with pytest.raises(FormError):
        CONVERSE.unfold({"output": {"message": {"content": [{"image": {}}]}}}, {})


@pytest.mark.parametrize("reason", ["max_tokens", "guardrail_intervened", "content_filtered"])
def test_what_broke_off_or_was_filtered_is_not_complete(reason: str) -> None:
    assert not CONVERSE.complete({**WHOLE, "stopReason": reason})
