"""Streamed pieces."""

import pytest

from tollgate.calls import End, Event


def test_json_is_parsed_once() -> None:
    event = Event(b'{"a": [1]}', "message")

    assert event.json() == {"a": [1]}
    assert event.json() is event.json()


def test_an_event_without_data_has_no_json() -> None:
    assert Event(None, raw=b": ping\n\n").json() is None


def test_garbage_is_an_error() -> None:
    with pytest.raises(ValueError, match="unexpected character"):
        Event(b"garbage").json()


def test_a_changed_event_has_no_raw_bytes() -> None:
    event = Event(b"old", "delta", b"event: delta\ndata: old\n\n")
    changed = event.with_data(b"new")

    assert (changed.data, changed.name, changed.raw) == (b"new", "delta", None)
    assert event.data == b"old"


def test_a_repr_never_shows_the_text() -> None:
    assert repr(Event(b"my password", "delta")) == "Event('delta', 11 bytes)"
    assert repr(End("cut")) == "End('', no data)"


def test_an_end_says_why() -> None:
    assert (End().error, End("cut").error) == ("", "cut")
