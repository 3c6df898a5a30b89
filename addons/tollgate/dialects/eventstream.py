"""AWS event streams, the binary messages of Bedrock: https://smithy.io/2.0/aws/amazon-eventstream.html

A message is its length, the length of its headers, a CRC-32 of these two, headers, payload, and a CRC-32 of
all that. The specification wants a stream with a wrong CRC to be given up.
"""

from __future__ import annotations

from collections.abc import Mapping
from struct import Struct
from typing import NamedTuple
from zlib import crc32

from tollgate.calls import Event
from tollgate.dialects.framing import MAX_EVENT, FramingError, until_fault

_LENGTHS = Struct(">II")  # of the message and of its headers
_CRC = 4
_PRELUDE = _LENGTHS.size + _CRC
_LEAST = _PRELUDE + _CRC

_STRING = 7
_BYTES = 6
_WIDTHS = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}
"""Types of header values whose size is fixed, in bytes; strings and byte arrays say their own."""

_NAMED_BY = {"event": ":event-type", "exception": ":exception-type", "error": ":error-code"}
"""Which header names a message, by its `:message-type`."""


class Message(NamedTuple):
    headers: Mapping[str, str]
    """Those that are strings. Others are left out: no LLM API has any."""
    payload: bytes


class EventStreamDecoder:
    """Cuts messages by the length they state, and checks both CRCs of each."""

    __slots__ = ("_held", "_limit")

    def __init__(self, limit: int = MAX_EVENT) -> None:
        self._held = bytearray()
        self._limit = limit

    def feed(self, data: bytes) -> list[Event]:
        self._held += data
        return until_fault(self._next)

    def close(self) -> list[Event]:
        """Nothing; FramingError where the stream ended inside a message, since half of one is of no use."""
        self.feed(b"")  # a fault that was kept back
        if self._held:
            raise FramingError(f"the event stream ended after {len(self._held)} bytes of a message")
        return []

    def _next(self) -> Event | None:
        if len(self._held) < _PRELUDE:
            return None
        size = message_size(self._held)
        if size > self._limit:
            raise FramingError(f"an event-stream message of {size} bytes is over the limit of {self._limit}")
        if len(self._held) < size:
            return None
        raw = bytes(self._held[:size])
        event = read_event(raw)
        del self._held[:size]  # only now: a message that is wrong stays, and with it the error
        return event


class EventStreamEncoder:
    """Writes events as messages with a JSON payload."""

    __slots__ = ()

    def encode(self, event: Event) -> bytes:
        if event.raw is not None:
            return event.raw
        if event.data is None:
            return b""
        # All errors in Bedrock's streams, and no other events, are named so (internalServerException, …):
        # https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStreamOutput.html
        kind = "exception" if event.name.endswith("Exception") else "event"
        headers = {_NAMED_BY[kind]: event.name, ":content-type": "application/json", ":message-type": kind}
        return write_message(Message(headers, event.data))


def read_event(raw: bytes) -> Event:
    """The event that a whole message is, named by its `:event-type`, `:exception-type` or `:error-code`."""
    headers, payload = read_message(raw)
    named_by = _NAMED_BY.get(headers.get(":message-type", ""), "")
    return Event(payload, headers.get(named_by, ""), raw)


def message_size(first: bytes | bytearray) -> int:
    """How long the message is that begins with these bytes, 12 at least. FramingError where none does."""
    if not starts_message(first):
        raise FramingError("the prelude of an event-stream message has a wrong CRC")
    size, headers = _LENGTHS.unpack_from(first)
    if size < headers + _LEAST:
        raise FramingError(f"an event-stream message of {size} bytes states {headers} bytes of headers")
    return int(size)


def starts_message(first: bytes | bytearray) -> bool:
    """True where these bytes begin a message: 12 others look like it once in four billion times."""
    if len(first) < _PRELUDE:
        return False
    return first[_LENGTHS.size : _PRELUDE] == _crc(first[: _LENGTHS.size])


def read_message(raw: bytes) -> Message:
    """Headers and payload of one whole message. FramingError where its lengths, CRCs or headers are wrong."""
    if len(raw) < _LEAST or message_size(raw) != len(raw):
        raise FramingError(f"an event-stream message states another length than its {len(raw)} bytes")
    end = len(raw) - _CRC
    if raw[end:] != _crc(memoryview(raw)[:end]):
        raise FramingError("an event-stream message has a wrong CRC")
    _, headers = _LENGTHS.unpack_from(raw)
    start = _PRELUDE + headers
    return Message(_read_headers(raw[_PRELUDE:start]), raw[start:end])


def write_message(message: Message) -> bytes:
    """One message as bytes, with right lengths and CRCs."""
    headers = b"".join(map(_write_header, message.headers.items()))
    lengths = _LENGTHS.pack(len(headers) + len(message.payload) + _LEAST, len(headers))
    body = b"".join((lengths, _crc(lengths), headers, message.payload))
    return body + _crc(body)


def _crc(data: bytes | bytearray | memoryview) -> bytes:
    return crc32(data).to_bytes(_CRC)


def _write_header(header: tuple[str, str]) -> bytes:
    name, value = (text.encode() for text in header)
    return b"%c%b%c%b%b" % (len(name), name, _STRING, len(value).to_bytes(2), value)


def _read_headers(block: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    at = 0
    try:
        while at < len(block):
            name, kind, value, at = _read_header(block, at)
            if kind == _STRING:
                headers[name.decode()] = value.decode()
    except (IndexError, KeyError, UnicodeDecodeError) as e:
        raise FramingError("a header of an event-stream message cannot be read") from e
    if at > len(block):
        raise FramingError("a header of an event-stream message is longer than all its headers together")
    return headers


def _read_header(block: bytes, at: int) -> tuple[bytes, int, bytes, int]:
    """Name, type and value of the header that starts there, and where the next one does."""
    end = at + 1 + block[at]
    name, kind = block[at + 1 : end], block[end]
    start = end + 1
    if kind in (_STRING, _BYTES):
        size, start = int.from_bytes(block[start : start + 2]), start + 2
    else:
        size = _WIDTHS[kind]
    return name, kind, block[start : start + size], start + size
