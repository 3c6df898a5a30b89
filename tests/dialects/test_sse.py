from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import End, Event
from tollgate.dialects.framing import FramingError
from tollgate.dialects.sse import SseDecoder, SseEncoder, read_event, write_event

type Seen = list[tuple[str, bytes | None, bytes | None]]


def decode(*chunks: bytes) -> Seen:
    decoder = SseDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
    return [(event.name, event.data, event.raw) for event in events]


def one_by_one(stream: bytes) -> Seen:
    return decode(*(stream[i : i + 1] for i in range(len(stream))))


@pytest.mark.parametrize(
    ("block", "name", "data"),
    [
        (b"data: x\n\n", "", b"x"),
        (b"data:x\n\n", "", b"x"),
        (b"data:  x\n\n", "", b" x"),
        (b"data: a: b\n\n", "", b"a: b"),
        (b"event: ping\ndata: {}\n\n", "ping", b"{}"),
        (b"data: {}\nevent: ping\n\n", "ping", b"{}"),
        (b"event: a\nevent: b\ndata: x\n\n", "b", b"x"),
        (b"data: a\ndata: b\n\n", "", b"a\nb"),
        (b"data: a\ndata:\ndata: b\n\n", "", b"a\n\nb"),
        (b"data:\n\n", "", b""),
        (b"data\n\n", "", b""),
        (b"id: 7\nretry: 10\nevent: e\ndata: x\n\n", "e", b"x"),
        (b": a comment\ndata: x\n\n", "", b"x"),
        (b": a comment\n\n", "", None),
        (b"event: ping\n\n", "ping", None),
        (b"nonsense: x\n\n", "", None),
        (b"Data: x\n\n", "", None),
        (b"\n\n", "", None),
        (b"\ndata: x\n\n", "", b"x"),
        (b"data: x\r\n\r\n", "", b"x"),
        (b"event: e\r\ndata: x\r\n\r\n", "e", b"x"),
        (b"data: x\r\r", "", b"x"),
        (b"event: e\rdata: x\r\r", "e", b"x"),
        (b"data: x\n\r\n", "", b"x"),
        (b"data: x\r\n\n", "", b"x"),
        (b"data: \xff\xe2\x82\n\n", "", b"\xff\xe2\x82"),
        (b"event: \xff\ndata: x\n\n", "\ufffd", b"x"),
        (b"\xef\xbb\xbfdata: x\n\n", "", b"x"),
    ],
)
def test_a_block_of_lines_is_one_event(block: bytes, name: str, data: bytes | None) -> None:
    seen = [(name, data, block), ("", b"next", b"data: next\n\n")]
    assert decode(block + b"data: next\n\n") == seen
    assert one_by_one(block + b"data: next\n\n") == seen


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r", b"\r\n", b"\n\r"])
def test_the_last_event_needs_no_empty_line(ending: bytes) -> None:
    assert decode(b"data: a\n\n", b"data: b" + ending) == [
        ("", b"a", b"data: a\n\n"),
        ("", b"b", b"data: b" + ending),
    ]


def test_a_line_feed_after_two_carriage_returns_belongs_to_the_next_event() -> None:
    stream = b"data: a\r\r\ndata: b\r\r"
    assert (
        decode(stream)
        == one_by_one(stream)
        == [
            ("", b"a", b"data: a\r\r"),
            ("", b"b", b"\ndata: b\r\r"),
        ]
    )


@pytest.mark.parametrize("ending", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_an_event_does_not_wait_for_the_one_after_it(ending: bytes) -> None:
    assert [event.data for event in SseDecoder().feed(b"data: x" + ending)] == [b"x"]


LINES = [b"\n", b"\r", b"\r\n", b"data", b"data: ", b"event: ", b":", b" ", b"x", b"\xe2\x82", b"id: 1"]


@given(st.lists(st.sampled_from(LINES).map(bytes) | st.binary(max_size=4)))
def test_any_chunking_gives_the_same_events_and_loses_no_byte(chunks: list[bytes]) -> None:
    stream = b"".join(chunks)
    whole = decode(stream)
    assert decode(*chunks) == one_by_one(stream) == whole
    assert b"".join(raw or b"" for _, _, raw in whole) == stream


def test_an_event_over_the_limit_is_not_held_for_ever() -> None:
    decoder = SseDecoder(limit=20)
    assert [event.data for event in decoder.feed(b"data: a\n\ndata: " + b"b" * 20)] == [b"a"]
    with pytest.raises(FramingError, match="larger than 20 bytes"):
        decoder.feed(b"b")
    with pytest.raises(FramingError, match="larger than 20 bytes"):
        decoder.close()


def test_an_event_with_raw_goes_out_as_that() -> None:
    raw = b"id: 7\r\nevent: e\r\ndata:x\r\n\r\n"
    assert SseEncoder().encode(Event(b"x", "e", raw)) == raw


@pytest.mark.parametrize("event", [End(), End("cut"), Event(None)])
def test_an_event_without_data_has_no_bytes(event: Event) -> None:
    assert SseEncoder().encode(event) == b""


def test_what_follows_an_unfinished_event_is_set_off_from_it() -> None:
    encoder = SseEncoder()
    encoder.encode(Event(b"a", raw=b"data: a"))
    assert encoder.encode(Event(b"b")) == b"\n\ndata: b\n\n"
    assert encoder.encode(Event(b"c")) == b"data: c\n\n"


@pytest.mark.parametrize(
    ("name", "data", "written"),
    [
        ("", b"x", b"data: x\n\n"),
        ("", b"", b"data: \n\n"),
        ("e", b"x", b"event: e\ndata: x\n\n"),
        ("", b"a\nb", b"data: a\ndata: b\n\n"),
        ("", b"a\n", b"data: a\ndata: \n\n"),
        ("", b"a\r\nb\rc", b"data: a\ndata: b\ndata: c\n\n"),
    ],
)
def test_an_event_without_raw_is_written(name: str, data: bytes, written: bytes) -> None:
    assert SseEncoder().encode(Event(data, name)) == written


@given(name=st.sampled_from(["", "ping", "größer"]), data=st.binary().filter(lambda data: b"\r" not in data))
def test_what_is_written_is_read_as_the_same_event(name: str, data: bytes) -> None:
    event = read_event(write_event(name, data))
    assert (event.name, event.data) == (name, data)
