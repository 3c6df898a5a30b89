"""What a call came to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict

from support.costs import NOW, FlatPrices, attempt, make_call
from support.routes import target
from tollgate.calls import Call, Headers, Usage
from tollgate.cost.bill import Account, bill, expected, reprice, sane, total, untold
from tollgate.cost.budgets import Budgets, Payer, Share, read_purse_name
from tollgate.cost.ledger import Entry
from tollgate.cost.prices import PriceBook
from tollgate.policy import Facts
from tollgate.policy.cost import CostSettings, PriceSettings

PRICES = FlatPrices()
ANN = Payer("ann", "platform", "shop", "s1", "c1", "codex")
USAGE = Usage(input=10, output=5)
MAX: Headers = CIMultiDict({"Authorization": "Bearer sk-ant-oat01-FAKE"})


def shares(*rows: dict[str, Any]) -> tuple[Share, ...]:
    """Those of budgets of a month."""
    settings = CostSettings.model_validate({"budgets": [{"limit": 1, **row} for row in rows]})
    return Budgets(settings).of(Facts(), ANN, {"metered", "subscription"}, NOW)


def billed(call: Call, model: str = "gpt-6", counted: Usage | None = None) -> list[Entry]:
    return bill(PRICES, call, Account(ANN, "metered", model), counted)


def test_an_attempt_that_was_answered_is_an_entry() -> None:
    call = make_call(attempts=[attempt(USAGE)], answered_model="gpt-6-2026")
    (entry,) = billed(call)

    assert (entry.id, entry.attempt, entry.status) == ("call-1", 1, 200)
    assert (entry.cost, entry.charged, entry.source) == (15_000, 15_000, "flat")
    assert (entry.user, entry.team, entry.project, entry.tool) == ("ann", "platform", "shop", "codex")
    assert (entry.asked, entry.model, entry.host) == ("gpt-6", "gpt-6-2026", "api.openai.com")


def test_each_attempt_is_an_entry_of_its_own_and_errors_are_none() -> None:
    cut = attempt(Usage(input=10), complete=False)
    call = make_call(attempts=[attempt(status=500), cut, attempt(status=None), attempt(USAGE)])

    assert [(entry.attempt, entry.cost) for entry in billed(call)] == [(2, 10_000), (4, 15_000)]


def test_a_stream_that_broke_before_it_said_anything_costs_nothing_unless_usage_was_told() -> None:
    nothing = replace(attempt(None, complete=False), fruitless=True)
    told = replace(attempt(Usage(input=10), complete=False), fruitless=True)
    call = make_call(attempts=[nothing, told, nothing])

    assert [(entry.attempt, entry.cost) for entry in billed(call)] == [(2, 10_000)]
    assert not untold(call)


def test_an_attempt_elsewhere_is_billed_by_who_answered_it() -> None:
    there = replace(attempt(USAGE), provider="azure", host="a.test", model="cheap", answered_model="cheap-2")
    (entry,) = billed(make_call(attempts=[there], answered_model="gpt-6"))

    assert (entry.provider, entry.host, entry.asked, entry.model) == ("azure", "a.test", "cheap", "cheap-2")
    assert entry.cost == 150


def test_what_a_plan_does_not_pay_elsewhere_is_billed_and_charged_to_the_budgets_of_money() -> None:
    """Claude Max fails, and the company's own key is used."""
    first, second = attempt(USAGE), replace(attempt(USAGE), own_key=True)
    both = shares(
        {"name": "plans", "counts": "subscription"}, {"name": "money"}, {"name": "a", "counts": "all"}
    )
    call = make_call(headers=MAX, provider="anthropic", attempts=[first, second])
    call.identity = replace(call.identity, credential_kind="oauth")
    entries = bill(PRICES, call, Account(ANN, "subscription", "claude-x", both))

    assert [entry.paid for entry in entries] == ["subscription", "metered"]
    assert [[read_purse_name(name)[0] for name in entry.purses] for entry in entries] == [
        ["plans", "a"],
        ["money", "a"],
    ]


def test_the_dearest_target_of_a_plan_is_expected() -> None:
    call = make_call()
    call.plan = (target("a", model="cheap"), target("b", model="gpt-6"))

    assert expected(PRICES, call, "gpt-6", USAGE) == 15_000
    call.plan = call.plan[:1]
    assert expected(PRICES, call, "gpt-6", USAGE) == 150


def test_what_was_counted_stands_for_what_the_last_provider_did_not_say() -> None:
    call = make_call(attempts=[attempt(USAGE), attempt(None, complete=False)])
    counted = Usage(input=10, output=90, estimated=True)

    assert [entry.cost for entry in billed(call, counted=counted)] == [15_000, 100_000]


