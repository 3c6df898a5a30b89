from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import End, Event
from tollgate.dialects.eventstream import Message, write_message
from tollgate.dialects.framings import FRAMINGS, framing_of

MESSAGE = write_message(Message({":message-type": "event", ":event-type": "chunk"}, b'{"a": 1}'))

STREAMS = {
    "sse": b': hello\n\nevent: a\ndata: {"a": 1}\n\nid: 3\r\ndata: {"b": 2}\r\n\r\ndata: [DONE]\n',
    "ndjson": b'{"a": 1}\n\n{"b": 2}\r\n{"c": 3}',
    "eventstream": MESSAGE * 3,
    "json-array": b'[{"a": "]"}\n,\r\n{"b": {"c": []}}\n]\n',
    "raw": b"ID3\x04\x00\xff\xfb",
}


def decode(name: str, chunks: list[bytes]) -> list[Event]:
    decoder = FRAMINGS[name].decoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()


def test_each_framing_stands_under_its_own_name() -> None:
    assert {name: framing.name for name, framing in FRAMINGS.items()} == {name: name for name in STREAMS}


@pytest.mark.parametrize("name", STREAMS)
@given(sizes=st.lists(st.integers(1, 30)))
def test_an_untouched_stream_goes_out_as_it_came_however_it_was_cut(name: str, sizes: list[int]) -> None:
    stream, chunks = STREAMS[name], []
    for size in sizes:
        chunks.append(stream[:size])
        stream = stream[size:]
    encoder = FRAMINGS[name].encoder()
    events = decode(name, [*chunks, stream])
    assert b"".join(map(encoder.encode, [*events, End()])) == STREAMS[name]


@pytest.mark.parametrize("name", STREAMS)
def test_events_written_anew_are_read_as_the_same_events(name: str) -> None:
    events = [event for event in decode(name, [STREAMS[name]]) if event.data is not None]
    encoder = FRAMINGS[name].encoder()
    written = [encoder.encode(event) for event in (*(Event(e.data, e.name) for e in events), End())]
    again = [event for event in decode(name, written) if event.data is not None]
    assert [(e.name, e.data) for e in again] == [(e.name, e.data) for e in events]


@pytest.mark.parametrize("name", STREAMS)
def test_an_empty_stream_has_no_events(name: str) -> None:
    assert decode(name, []) == decode(name, [b""]) == []


@pytest.mark.parametrize(
    ("content_type", "first", "expected", "framing"),
    [
        # The type says it, and the bytes do not object.
        ("text/event-stream", b"data: {}", "sse", "sse"),
        ("text/event-stream; charset=utf-8", b"", "sse", "sse"),
        ("Text/Event-Stream", b"nonsense", "", "sse"),
        ("application/x-ndjson", b'{"a": 1}\n', "ndjson", "ndjson"),
        ("application/stream+json", b'{"a": 1}\n', "sse", "ndjson"),
        ("application/jsonl", b'{"a": 1}\n', "", "ndjson"),
        ("application/vnd.amazon.eventstream", MESSAGE, "eventstream", "eventstream"),
        ("application/vnd.amazon.eventstream", b"\x00\x00", "eventstream", "eventstream"),
        ("application/json", b'{"a": 1}', "", ""),
        ("application/json", b"[1, 2]", "", ""),
        ("application/json", b"", "", ""),
        ("application/json; charset=UTF-8", b"\n\n[{", "json-array", "json-array"),
        ("application/problem+json", b'{"title": "no"}', "sse", ""),
        ("application/x-amz-json-1.1", b'{"message": "no"}', "eventstream", ""),
        # Files and media.
        ("audio/mpeg", b"ID3\x04", "", "raw"),
        ("audio/mpeg", b"data: not an event", "", "raw"),
        ("application/octet-stream", b'{"a": 1}\n{"a": 2}\n', "", "raw"),
        ("application/zip", b"PK\x03\x04", "sse", "raw"),
        ("text/html", b"<html>", "sse", "raw"),
        # The type lies.
        ("application/json", b"data: {}", "sse", "sse"),
        ("application/json", b"event: ping\n", "sse", "sse"),
        ("application/json", b": keep-alive\n", "", "sse"),
        ("text/plain", b"\xef\xbb\xbf\nid: 1\n", "sse", "sse"),
        ("application/octet-stream", b"retry: 10\n", "sse", "sse"),
        ("application/json", MESSAGE[:12], "eventstream", "eventstream"),
        ("application/octet-stream", b'{"a": 1}\n', "ndjson", "ndjson"),
        ("text/event-stream", b'{"a": 1}\n', "ndjson", "ndjson"),
        # An error sent whole in answer to a call for a stream.
        ("text/event-stream", b' {"error": {}}', "sse", ""),
        ("application/json", b'{"error": {}}', "sse", ""),
        ("application/json", b'{"error": "no such model"}', "ndjson", ""),
        ("application/json", b'{"error": {}}', "json-array", ""),
        ("application/vnd.amazon.eventstream", b'{"message": "no"}', "eventstream", ""),
        # There is no type, or one that says nothing.
        ("", b"data: {}", "sse", "sse"),
        ("", MESSAGE, "", "eventstream"),
        ("", b'{"a": 1}\n', "ndjson", "ndjson"),
        ("", b"[{", "json-array", "json-array"),
        ("", b"[{", "sse", ""),
        ("text/plain", b'{"a": 1}', "", ""),
        ("text/plain", b"hello", "", "raw"),
        ("", b"hello", "sse", "raw"),
        ("", b"", "sse", ""),
    ],
)
def test_an_answer_is_recognised(content_type: str, first: bytes, expected: str, framing: str) -> None:
    assert framing_of(content_type, first, expected) == framing
