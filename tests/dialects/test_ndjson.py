from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import End, Event
from tollgate.dialects.framing import FramingError
from tollgate.dialects.ndjson import NdjsonDecoder, NdjsonEncoder

type Seen = list[tuple[bytes | None, bytes | None]]


def decode(*chunks: bytes) -> Seen:
    decoder = NdjsonDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
    return [(event.data, event.raw) for event in events]


@pytest.mark.parametrize(
    ("stream", "seen"),
    [
        (b"", []),
        (b"{}\n", [(b"{}", b"{}\n")]),
        (b"1\n2\n", [(b"1", b"1\n"), (b"2", b"2\n")]),
        (b"1\r\n2\r\n", [(b"1", b"1\r\n"), (b"2", b"2\r\n")]),
        (b"1\n2", [(b"1", b"1\n"), (b"2", b"2")]),
        (b"1\n\n2\n", [(b"1", b"1\n"), (None, b"\n"), (b"2", b"2\n")]),
        (b"1\n  ", [(b"1", b"1\n"), (None, b"  ")]),
        (b'"\xe2\x82"\n', [(b'"\xe2\x82"', b'"\xe2\x82"\n')]),
    ],
)
def test_each_line_is_an_event(stream: bytes, seen: Seen) -> None:
    assert decode(stream) == seen
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == seen


@given(st.lists(st.sampled_from([b"\n", b"\r\n", b" ", b'{"a": 1}', b'{"b'])))
def test_any_chunking_gives_the_same_events_and_loses_no_byte(chunks: list[bytes]) -> None:
    stream = b"".join(chunks)
    assert decode(*chunks) == decode(stream)
    assert b"".join(raw or b"" for _, raw in decode(stream)) == stream


def test_a_line_over_the_limit_is_not_held_for_ever() -> None:
    decoder = NdjsonDecoder(limit=4)
    assert [event.data for event in decoder.feed(b"1\n12345")] == [b"1"]
    with pytest.raises(FramingError, match="larger than 4 bytes"):
        decoder.feed(b"6")
    with pytest.raises(FramingError, match="larger than 4 bytes"):
        decoder.close()


@pytest.mark.parametrize(
    ("event", "written"),
    [
        (Event(b"{}", raw=b" {}\r\n"), b" {}\r\n"),
        (Event(b"{}"), b"{}\n"),
        (Event(b'{\n"a": 1}'), b'{ "a": 1}\n'),
        (Event(None), b""),
        (End(), b""),
    ],
)
def test_an_event_is_written_as_a_line(event: Event, written: bytes) -> None:
    assert NdjsonEncoder().encode(event) == written


def test_what_follows_an_unfinished_line_starts_a_new_one() -> None:
    encoder = NdjsonEncoder()
    encoder.encode(Event(b"1", raw=b"1"))
    assert encoder.encode(Event(b"2")) == b"\n2\n"
    assert encoder.encode(Event(b"3")) == b"3\n"
