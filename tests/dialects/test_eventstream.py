from __future__ import annotations

import struct
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import End, Event
from tollgate.dialects.eventstream import (
    EventStreamDecoder,
    EventStreamEncoder,
    Message,
    message_size,
    read_event,
    read_message,
    starts_message,
    write_message,
)
from tollgate.dialects.framing import FramingError

# A message put together by hand, with the CRCs that gzip reckons.
KNOWN = bytes.fromhex(
    "0000002e 00000013 9f6d0fd2 0b3a6576656e742d7479706507000470696e67 7b2270223a22616263227d 621f319f"
)

WHOLE = Message(
    {":event-type": "chunk", ":content-type": "application/json", ":message-type": "event"}, b"{}"
)


def message(headers: bytes, payload: bytes = b"", *, stated: int | None = None) -> bytes:
    """A message with right CRCs around headers that need not be right."""
    lengths = struct.pack(">II", len(headers) + len(payload) + 16, len(headers) if stated is None else stated)
    body = lengths + struct.pack(">I", crc32(lengths)) + headers + payload
    return body + struct.pack(">I", crc32(body))


def header(name: bytes, kind: int, value: bytes) -> bytes:
    return bytes([len(name)]) + name + bytes([kind]) + value


def flip(data: bytes, at: int) -> bytes:
    """The bytes with one bit the other way."""
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_a_known_message_is_read_and_written_to_the_byte() -> None:
    known = Message({":event-type": "ping"}, b'{"p":"abc"}')
    assert read_message(KNOWN) == known
    assert write_message(known) == KNOWN


@given(
    headers=st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=40), max_size=5),
    payload=st.binary(max_size=200),
)
def test_what_is_written_is_read_as_the_same_message(headers: dict[str, str], payload: bytes) -> None:
    assert read_message(write_message(Message(headers, payload))) == (headers, payload)


def test_headers_of_other_types_are_passed_over() -> None:
    widths = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
    others = b"".join(header(b"n", kind, bytes(width)) for kind, width in widths.items())
    last = header(b"bytes", 6, b"\x00\x03abc") + header(b":event-type", 7, b"\x00\x04last")
    assert read_message(message(others + last, b"{}")) == ({":event-type": "last"}, b"{}")


@pytest.mark.parametrize(
    ("headers", "complaint"),
    [
        (b"\x05ab", "cannot be read"),
        (header(b"n", 10, b""), "cannot be read"),
        (header(b"n", 7, b"\x00\x01\xff"), "cannot be read"),
        (header(b"\xff", 7, b"\x00\x01a"), "cannot be read"),
        (header(b"n", 7, b"\x00\x09a"), "longer than all"),
        (header(b"n", 9, b"1234"), "longer than all"),
    ],
)
def test_headers_that_make_no_sense_are_an_error(headers: bytes, complaint: str) -> None:
    with pytest.raises(FramingError, match=complaint):
        read_message(message(headers))


@pytest.mark.parametrize("at", range(len(KNOWN)))
def test_a_bit_that_fell_over_is_found(at: int) -> None:
    with pytest.raises(FramingError):
        read_message(flip(KNOWN, at))


@pytest.mark.parametrize("raw", [b"", KNOWN[:15], KNOWN[:-1], KNOWN + b"\x00"])
def test_a_message_is_read_whole_or_not_at_all(raw: bytes) -> None:
    with pytest.raises(FramingError, match="another length"):
        read_message(raw)


def test_headers_longer_than_the_message_are_an_error() -> None:
    with pytest.raises(FramingError, match="16 bytes states 1 bytes of headers"):
        message_size(message(b"", stated=1))


def test_a_message_is_known_by_its_prelude() -> None:
    assert starts_message(KNOWN[:12])
    assert message_size(KNOWN[:12]) == len(KNOWN)


@pytest.mark.parametrize("first", [b"", KNOWN[:11], flip(KNOWN, 11), bytes(16), b'{"message": "no"}'])
def test_other_bytes_are_no_message(first: bytes) -> None:
    assert not starts_message(first)


@pytest.mark.parametrize(
    ("headers", "name"),
    [
        ({":message-type": "event", ":event-type": "messageStop"}, "messageStop"),
        ({":message-type": "exception", ":exception-type": "throttlingException"}, "throttlingException"),
        ({":message-type": "error", ":error-code": "InternalError"}, "InternalError"),
        ({":message-type": "event"}, ""),
        ({":message-type": "news", ":event-type": "messageStop"}, ""),
        ({}, ""),
    ],
)
def test_an_event_is_named_by_the_header_of_its_message_type(headers: dict[str, str], name: str) -> None:
    raw = write_message(Message(headers, b"{}"))
    event = read_event(raw)
    assert (event.name, event.data, event.raw) == (name, b"{}", raw)


def decode(*chunks: bytes) -> list[tuple[str, bytes | None, bytes | None]]:
    decoder = EventStreamDecoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()
    return [(event.name, event.data, event.raw) for event in events]


@given(payloads=st.lists(st.binary(max_size=60)), size=st.integers(1, 200))
def test_any_chunking_gives_the_same_events_and_loses_no_byte(payloads: list[bytes], size: int) -> None:
    stream = b"".join(write_message(WHOLE._replace(payload=payload)) for payload in payloads)
    whole = decode(stream)
    assert decode(*(stream[i : i + size] for i in range(0, len(stream), size))) == whole
    assert [data for _, data, _ in whole] == payloads
    assert b"".join(raw or b"" for _, _, raw in whole) == stream


@pytest.mark.parametrize("at", [0, 8, 20, len(KNOWN) - 1])
def test_events_before_a_broken_message_are_given_and_none_after_it(at: int) -> None:
    decoder = EventStreamDecoder()
    assert len(decoder.feed(KNOWN + flip(KNOWN, at) + KNOWN)) == 1
    with pytest.raises(FramingError) as fault:
        decoder.feed(KNOWN)
    with pytest.raises(FramingError, match=str(fault.value)):
        decoder.close()


def test_a_message_over_the_limit_is_not_held() -> None:
    with pytest.raises(FramingError, match="46 bytes is over the limit of 40"):
        EventStreamDecoder(limit=40).feed(KNOWN[:12])


def test_a_stream_that_ends_inside_a_message_is_an_error() -> None:
    decoder = EventStreamDecoder()
    assert decoder.feed(KNOWN[:-1]) == []
    with pytest.raises(FramingError, match="ended after 45 bytes"):
        decoder.close()


def test_an_event_with_raw_goes_out_as_that() -> None:
    assert EventStreamEncoder().encode(read_event(KNOWN)) == KNOWN


@pytest.mark.parametrize("event", [End(), Event(None)])
def test_an_event_without_data_has_no_bytes(event: Event) -> None:
    assert EventStreamEncoder().encode(event) == b""


@pytest.mark.parametrize(
    ("name", "kind", "named_by"),
    [
        ("contentBlockDelta", "event", ":event-type"),
        ("modelStreamErrorException", "exception", ":exception-type"),
    ],
)
def test_a_changed_event_is_written_as_a_message(name: str, kind: str, named_by: str) -> None:
    event = Event(b"{}", name, b"old").with_data(b'{"new": 1}')
    assert read_message(EventStreamEncoder().encode(event)) == (
        {":message-type": kind, named_by: name, ":content-type": "application/json"},
        b'{"new": 1}',
    )
