"""What was spent, for whom and on what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from support.costs import DOLLAR, NOW
from tollgate.cost.budgets import Budgets, purse_name
from tollgate.cost.report import Report, as_json, forecast, needed_since, report
from tollgate.policy.cost import CostSettings
from tollgate.store.purses import Purse

DAY = 86400


def row(hour: float = NOW, **more: Any) -> dict[str, Any]:
    sums = dict.fromkeys(("unknown", "cost", "saved", "cache_saved", "input", "cached", "output"), 0)
    keys = {"user": "ann", "team": "", "project": "", "tool": "codex", "provider": "openai", "model": "gpt-6"}
    return {"hour": int(hour), **keys, "paid": "metered", "calls": 1, **sums, **more}


def made(*rows: dict[str, Any], since: float = NOW - 2 * DAY, zone: Any = UTC, **more: Any) -> Report:
    budgets = Budgets(CostSettings.model_validate({"budgets": more.pop("budgets", [])}))
    return report(rows, more.pop("purses", ()), budgets, since, NOW + 3600, zone, **more)


def test_what_is_billed_and_what_plans_paid_are_apart() -> None:
    found = made(row(cost=5), row(cost=7, paid="subscription"), row(unknown=1), row(saved=3, cache_saved=4))

    assert (found.total.cost, found.total.plans, found.total.unknown, found.total.calls) == (5, 7, 1, 4)
    assert (found.total.saved, found.total.cache_saved) == (3, 4)


def test_every_day_has_its_line_by_the_clock_of_the_zone() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    found = made(row(NOW, cost=5), row(NOW - DAY, cost=2), zone=tokyo)  # 17:00 there

    assert {day: line.cost for day, line in found.days.items()} == {
        date(2027, 1, 13): 0,
        date(2027, 1, 14): 2,
        date(2027, 1, 15): 5,
    }


def test_lines_are_by_what_was_asked_for_the_dearest_first() -> None:
    rows = [row(user="ann", cost=1), row(user="bob", cost=3), row(user="ann", cost=1, paid="subscription")]
    found = made(*rows, by=["user"])

    assert {name: (line.cost, line.plans) for name, line in found.by["user"].items()} == {
        "bob": (3, 0),
        "ann": (1, 1),
    }
    assert list(found.by["user"]) == ["bob", "ann"]
    assert list(found.by) == ["user"]


def test_what_was_before_is_in_no_line() -> None:
    found = made(row(NOW - 3 * DAY, cost=9), row(cost=1))

    assert found.total.cost == 1


def test_the_forecast_goes_on_as_the_last_seven_days_were() -> None:
    """The 15th, nine in the morning: 16 days and 15 hours of January are left."""
    now = NOW + 3600
    rows = [row(now - n * DAY, cost=7 * DOLLAR) for n in range(1, 8)]
    told = forecast([*rows, row(now - 10 * DAY, cost=DOLLAR), row(paid="subscription", cost=99)], now, UTC)

    assert (told.month, told.spent) == (date(2027, 1, 1), 50 * DOLLAR)
    assert told.expected == 50 * DOLLAR + int(7 * DOLLAR * (16 * 24 + 15) / 24)


def test_of_a_ledger_that_is_hours_old_no_more_than_a_day_is_made() -> None:
    told = forecast([row(NOW, cost=DOLLAR)], NOW + 3600, UTC)

    assert told.expected == DOLLAR + int(DOLLAR * (16 * 24 + 15) / 24)
    assert forecast([], NOW, UTC).expected == 0


def test_a_report_of_an_hour_needs_more_for_its_forecast() -> None:
    assert needed_since(NOW, NOW, UTC) == datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert needed_since(0, NOW, UTC) == 0
    early = datetime(2027, 2, 2, tzinfo=UTC).timestamp()
    assert needed_since(early, early, UTC) == early - 7 * DAY


def test_budgets_say_whose_they_are_the_fullest_first() -> None:
    purses = [
        Purse(purse_name("a", int(NOW), [("team", "")]), 10, 100, NOW + DAY, 5),
        Purse(purse_name("b", int(NOW), []), 1, 0, NOW + DAY, 0),
    ]
    first, second = made(purses=purses).budgets

    assert (first.budget, first.share, second.whose, second.share) == ("b", 1.0, "team (none)", 0.1)
    assert second.reopens == datetime.fromtimestamp(NOW + DAY, UTC)


def test_a_limit_is_the_one_that_calls_meet_now_and_budgets_that_are_gone_come_last() -> None:
    """What was spent keeps the limit that it met: it may be another by now, and the budget may be gone."""
    midnight = int(NOW) // DAY * DAY
    purses = [
        Purse(purse_name("gone", midnight, []), 9, 10, midnight + DAY, 0),
        Purse(purse_name("b", midnight, []), 5, 10, midnight + DAY, 0),
    ]
    first, second = made(purses=purses, budgets=[{"name": "b", "limit": 2e-8, "every": "day"}]).budgets

    assert (first.budget, first.in_force, first.limit, first.share) == ("b", True, 20, 0.25)
    assert (second.budget, second.in_force, second.limit) == ("gone", False, 10)


def test_programs_get_all_of_it() -> None:
    purse = Purse(purse_name("a", int(NOW), []), 10, 100, NOW + DAY, 5)
    told = as_json(made(row(cost=5), purses=[purse], by=["model"]))

    assert told["total"]["cost"] == 5
    assert told["by"]["model"]["gpt-6"]["calls"] == 1
    assert told["days"]["2027-01-15"]["cost"] == 5
    assert told["forecast"]["month"] == "2027-01-01"
    assert (told["budgets"][0]["share"], told["budgets"][0]["reopens"]) == (0.1, "2027-01-16T08:00:00+00:00")
