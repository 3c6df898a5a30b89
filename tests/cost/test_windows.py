"""Hours, days, weeks and months by the clock of a time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.cost.windows import Window, window_at, zone_of

BERLIN, KATHMANDU, NEW_YORK = map(ZoneInfo, ("Europe/Berlin", "Asia/Kathmandu", "America/New_York"))


def at(text: str, zone: Any = UTC) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


@pytest.mark.parametrize(
    ("period", "moment", "zone", "start", "end"),
    [
        ("hour", "2026-11-22T17:59:59", UTC, "2026-11-22T17:00", "2026-11-22T18:00"),
        ("hour", "2026-11-22T17:05", KATHMANDU, "2026-11-22T17:00", "2026-11-22T18:00"),
        ("day", "2026-11-22T23:30", BERLIN, "2026-11-22T00:00", "2026-11-23T00:00"),
        ("day", "2026-11-22T00:00", BERLIN, "2026-11-22T00:00", "2026-11-23T00:00"),
        ("week", "2026-11-22T12:00", UTC, "2026-11-16T00:00", "2026-11-23T00:00"),
        ("week", "2026-11-23T00:00", UTC, "2026-11-23T00:00", "2026-11-30T00:00"),
        ("month", "2026-12-31T23:59", NEW_YORK, "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "2028-02-29T12:00", UTC, "2028-02-01T00:00", "2028-03-01T00:00"),
    ],
)
def test_a_window_is_what_the_clock_on_the_wall_says(
    period: Any, moment: str, zone: Any, start: str, end: str
) -> None:
    assert window_at(period, at(moment, zone), zone) == Window(at(start, zone), at(end, zone))


def test_days_on_which_the_clock_is_set_are_shorter_and_longer() -> None:
    spring = window_at("day", at("2026-03-29T12:00", BERLIN), BERLIN)
    autumn = window_at("day", at("2026-10-25T12:00", BERLIN), BERLIN)

    assert (spring.end - spring.start, autumn.end - autumn.start) == (23 * 3600, 25 * 3600)


def test_the_hour_that_a_clock_shows_twice_is_two_windows() -> None:
    first = at("2026-10-25T02:30", BERLIN)

    assert window_at("hour", first, BERLIN).end == window_at("hour", first + 3600, BERLIN).start


@given(
    st.sampled_from(["hour", "day", "week", "month"]),
    st.integers(0, 4_000_000_000),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Africa/Cairo", "Australia/Lord_Howe"]),
)
def test_a_moment_lies_in_its_window_and_windows_meet(period: Any, moment: int, name: str) -> None:
    zone = zone_of(name)
    window = window_at(period, moment, zone)

    assert window.start <= moment < window.end
    assert window_at(period, window.end, zone).start == window.end
    assert window_at(period, window.start, zone) == window