def test_of_a_model_that_nobody_knows_the_cost_is_unknown_and_the_ceiling_is_charged() -> None:
    (entry,) = billed(make_call(model="unknown", attempts=[attempt(USAGE)]), "unknown")

    assert (entry.cost, entry.charged, entry.source) == (None, 1_500_000, "")
    assert total([entry]) is None


def test_what_cannot_even_be_counted_is_charged_as_it_was_held() -> None:
    call = make_call(model="unknown", attempts=[attempt(None)])
    (entry,) = bill(PRICES, call, Account(ANN, "metered", "unknown", shares({"name": "p"}), 77))

    assert (entry.cost, entry.charged, entry.purses, entry.usage) == (
        None,
        77,
        ('["p",1798761600,[]]',),
        Usage(),
    )


def test_a_batch_is_not_taken_for_free_though_only_its_lines_name_models() -> None:
    call = make_call(model="", operation="batches", attempts=[attempt(None)])
    (entry,) = bill(PriceBook(PriceSettings()), call, Account(ANN, "metered", "", shares({"name": "p"}), 77))

    assert (entry.model, entry.cost, entry.charged) == ("", None, 77)

    call.client_request.target = "/v1/batches/batch_1/cancel"
    assert billed(call) == []


@pytest.mark.parametrize(
    "call",
    [
        make_call(),  # refused
        make_call(attempts=[attempt(status=429)]),
        make_call(attempts=[attempt(None)], operation="models"),
        make_call(attempts=[attempt(None)], model=""),
        make_call(attempts=[attempt(Usage())]),
    ],
    ids=["refused", "failed", "free", "no model", "nothing used"],
)
def test_what_costs_nothing_has_no_entry(call: Call) -> None:
    assert billed(call) == []
    assert total([]) == 0


def test_an_answer_of_our_cache_saves_what_it_did_cost() -> None:
    (entry,) = billed(make_call(cache="hit", usage=USAGE, status=200))
    (unknown,) = billed(make_call(cache="hit", usage=USAGE, model="unknown"), "unknown")

    assert (entry.attempt, entry.cost, entry.charged, entry.cache_saved) == (0, 0, 0, 15_000)
    assert (unknown.cost, unknown.cache_saved) == (0, 0)


def test_what_a_call_may_come_to_is_never_nothing_where_nobody_knows() -> None:
    call = make_call()

    assert expected(PRICES, call, "gpt-6", USAGE) == 15_000
    assert expected(PRICES, call, "unknown", USAGE) == 1_500_000
    assert expected(PRICES, call, "unknown", Usage()) == 1
    assert expected(PRICES, make_call(operation="models"), "x", USAGE) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"attempts": [attempt(USAGE)]}, False),
        ({"attempts": [attempt(USAGE, complete=False)]}, True),
        ({"attempts": [attempt(None)]}, True),
        ({"attempts": [attempt(None)], "model": ""}, False),
        ({"attempts": [attempt(None, status=500)]}, False),
        ({"attempts": [attempt(None, status=None)]}, False),
        ({}, False),
    ],
)
def test_whether_a_provider_said_what_was_used(changes: dict[str, Any], expected: bool) -> None:
    assert untold(make_call(**changes)) is expected


def test_a_price_that_is_known_later_takes_the_place_of_none() -> None:
    (unknown,) = billed(make_call(model="unknown", attempts=[attempt(USAGE)]), "unknown")
    known = replace(unknown, asked="gpt-6", model="gpt-6")

    assert reprice(PRICES, unknown) is unknown
    assert (reprice(PRICES, known).cost, reprice(PRICES, known).charged) == (15_000, 15_000)


def test_what_our_cache_saved_is_priced_anew_as_saved() -> None:
    (entry,) = billed(make_call(cache="hit", usage=USAGE))
    dearer = reprice(FlatPrices(2000), entry)

    assert (dearer.cost, dearer.cache_saved) == (0, 30_000)


def test_what_a_price_leaves_out_is_named() -> None:
    class Partial(FlatPrices):
        def of(self, *told: Any, **more: Any) -> Any:
            price = super().of(*told, **more)
            return price and replace(price, unpriced=("requests.shell",))

    (entry,) = bill(Partial(), make_call(attempts=[attempt(USAGE)]), Account(ANN, "metered", "gpt-6"))

    assert entry.source == "flat, without requests.shell"


def test_numbers_that_others_made_up_break_no_sums() -> None:
    huge = Usage(input=10**30, requests={"web_search": 10**40}, reported_cost=1e300, seconds=1e300)
    (entry,) = billed(make_call(attempts=[attempt(huge)]))
    (unknown,) = billed(make_call(attempts=[attempt(huge)], model="unknown"), "unknown")

    assert entry.usage == sane(huge) == sane(sane(huge))
    assert (entry.cost, entry.charged, unknown.charged) == (10**15, 10**15, 10**15)
    assert expected(PRICES, make_call(), "gpt-6", huge) == 10**15
    assert sane(USAGE) is USAGE
