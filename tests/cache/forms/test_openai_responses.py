"""Responses, whole and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.cache.forms.form import FormError
from tollgate.cache.forms.openai_responses import RESPONSES
from tollgate.calls import Event

TEXT = {
    "type": "output_text",
    "text": "hello",
    "annotations": [{"type": "url_citation", "url": "u"}],
    "logprobs": [],
}
REFUSAL = {"type": "refusal", "refusal": "I cannot"}
ITEMS: list[dict[str, Any]] = [
    {
        "id": "rs_1",
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": "thought"}],
        "encrypted_content": "x",
    },
    {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [TEXT]},
    {
        "id": "fc_1",
        "type": "function_call",
        "status": "completed",
        "call_id": "c",
        "name": "f",
        "arguments": '{"a":1}',
    },
    {
        "id": "ct_1",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "d",
        "name": "g",
        "input": "free",
    },
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search"}},
]


def whole(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "id": "resp_1",
        "object": "response",
        "status": "completed",
        "error": None,
        "output": list(items),
        "usage": {"input_tokens": 1},
        **more,
    }


def test_a_stream_made_of_a_whole_answer_makes_it_again() -> None:
    events = RESPONSES.unfold(whole(*ITEMS), {})

    assert RESPONSES.fold(events) == whole(*ITEMS)
    assert [event.json()["sequence_number"] for event in events] == list(range(len(events)))
    assert {event.name == event.json()["type"] for event in events} == {True}


def test_deltas_say_what_the_items_say() -> None:
    events = RESPONSES.unfold(whole(*ITEMS, {**ITEMS[1], "content": [REFUSAL]}), {})

    deltas = [event.json()["delta"] for event in events if event.name.endswith(".delta")]
    assert deltas == ["thought", "hello", '{"a":1}', "free", "I cannot"]
    begun = next(event.json()["item"] for event in events if event.name == "response.output_item.added")
    assert begun["summary"] == []


def test_a_last_event_that_repeats_nothing_is_filled_from_the_items() -> None:
    """As ChatGPT's own backend has it."""
    done: list[dict[str, Any]] = [
        {"type": "response.output_item.done", "output_index": n, "item": item} for n, item in enumerate(ITEMS)
    ]
    last = {"type": "response.completed", "response": whole()}
    events = [Event(orjson.dumps(document), str(document["type"])) for document in (*reversed(done), last)]

    assert RESPONSES.fold(events) == whole(*ITEMS)


def test_a_stream_that_was_not_completed_is_no_answer() -> None:
    with pytest.raises(FormError):
        RESPONSES.fold(RESPONSES.unfold(whole(*ITEMS), {})[:-1])


@pytest.mark.parametrize(
    ("answer", "complete"),
    [
        (whole(*ITEMS), True),
        (whole(), False),
        (whole(*ITEMS, status="incomplete"), False),
        (whole(*ITEMS, error={"code": "x"}), False),
        (whole({**ITEMS[1], "content": [REFUSAL]}), False),
    ],
)
def test_what_broke_off_or_was_refused_is_not_complete(answer: dict[str, Any], complete: bool) -> None:
    assert RESPONSES.complete(answer) == complete
