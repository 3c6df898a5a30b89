"""Gemini's answers, whole and streamed, and as the Gemini CLI wraps them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.cache.forms.form import FormError
from tollgate.cache.forms.gemini import CLOUDCODE, GEMINI
from tollgate.calls import Event

HEAD = {"modelVersion": "gemini-3", "responseId": "r1"}


def chunk(*parts: dict[str, Any], reason: str = "", **more: Any) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": list(parts), "role": "model"}, "index": 0, **more}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": {"totalTokenCount": 7}, **HEAD}


CALL = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "s"}
CHUNKS = [
    chunk({"text": "I ", "thought": True}),
    chunk({"text": "think", "thought": True}),
    chunk({"text": "he"}),
    chunk({"text": "llo"}),
    chunk(CALL),
    chunk({"text": ""}, reason="STOP", groundingMetadata={"x": 1}),
]
WHOLE = chunk(
    {"text": "I think", "thought": True}, {"text": "hello"}, CALL, reason="STOP", groundingMetadata={"x": 1}
)


def events(chunks: list[dict[str, Any]]) -> list[Event]:
    return [Event(orjson.dumps(document)) for document in chunks]


def test_chunks_make_one_answer() -> None:
    assert GEMINI.fold(events(CHUNKS)) == WHOLE
    assert GEMINI.complete(WHOLE)


def test_a_whole_answer_is_a_stream_of_one() -> None:
    assert GEMINI.fold(GEMINI.unfold(WHOLE, {})) == WHOLE


def test_signed_texts_stay_apart() -> None:
    signed = {"text": "b", "thoughtSignature": "s"}

    parts = GEMINI.fold(events([chunk({"text": "a"}), chunk(signed), chunk({"text": "c"})]))["candidates"][0]

    assert parts["content"]["parts"] == [{"text": "a"}, signed, {"text": "c"}]


def test_a_stream_without_a_candidate_is_no_answer() -> None:
    with pytest.raises(FormError):
        GEMINI.fold(events([{"promptFeedback": {"blockReason": "SAFETY"}}]))


@pytest.mark.parametrize(
    "answer",
    [
        chunk({"text": "a"}),
        chunk({"text": "a"}, reason="MAX_TOKENS"),
        chunk({"text": "a"}, reason="SAFETY"),
        {**WHOLE, "promptFeedback": {"blockReason": "OTHER"}},
        {"candidates": []},
    ],
)
def test_what_broke_off_or_was_filtered_is_not_complete(answer: dict[str, Any]) -> None:
    assert not GEMINI.complete(answer)


def test_the_cli_s_answers_are_wrapped() -> None:
    wrapped = [{"response": document, "traceId": "t"} for document in CHUNKS]

    whole = CLOUDCODE.fold(events(wrapped))

    assert whole == {"response": WHOLE, "traceId": "t"}
    assert CLOUDCODE.complete(whole)
    assert not CLOUDCODE.complete({"response": CHUNKS[0]})
    assert CLOUDCODE.fold(CLOUDCODE.unfold(whole, {})) == whole
