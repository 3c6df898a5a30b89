"""Hours, days, weeks and months as people have them: by the clock of a time zone. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tollgate.policy.budgets import Period

_HOUR = 3600


class Window(NamedTuple):
    """A stretch of time, in seconds since 1970; its end is no more part of it."""

    start: int
    end: int


def zone_of(name: str) -> tzinfo:
    """UTC needs no data on the machine; ZoneInfoNotFoundError where another zone has none."""
    return UTC if name == "UTC" else ZoneInfo(name)


def window_at(period: Period, time: float, zone: tzinfo) -> Window:
    """The window that a moment (seconds since 1970) lies in. A week begins on Monday."""
    return _hour(time, zone) if period == "hour" else _of_days(_DAYS[period], time, zone)


def _hour(time: float, zone: tzinfo) -> Window:
    """By what the clock shows now: where it is set back, the hour that it shows twice is two windows."""
    offset = datetime.fromtimestamp(time, zone).utcoffset() or timedelta()
    shift = int(offset.total_seconds())
    start = int(time + shift) // _HOUR * _HOUR - shift
    return Window(start, start + _HOUR)


def _of_days(bounds: Callable[[datetime], tuple[datetime, datetime]], time: float, zone: tzinfo) -> Window:
    """From midnight to midnight, which is 23 or 25 hours where the clock is set in between."""
    midnight = datetime.fromtimestamp(time, zone).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    first, after = bounds(midnight)
    return Window(int(first.timestamp()), int(after.timestamp()))


def _day(midnight: datetime) -> tuple[datetime, datetime]:
    return midnight, midnight + timedelta(days=1)


def _week(midnight: datetime) -> tuple[datetime, datetime]:
    monday = midnight - timedelta(days=midnight.weekday())
    return monday, monday + timedelta(days=7)


def _month(midnight: datetime) -> tuple[datetime, datetime]:
    first = midnight.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


_DAYS: dict[Period, Callable[[datetime], tuple[datetime, datetime]]] = {
    "day": _day,
    "week": _week,
    "month": _month,
}
