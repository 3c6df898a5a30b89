from __future__ import annotations

from base64 import b64encode

import orjson
import pytest

from support.recorded import events_of
from tollgate.calls import End, Event
from tollgate.cost.seen import MOST, Seen

STREAMS = [
    *("anthropic", "openai-chat", "openai-responses", "groq", "gemini", "gemini-cloudcode"),
    *("gemini-interactions", "bedrock-converse", "bedrock-invoke", "cohere", "ollama", "openai-transcribe"),
]


@pytest.mark.parametrize("name", STREAMS)
def test_the_text_of_every_dialect_is_seen_once(name: str) -> None:
    seen = Seen()
    for event in events_of(name):
        seen.add(event)

    assert seen.text == "It rains."


def see(*events: Event) -> str:
    seen = Seen()
    for event in events:
        seen.add(event)
    return seen.text


def test_tool_calls_and_thoughts_are_output_too() -> None:
    chunk = {
        "choices": [
            {"delta": {"reasoning_content": "hm ", "tool_calls": [{"function": {"arguments": "{a}"}}]}}
        ]
    }

    assert see(Event(orjson.dumps(chunk))) == "hm {a}"


def test_an_escaped_character_is_one_character() -> None:
    assert see(Event(orjson.dumps({"content": 'a"b\nc'}))) == "a~b~c"
    assert see(Event(b'{"content":"\\u00e9t\\u00e9"}')) == "~t~"
    assert see(Event("été".join(('{"content":"', '"}')).encode())) == "été"


def test_what_is_no_piece_of_text_is_not_seen() -> None:
    assert see(Event(None), End(), Event(b"[DONE]"), Event(b'{"text":"all"}', "response.completed")) == ""


@pytest.mark.parametrize("data", [b"{}", b'{"bytes":"a"}'])
def test_a_broken_chunk_says_nothing(data: bytes) -> None:
    assert see(Event(data, "chunk")) == ""


def test_a_chunk_is_unwrapped() -> None:
    inner = b64encode(b'{"delta":{"text":"hi"}}')

    assert see(Event(b'{"bytes":"%b"}' % inner, "chunk")) == "hi"


def test_no_more_is_kept_than_a_model_can_write() -> None:
    big = Event(b'{"text":"%b"}' % (b"a" * (MOST + 1)))

    assert len(see(big, big)) == MOST + 1
