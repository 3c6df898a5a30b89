"""Chat and the older Completions, whole and streamed."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.cache.forms.form import FormError
from tollgate.cache.forms.openai_chat import CHAT, COMPLETIONS
from tollgate.calls import Event, Usage

HEAD = {"id": "chatcmpl-1", "created": 1, "model": "gpt-6", "system_fingerprint": "fp"}
USAGE = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
COUNTED = {"stream_options": {"include_usage": True}}
CALLS = [
    {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
    {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": "{}"}},
]


def whole(*messages: dict[str, Any], reason: str = "stop") -> dict[str, Any]:
    choices = [
        {"index": n, "message": {"role": "assistant", **m}, "finish_reason": reason}
        for n, m in enumerate(messages)
    ]
    return {**HEAD, "object": "chat.completion", "choices": choices, "usage": USAGE}


def chunk(delta: dict[str, Any], reason: str | None = None, index: int = 0, **more: Any) -> Event:
    choice = {"index": index, "delta": delta, "finish_reason": reason, **more}
    return Event(orjson.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}))


ANSWERS = [
    whole({"content": "hello"}),
    whole({"content": None, "tool_calls": CALLS}, reason="tool_calls"),
    whole({"content": "a", "reasoning_content": "thinking"}),
    whole({"content": "a"}, {"content": "b"}),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=["text", "tools", "thinking", "choices"])
def test_a_stream_made_of_a_whole_answer_makes_it_again(answer: dict[str, Any]) -> None:
    again = CHAT.fold(CHAT.unfold(answer, COUNTED))

    for choice in (*again["choices"], *answer["choices"]):
        choice["message"]["content"] = choice["message"]["content"] or None
        choice.pop("logprobs", None)
    assert again == answer
    assert CHAT.complete(again)


def test_a_provider_s_stream_is_put_together() -> None:
    calls = [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 0, "function": {"arguments": '{"a"'}},
        {"index": 0, "function": {"arguments": ":1}"}},
    ]
    events = [
        chunk({"role": "assistant", "content": ""}, obfuscation="xx"),
        chunk({"content": "he"}, logprobs={"content": [{"token": "he"}]}),
        chunk({"content": "llo", "role": "assistant"}, logprobs={"content": [{"token": "llo"}]}),
        *(chunk({"tool_calls": [call]}) for call in calls),
        chunk({}, "tool_calls"),
        Event(orjson.dumps({**HEAD, "choices": [], "usage": USAGE})),
        Event(b"[DONE]"),
    ]

    answer = CHAT.fold(events)

    [choice] = answer["choices"]
    assert choice["message"] == {"role": "assistant", "content": "hello", "tool_calls": CALLS[:1]}
    assert choice["logprobs"] == {"content": [{"token": "he"}, {"token": "llo"}]}
    assert (answer["usage"], answer["object"]) == (USAGE, "chat.completion")


def test_azures_stream_is_put_together() -> None:
    """Its first chunk names nothing yet, and the filters are said anew in each."""
    safe = {"hate": {"filtered": False, "severity": "safe"}}
    nothing = {"id": "", "created": 0, "model": "", "object": "", "choices": []}
    events = [
        Event(orjson.dumps({**nothing, "prompt_filter_results": [{"prompt_index": 0}]})),
        chunk({"content": "he"}, content_filter_results=safe),
        chunk({"content": "llo"}, content_filter_results=safe),
        chunk({}, "stop", content_filter_results={}),
    ]

    answer = CHAT.fold(events)

    assert {name: answer[name] for name in HEAD} == HEAD
    [choice] = answer["choices"]
    assert choice["content_filter_results"] == safe
    assert choice["message"]["content"] == "hello"


def test_mistrals_thoughts_stay() -> None:
    def thinks(text: str) -> Event:
        said = {"type": "thinking", "thinking": [{"type": "text", "text": text}]}
        return chunk({"content": [said]})

    events = [chunk({"role": "assistant", "content": ""}), thinks("hm"), thinks(", yes")]
    events += [chunk({"content": "It"}), chunk({"content": " is"}), chunk({}, "stop")]

    assert CHAT.fold(events)["choices"][0]["message"]["content"] == [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm, yes"}]},
        {"type": "text", "text": "It is"},
    ]


def test_what_openrouter_repeats_is_said_once() -> None:
    def thinks(text: str) -> Event:
        said = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, "text": text}
        return chunk({"reasoning_details": [said]})

    answer = CHAT.fold([thinks("hm"), thinks(", yes"), chunk({}, "stop"), chunk({}, "stop")])

    [choice] = answer["choices"]
    assert choice["message"]["reasoning_details"] == [
        {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, "text": "hm, yes"}
    ]
    assert CHAT.complete(answer)


def test_the_usage_is_told_to_those_who_asked() -> None:
    plain, counted = CHAT.unfold(ANSWERS[0], {}), CHAT.unfold(ANSWERS[0], COUNTED)

    assert all(b"usage" not in (event.data or b"") for event in plain)
    assert counted[-2].json()["usage"] == USAGE
    assert counted[0].json()["usage"] is None
    assert plain[-1].data == counted[-1].data == b"[DONE]"


def test_one_that_is_not_known_cannot_be_told() -> None:
    answer = {name: value for name, value in ANSWERS[0].items() if name != "usage"}

    with pytest.raises(FormError):
        CHAT.unfold(answer, COUNTED)
    assert "usage" not in CHAT.fold(CHAT.unfold(answer, {}))


@pytest.mark.parametrize(
    "answer",
    [
        whole({"content": "a"}, reason="length"),
        whole({"content": "a"}, reason="content_filter"),
        whole({"content": None, "refusal": "I cannot"}),
        whole(),
        {"error": {}},
        {**whole({"content": "a"}), "error": {"message": "broken"}},
        {**HEAD, "choices": [{**whole({"content": "a"})["choices"][0], "error": {"code": 502}}]},
        whole({"content": None, "audio": {"id": "audio_1"}}),
    ],
)
def test_what_broke_off_or_was_refused_is_not_complete(answer: dict[str, Any]) -> None:
    assert not CHAT.complete(answer)


def test_a_stream_without_choices_is_no_answer() -> None:
    with pytest.raises(FormError):
        CHAT.fold([Event(b"[DONE]")])


def test_options_are_what_shapes_a_stream() -> None:
    assert CHAT.options(COUNTED) == "usage"
    assert CHAT.options({}) == CHAT.options({"stream_options": None}) == ""


def test_completions_are_text() -> None:
    answer = {
        **HEAD,
        "object": "text_completion",
        "choices": [{"text": "hello", "index": 0, "finish_reason": "stop"}],
        "usage": USAGE,
    }

    assert COMPLETIONS.fold(COMPLETIONS.unfold(answer, COUNTED)) == answer
    assert COMPLETIONS.complete(answer)


def test_what_was_used_is_written_as_openai_does() -> None:
    assert CHAT.usage is not None

    told = CHAT.usage(Usage(input=5, cache_read=3, output=2, reasoning=4))

    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (8, 6, 14)
    assert told["prompt_tokens_details"] == {"cached_tokens": 3}
