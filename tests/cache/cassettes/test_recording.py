"""Files of recordings: people read them, and what is read is what was written."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.cache.cassettes.recording import Recording, RecordingError, from_bytes, to_bytes
from tollgate.cache.entry import Piece

REQUEST = {"provider": "openai", "operation": "chat", "body": {"messages": [{"content": "hello"}]}}
WHOLE = Recording(
    request=REQUEST,
    number=2,
    recorded="2026-11-22T10:00:00Z",
    headers={"content-type": "application/json"},
    model="gpt-6",
    usage={"input": 3},
    body=b'{"text":"hi"}',
)
STREAM = replace(
    WHOLE,
    body=b"",
    framing="sse",
    pieces=(Piece(0, "start", b'{"a":[1,2]}'), Piece(7, "", b"[DONE]"), Piece(9, "", b"\xff\x00")),
)


@pytest.mark.parametrize("recording", [WHOLE, STREAM, replace(WHOLE, status=429, body=b"")])
def test_what_is_read_is_what_was_written(recording: Recording) -> None:
    assert from_bytes(to_bytes(recording)) == recording


@given(data=st.binary() | st.text().map(str.encode))
def test_any_bytes_come_back(data: bytes) -> None:
    assert from_bytes(to_bytes(replace(WHOLE, body=data))).body in (data, json_again(data))


def json_again(data: bytes) -> bytes:
    """JSON may be written anew."""
    try:
        return json.dumps(json.loads(data), separators=(",", ":"), ensure_ascii=False).encode()
    except ValueError:
        return data


def test_an_event_is_a_line_of_json() -> None:
    lines = [line.strip().rstrip(",") for line in to_bytes(STREAM).decode().splitlines()]

    assert '{"after":0,"name":"start","json":{"a":[1,2]}}' in lines
    assert '{"after":7,"text":"[DONE]"}' in lines


def test_a_body_is_json_that_people_can_read() -> None:
    assert '"text": "hi"' in to_bytes(WHOLE).decode()


@pytest.mark.parametrize("number", ["123456789012345678901", "0.1234567890123456789"])
def test_numbers_that_would_lose_digits_stay_as_they_are(number: str) -> None:
    body = f'{{"n":{number}}}'.encode()

    assert from_bytes(to_bytes(replace(WHOLE, body=body))).body == body


def broken(**changes: Any) -> bytes:
    told = json.loads(to_bytes(STREAM))
    for path, value in changes.items():
        *above, name = path.split("__")
        place = told
        for step in above:
            place = place[step]
        place[name] = value
    return json.dumps(told).encode()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"{", "the file: Invalid JSON"),
        (broken(version=2), "version: Input should be 1"),
        (broken(surprise=1), "surprise: Extra inputs"),
        (broken(answer__status=7), "answer.status"),
        (broken(answer__framing="smoke"), "'smoke' is none of sse"),
        (broken(answer__events=[{"after": 0, "base64": "x"}]), "answer.events.0: "),
        (broken(answer__events=[{"after": 0, "base64": "###"}]), "answer.events.0: "),
        (
            broken(answer__events=[{"after": 0}]),
            "answer.events.0: here has to be one of json, text and base64",
        ),
        (
            broken(answer__events=[{"after": 0, "text": "a", "json": 1}]),
            "answer.events.0: here has to be one",
        ),
        (broken(answer__events=[{"after": 0, "json": 2**64}]), "64-bit range; write it as text"),
        (broken(answer__body={"text": ""}), "answer: a stream, which has a framing, has events and no body"),
        (broken(answer__framing=""), "answer: an answer without a framing is whole: it has a body"),
        (broken(answer__usage={"tokens": 1}), "answer.usage: 'tokens' is none of cache_read"),
        (broken(answer__usage={"input": "many"}), "answer.usage.input: "),
        (broken(answer__headers={"x-a": "1\r\nx-b: 2"}), "answer.headers: 'x-a' has a name or a value"),
        (broken(answer__headers={"x a": "1"}), "answer.headers: 'x a' has a name or a value"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(data: bytes, said: str) -> None:
    with pytest.raises(RecordingError) as told:
        from_bytes(data)

    assert said in str(told.value)
