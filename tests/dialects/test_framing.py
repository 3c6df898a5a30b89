from __future__ import annotations

from collections.abc import Iterator

import pytest

from tollgate.calls import Event
from tollgate.dialects.framing import FramingError, check_size, until_fault


def test_what_is_held_back_may_be_as_large_as_the_limit() -> None:
    check_size(bytearray(8), 8)


def test_more_than_the_limit_is_an_error_that_says_the_limit() -> None:
    with pytest.raises(FramingError, match="larger than 8 bytes"):
        check_size(bytearray(9), 8)


def test_a_framing_error_is_a_value_error() -> None:
    assert issubclass(FramingError, ValueError)


def steps(*events: Event) -> Iterator[Event]:
    yield from events
    raise FramingError("broken")


def test_events_are_taken_until_there_is_none() -> None:
    events = [Event(b"1"), Event(b"2")]
    left: list[Event | None] = [*events, None]
    assert until_fault(lambda: left.pop(0)) == events


def test_events_before_a_fault_are_given() -> None:
    event = Event(b"1")
    assert until_fault(steps(event).__next__) == [event]


def test_a_fault_with_nothing_before_it_is_raised() -> None:
    with pytest.raises(FramingError, match="broken"):
        until_fault(steps().__next__)
