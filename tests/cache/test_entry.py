"""An entry is read as it was written, and nothing else is taken for one."""

from __future__ import annotations

import sys
from dataclasses import replace

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.cache.entry import Entry, Piece, compressor, from_bytes, pieces_of, to_bytes, usage_of
from tollgate.calls import End, Event, Usage

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

WHOLE = Entry(
    created=1.5,
    ttl=60.0,
    dialect="openai-chat",
    provider="openai",
    operation="chat",
    model="gpt-6",
    answered_model="gpt-6-2026",
    headers=(("content-type", "application/json"),),
    body=b'{"id":"x"}',
    usage={"input": 3},
    tag="docs",
    ids=("x",),
    tokens=("qzxsaaaaaaaaaa",),
)
LARGE = replace(WHOLE, body=b"word " * 1000)
STREAM = replace(WHOLE, body=b"", pieces=(Piece(0, "a", b"one"), Piece(20, "", b"two\n")), form="usage")


@pytest.mark.parametrize("entry", [WHOLE, LARGE, STREAM], ids=["whole", "large", "streamed"])
def test_an_entry_is_read_as_it_was_written(entry: Entry) -> None:
    assert from_bytes(to_bytes(entry, compressor())) == entry
    assert entry.streamed == (entry is STREAM)


@given(st.lists(st.tuples(st.integers(0, 9), st.text(max_size=3), st.binary(max_size=9)), min_size=1))
def test_pieces_may_hold_any_bytes(pieces: list[tuple[int, str, bytes]]) -> None:
    entry = replace(STREAM, pieces=tuple(Piece(*piece) for piece in pieces))

    assert from_bytes(to_bytes(entry, compressor())) == entry


def test_an_entry_knows_its_size_its_events_and_what_was_used() -> None:
    assert (WHOLE.size, STREAM.size) == (10, 7)
    assert [(event.name, event.data) for event in STREAM.events()] == [("a", b"one"), ("", b"two\n")]
    assert WHOLE.used() == Usage(input=3)
    assert replace(WHOLE, usage={}).used() is None


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"no json\n",
        b"[]\n",
        b"{}\n",
        orjson.dumps({"v": 0}) + b"\n",
        orjson.dumps({"v": 1, "events": [], "headers": [], "tokens": [], "ids": []}) + b"\n",
        orjson.dumps({"v": 1, "events": 7}) + b"\n",
    ],
)
def test_what_is_no_entry_is_none(plain: bytes) -> None:
    assert from_bytes(zstd.compress(plain)) is None
    assert from_bytes(plain) is None


@pytest.mark.parametrize("entry", [WHOLE, LARGE, STREAM], ids=["whole", "large", "streamed"])
def test_what_was_cut_off_is_none(entry: Entry) -> None:
    assert from_bytes(b"garbage") is None
    assert from_bytes(to_bytes(entry, compressor())[:-5]) is None


def test_only_what_is_not_small_is_compressed() -> None:
    assert to_bytes(WHOLE, compressor()).endswith(WHOLE.body)
    assert len(to_bytes(LARGE, compressor())) < 1000


def test_what_older_versions_wrote_is_read() -> None:
    """All of it was compressed, and its head did not say how much follows."""
    head, _, body = to_bytes(WHOLE, compressor()).partition(b"\n")
    told = orjson.loads(head)
    del told["size"]

    assert from_bytes(zstd.compress(orjson.dumps(told) + b"\n" + body)) == WHOLE


def test_events_keep_their_time_and_lose_what_is_no_data() -> None:
    events = [(0.0015, Event(b"a", "n")), (0.02, Event(None)), (0.5, End())]

    assert pieces_of(events) == (Piece(1, "n", b"a"),)


def test_only_what_was_used_is_written() -> None:
    assert usage_of(Usage(input=1, tier="default")) == {"input": 1, "tier": "default"}
    assert usage_of(None) == {}
