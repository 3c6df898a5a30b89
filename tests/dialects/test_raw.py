from __future__ import annotations

import pytest

from tollgate.calls import End, Event
from tollgate.dialects.raw import RawDecoder, RawEncoder


def test_each_chunk_is_an_event() -> None:
    decoder = RawDecoder()
    events = [*decoder.feed(b"\x00\xff"), *decoder.feed(b""), *decoder.feed(b"\n\n"), *decoder.close()]
    assert [(event.data, event.raw) for event in events] == [(b"\x00\xff", b"\x00\xff"), (b"\n\n", b"\n\n")]


@pytest.mark.parametrize(
    ("event", "written"),
    [(Event(b"a", raw=b"raw"), b"raw"), (Event(b"a"), b"a"), (Event(b"a", raw=b""), b""), (End(), b"")],
)
def test_data_is_written_as_it_is(event: Event, written: bytes) -> None:
    assert RawEncoder().encode(event) == written
