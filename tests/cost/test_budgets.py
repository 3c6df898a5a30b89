"""Which budgets a call falls under, how full they are, and what is said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from support.costs import DOLLAR, NOW
from tollgate.cost.budgets import (
    Budgets,
    Payer,
    Share,
    cheaper,
    crossed,
    described,
    lasting,
    left,
    purse_name,
    read_purse_name,
    refusal,
    short,
    used,
    warned,
)
from tollgate.cost.money import Money
from tollgate.policy import Facts
from tollgate.policy.cost import CostSettings
from tollgate.store.purses import Level, Purse

ANN = Payer(user="ann", team="platform", project="shop", tool="codex")
FACTS = Facts(user="ann", provider="openai", model="gpt-6", operation="chat")
USD = Money()


def budgets(*rows: dict[str, Any], **more: Any) -> Budgets:
    named = [{"name": f"b{n}", "limit": 10, **row} for n, row in enumerate(rows)]
    return Budgets(CostSettings.model_validate({"budgets": named, **more}))


def share(**row: Any) -> Share:
    return budgets(row).of(FACTS, ANN, {"metered"}, NOW)[0]


def names(found: tuple[Share, ...]) -> list[str]:
    return [each.budget.name for each in found]


def test_a_policy_without_budgets_has_none() -> None:
    assert not budgets()
    assert budgets({})


@pytest.mark.parametrize(
    ("row", "falls"),
    [
        ({}, True),
        ({"when": {"model": "gpt-*"}}, True),
        ({"when": {"model": "claude-*"}}, False),
        ({"when": {"user": "ann", "provider": "!openai"}}, False),
        ({"counts": "subscription"}, False),
        ({"counts": "all"}, True),
    ],
)
def test_a_call_falls_under_the_budgets_that_are_for_it(row: dict[str, Any], falls: bool) -> None:
    assert bool(budgets(row).of(FACTS, ANN, {"metered"}, NOW)) is falls


def test_each_of_its_scope_has_a_purse_for_itself() -> None:
    all_ = budgets({"per": ["team", "model"], "every": "day"}, {})
    purses = [each.claim.purse for each in all_.of(FACTS, ANN, {"metered"}, NOW)]
    day = int(NOW) // 86400 * 86400

    assert purses[0] == purse_name("b0", day, [("team", "platform"), ("model", "gpt-6")])
    assert read_purse_name(purses[0]) == ("b0", day, {"team": "platform", "model": "gpt-6"})
    assert read_purse_name(purses[1])[2] == {}


def test_the_next_window_is_another_purse() -> None:
    hourly = budgets({"every": "hour"})
    now, later = (hourly.of(FACTS, ANN, {"metered"}, time)[0].claim for time in (NOW, NOW + 3600))

    assert now.purse != later.purse
    assert (now.ends, later.ends) == (NOW + 3600, NOW + 7200)


@pytest.mark.parametrize(
    ("row", "limit"),
    [
        ({}, 10 * DOLLAR),
        ({"limit": 3}, 3 * DOLLAR),
        ({"every": "day"}, None),
        ({"per": ["user"]}, None),
        ({"name": "other"}, None),
    ],
)
def test_a_purse_is_a_budgets_while_that_has_its_name_its_window_and_its_scope(
    row: dict[str, Any], limit: int | None
) -> None:
    claim = share().claim
    purse = Purse(claim.purse, 1, claim.limit, claim.ends, 0)

    assert budgets(row).limit_of(purse) == limit


def test_a_limit_is_in_the_policys_currency() -> None:
    euros = budgets({"limit": 8}, prices={"currency": {"code": "EUR", "rate": 0.8}})

    assert euros.of(FACTS, ANN, {"metered"}, NOW)[0].claim.limit == 10 * DOLLAR


def test_a_limit_that_means_no_limit_fits_the_ledger() -> None:
    assert share(limit=1e300).claim.limit == share(limit=1e10).claim.limit == 9 * 10**18 < 2**63


def test_how_full_a_purse_is() -> None:
    half = share()
    level = Level(5 * DOLLAR, DOLLAR)

    assert used(half.claim, level) == 0.5
    assert left(half.claim, level, own=DOLLAR) == 3 * DOLLAR
    assert used(share(limit=0).claim, Level(0, 0)) == 1.0


def test_a_call_that_could_cost_more_than_is_left_falls_short_of_a_firm_limit_only() -> None:
    level = Level(9 * DOLLAR, 0)

    assert short(share(), level, DOLLAR + 1)
    assert not short(share(), level, DOLLAR)
    assert not short(share(at_limit="warn"), level, 5 * DOLLAR)


def test_warnings_begin_at_the_lowest_share() -> None:
    assert warned(share(warn_at=["80%", 0.5]), Level(5 * DOLLAR, 0))
    assert not warned(share(), Level(7 * DOLLAR, 0))
    assert not warned(share(warn_at=[]), Level(10 * DOLLAR, 0))


@pytest.mark.parametrize(
    ("before", "after", "reached"),
    [(0, 7, []), (7, 8, [0.8]), (8, 9, []), (7, 10, [0.8, 1.0]), (10, 12, [])],
)
def test_a_warning_is_reached_once(before: int, after: int, reached: list[float]) -> None:
    budget = share().budget

    assert crossed(budget, 10, before, after) == reached


SWITCH = {"switch": {"at": "50%", "models": {"GPT-6*": "gpt-6-mini", "*": "gpt-6"}}}


@pytest.mark.parametrize(
    ("model", "spent", "amount", "to"),
    [
        ("gpt-6", 4, 1, None),
        ("gpt-6", 5, 1, "gpt-6-mini"),
        ("gpt-6", 4, 7, "gpt-6-mini"),  # it would be refused
        ("gpt-6-mini", 9, 1, None),  # it is that one already
        ("o3", 9, 1, "gpt-6"),
    ],
)
def test_a_cheaper_model_is_asked_for_when_money_runs_low(
    model: str, spent: int, amount: int, to: str | None
) -> None:
    one = share(**SWITCH)
    found = cheaper([share(), one], [Level(0, 0), Level(spent * DOLLAR, 0)], model, amount * DOLLAR)

    assert (found and found[0]) == to


def test_a_refusal_says_which_budget_how_much_and_when_it_opens_again() -> None:
    one = share(name="team daily", every="day", per=["team"])
    told = refusal(one, Level(9 * DOLLAR, DOLLAR // 2), DOLLAR, USD, NOW)

    assert told == (
        'Tollgate refused this call: it may cost up to $1.00, and the budget "team daily" of $10.00 a day for'
        " team platform has $0.50 left ($9.00 spent, $0.50 held for calls under way). It opens again on"
        " 2027-01-16 00:00 UTC, in 16 h. Until then, a cheaper model or a lower limit on output tokens may"
        " fit."
    )


def test_a_budget_that_is_spent_is_said_to_be() -> None:
    told = refusal(share(every="hour"), Level(11 * DOLLAR, 0), DOLLAR, USD, NOW + 90)

    assert told == (
        'Tollgate refused this call: the budget "b0" of $10.00 an hour is spent ($11.00). It opens again on'
        " 2027-01-15 09:00 UTC, in 58 min."
    )


def test_whose_it_is_is_told_also_where_that_is_nobody() -> None:
    one = budgets({"per": ["user", "team"]}).of(FACTS, Payer(user="ann"), {"metered"}, NOW)[0]

    assert described(one, USD) == 'the budget "b0" of $10.00 a month for user ann, team (none)'


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(1, "1 min"), (3600, "1 h"), (22_320, "6 h 12 min"), (90_000, "1 d 1 h"), (172_860, "2 d")],
)
def test_a_stretch_of_time_is_told_in_two_units(seconds: int, told: str) -> None:
    assert lasting(seconds) == told


def test_moments_are_told_by_the_policys_clock() -> None:
    one = budgets({"every": "day"}, timezone="Europe/Berlin").of(FACTS, ANN, {"metered"}, NOW)[0]

    assert one.reopens == datetime(2027, 1, 15, 23, tzinfo=UTC)
    assert "2027-01-16 00:00 CET" in refusal(one, Level(10 * DOLLAR, 0), 1, USD, NOW)
