"""What was spent, for whom and on what: the ledger's hours as figures. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from tollgate.cost.budgets import Budgets, read_purse_name
from tollgate.cost.windows import window_at
from tollgate.store.purses import Purse

BY = ("user", "team", "model", "project", "tool", "provider")
_DAY = 86400
_RECENT = 7 * _DAY
"""The forecast goes on as these last days were."""


@dataclass(slots=True)
class Line:
    """A sum. Money in nano-dollars, input and output in tokens."""

    calls: int = 0
    cost: int = 0
    """What is billed."""
    plans: int = 0
    """What plans paid, at what it would have cost."""
    unknown: int = 0
    """Calls whose price is not known: they are in none of the sums of money."""
    saved: int = 0
    """By providers' prompt caches."""
    cache_saved: int = 0
    """By our cache."""
    input: int = 0
    cached: int = 0
    """Of the input, what providers had cached."""
    output: int = 0

    def add(self, row: Mapping[str, Any]) -> None:
        billed = row["paid"] == "metered"
        self.cost += row["cost"] if billed else 0
        self.plans += 0 if billed else row["cost"]
        for name in ("calls", "unknown", "saved", "cache_saved", "input", "cached", "output"):
            setattr(self, name, getattr(self, name) + row[name])

    @property
    def weight(self) -> tuple[int, int]:
        """Lines are shown by it."""
        return self.cost + self.plans, self.calls


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the month will have cost, if all goes on like in its last days."""

    month: date
    """Its first day."""
    spent: int
    expected: int


@dataclass(frozen=True, slots=True)
class Filled:
    """A budget's purse, and how full it is."""

    budget: str
    whose: str
    limit: int
    spent: int
    held: int
    opened: datetime
    reopens: datetime
    in_force: bool
    """False where the policy has no such budget any more; the limit is the one that it last had."""

    @property
    def share(self) -> float:
        return self.spent / self.limit if self.limit else 1.0


@dataclass(frozen=True, slots=True)
class Report:
    since: datetime
    until: datetime
    total: Line
    days: Mapping[date, Line]
    """Every day of the time, also those without calls."""
    by: Mapping[str, Mapping[str, Line]]
    """Dimension to its values, the dearest first."""
    forecast: Forecast
    budgets: Sequence[Filled]


def report(
    rows: Iterable[Mapping[str, Any]],
    purses: Iterable[Purse],
    budgets: Budgets,
    since: float,
    now: float,
    zone: tzinfo,
    by: Iterable[str] = BY,
) -> Report:
    """`rows`: sums by the hour, at least from `since` and from what `needed_since` says on."""
    rows = list(rows)
    shown = [row for row in rows if row["hour"] >= since]
    return Report(
        since=datetime.fromtimestamp(since, zone),
        until=datetime.fromtimestamp(now, zone),
        total=_sum(shown),
        days=_by_day(shown, since, now, zone),
        by={name: _dearest(_grouped(shown, name)) for name in by},
        forecast=forecast(rows, now, zone),
        budgets=sorted(
            (_filled(purse, budgets.limit_of(purse), zone) for purse in purses),
            key=lambda purse: (not purse.in_force, -purse.share, purse.budget),
        ),
    )


def needed_since(since: float, now: float, zone: tzinfo) -> float:
    """From when on a report needs sums: for the forecast too."""
    return min(since, window_at("month", now, zone).start, now - _RECENT)


def forecast(rows: Sequence[Mapping[str, Any]], now: float, zone: tzinfo) -> Forecast:
    """What is billed this month, and will be if each day to come costs as much as the last seven did."""
    month = window_at("month", now, zone)
    billed = [row for row in rows if row["paid"] == "metered"]
    spent = sum(row["cost"] for row in billed if row["hour"] >= month.start)
    recent = [row for row in billed if row["hour"] >= now - _RECENT]
    first = min((row["hour"] for row in recent), default=now)
    seconds = max(now - first, _DAY)  # of a ledger that is a few hours old, no more than a day is made
    rate = sum(row["cost"] for row in recent) / seconds
    expected = spent + int(rate * (month.end - now))
    return Forecast(datetime.fromtimestamp(month.start, zone).date(), spent, expected)


def as_json(found: Report) -> dict[str, Any]:
    """The report for programs. Money in nano-dollars."""
    return {
        "since": found.since.isoformat(),
        "until": found.until.isoformat(),
        "total": asdict(found.total),
        "days": {day.isoformat(): asdict(line) for day, line in found.days.items()},
        "by": {
            name: {value: asdict(line) for value, line in lines.items()} for name, lines in found.by.items()
        },
        "forecast": {**asdict(found.forecast), "month": found.forecast.month.isoformat()},
        "budgets": [
            {
                **asdict(purse),
                "opened": purse.opened.isoformat(),
                "reopens": purse.reopens.isoformat(),
                "share": round(purse.share, 4),
            }
            for purse in found.budgets
        ],
    }


def _sum(rows: Iterable[Mapping[str, Any]]) -> Line:
    line = Line()
    for row in rows:
        line.add(row)
    return line


def _grouped(rows: Iterable[Mapping[str, Any]], name: str) -> dict[str, Line]:
    groups: dict[str, Line] = defaultdict(Line)
    for row in rows:
        groups[row[name]].add(row)
    return groups


def _dearest(groups: Mapping[str, Line]) -> dict[str, Line]:
    return dict(sorted(groups.items(), key=lambda item: (item[1].weight, item[0]), reverse=True))


def _by_day(rows: Iterable[Mapping[str, Any]], since: float, now: float, zone: tzinfo) -> dict[date, Line]:
    first, last = (datetime.fromtimestamp(moment, zone).date() for moment in (since, now))
    days = {first + timedelta(days=n): Line() for n in range((last - first).days + 1)}
    for row in rows:
        if line := days.get(datetime.fromtimestamp(row["hour"], zone).date()):
            line.add(row)
    return days


def _filled(purse: Purse, limit: int | None, zone: tzinfo) -> Filled:
    budget, start, scope = read_purse_name(purse.name)
    return Filled(
        budget=budget,
        whose=", ".join(f"{name} {value or '(none)'}" for name, value in scope.items()),
        limit=purse.limit if limit is None else limit,
        spent=purse.spent,
        held=purse.held,
        opened=datetime.fromtimestamp(start, zone),
        reopens=datetime.fromtimestamp(purse.ends, zone),
        in_force=limit is not None,
    )
