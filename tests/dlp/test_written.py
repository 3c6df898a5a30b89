"""Which strings and numbers of an answer the model wrote."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.calls.contents import find_slots
from tollgate.dlp.places import GENERIC, PLACES
from tollgate.dlp.written import key_at, long_numbers, written


def texts(document: Any, dialect: str = "generic", kind: str = "") -> list[str]:
    places = PLACES.get(dialect, GENERIC)
    return [slot.text for slot in find_slots(document, None) if written(places, slot, kind)]


def test_ids_types_and_echoes_of_the_request_are_nobodys_words() -> None:
    answer = {
        "id": "resp_sk",
        "object": "response",
        "model": "m",
        "instructions": "be nice",
        "tools": [{"name": "write", "description": "writes"}],
        "output": [{"type": "message", "id": "msg_1", "role": "assistant", "content": [{"text": "said"}]}],
        "previous_response_id": "x",
        "unheard_of": "also said",
    }

    assert texts(answer, "openai-responses") == ["said", "also said"]


def test_in_a_tools_input_all_counts_keys_too() -> None:
    block = {"type": "tool_use", "id": "toolu_1", "name": "write", "input": {"id": "a", "type": ["b"]}}

    assert texts({"content": [block]}, "anthropic-messages") == ["id", "a", "type", "b"]


def test_signed_thoughts_are_read_and_signatures_are_not() -> None:
    blocks = [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "ZGF0YQ"},
    ]

    assert texts({"content": blocks}, "anthropic-messages") == ["hm"]


@pytest.mark.parametrize(
    ("text", "read"),
    [("A" * 5000, False), ("A " * 5000, True), ("A\n" * 5000, True), ("密" * 5000, True), ("A" * 50, True)],
)
def test_pictures_and_sound_are_no_text(text: str, read: bool) -> None:
    assert texts({"result": text}) == ([text] if read else [])
    assert texts({"delta": text}, "openai-responses", "response.audio.delta") == []
    assert texts({"partial_image_b64": text, "url": text, "file_url": text, "embedding": text}) == []


def test_log_probabilities_say_the_text_again() -> None:
    choice = {"delta": {"content": "so"}, "logprobs": {"content": [{"token": "so"}]}}

    assert texts({"choices": [choice]}, "openai-chat") == ["so"]


def test_long_whole_numbers_may_identify_somebody() -> None:
    tree = {"a": [1, 4111111111111111, {"b": -536228941}], "c": 1e12, "d": True, "e": 12345}
    data = orjson.dumps(tree)

    assert [(node[step], path) for node, step, path in long_numbers(data, tree)] == [
        (4111111111111111, ("a", 1)),
        (-536228941, ("a", 2, "b")),
    ]
    assert not list(long_numbers(b'{"a": 12345}', {"a": 12345}))


def test_a_string_stands_under_the_nearest_key() -> None:
    assert key_at(("a", 0, "b", 1)) == "b"
    assert key_at((0,)) == ""
