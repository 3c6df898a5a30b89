"""Whether a call may be made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from support.costs import FlatPrices, make_call
from support.routes import target
from support.tills import entry, make_till
from tollgate.calls import Call, Refused, Usage
from tollgate.cost.admission import REMAINING, WARNING, admit
from tollgate.cost.budgets import Budgets, Payer
from tollgate.cost.desk import Carried
from tollgate.cost.till import Settlement, Till
from tollgate.policy import Facts, Settings
from tollgate.policy.cost import CostSettings

MODEL = "gpt-6"
EACH = 10_000  # what every call may come to, in nano-dollars
OBSERVE = Settings(mode="observe")


class Estimator:
    asked = 0

    async def before(self, call: Call) -> Usage:
        self.asked += 1
        return Usage(input=10, estimated=True)


@pytest.fixture
def till(tmp_path: Path) -> Iterator[Till]:
    till = make_till(tmp_path / "ledger.sqlite")
    yield till
    till.close()


def carried(*budgets: dict[str, Any], **more: Any) -> Carried:
    """Budgets have room for two and a half calls, if they say nothing else."""
    rows = [{"name": f"b{n}", "limit": 25e-6, **row} for n, row in enumerate(budgets)]
    settings = CostSettings.model_validate({"budgets": rows, **more})
    desk: Any = SimpleNamespace(
        settings=settings, prices=FlatPrices(), estimator=Estimator(), budgets=Budgets(settings)
    )
    desk.money = desk.budgets.money
    desk.facts = lambda call, model: Facts(user="ann", model=model)
    return Carried(desk, Payer(user="ann"), "metered", MODEL)


def call(n: int = 1, **changes: Any) -> Call:
    return make_call(id=f"call-{n}", time=time.time(), **changes)


async def levels(till: Till, of: Carried) -> list[tuple[int, int]]:
    reserved = await till.reserve("looking", 0, [share.claim for share in of.shares])
    return [tuple(level) for level in reserved.levels]  # type: ignore[misc]


async def spend(till: Till, of: Carried, nanos: int) -> None:
    shares = of.desk.budgets.of(Facts(user="ann", model=MODEL), of.payer, {"metered"}, time.time())
    till.settle(Settlement("before", [entry("before", nanos)], shares))
    claims = [share.claim for share in shares]
    while not (await till.reserve("looking", 0, claims)).levels[0].spent:
        await asyncio.sleep(0.005)


async def test_what_a_call_may_come_to_is_held_on_each_of_its_budgets(till: Till) -> None:
    one = carried({}, {"per": ["user"]}, {"when": {"model": "claude-*"}})
    await admit(till, call(), one)

    assert one.held == EACH
    assert [share.budget.name for share in one.shares] == ["b0", "b1"]
    assert await levels(till, one) == [(0, EACH), (0, EACH)]


async def test_what_does_not_fit_is_refused_and_holds_nothing(till: Till) -> None:
    for n in range(2):
        await admit(till, call(n), carried({}))
    third = carried({})
    with pytest.raises(Refused, match=r'the budget "b0" of \$0\.000025 a month') as refused:
        await admit(till, call(3), third)

    assert (refused.value.code, refused.value.status) == ("budget_spent", 400)
    assert not third.held
    assert await levels(till, third) == [(0, 2 * EACH)]


async def test_in_observe_mode_it_is_told_and_held_all_the_same(till: Till) -> None:
    one = carried({"limit": 1e-6})
    with pytest.raises(Refused):
        await admit(till, call(policy=OBSERVE), one)

    assert one.held == EACH
    assert await levels(till, one) == [(0, EACH)]


async def test_a_call_that_no_budget_is_for_asks_nobody() -> None:
    one = carried({"when": {"model": "claude-*"}})
    nobody: Any = None
    await admit(nobody, call(), one)

    assert (one.held, one.desk.estimator.asked) == (0, 0)  # type: ignore[attr-defined]


async def test_what_is_free_is_not_held_and_never_refused(till: Till) -> None:
    one = carried({"limit": 0})
    await admit(till, call(operation="models"), one)

    assert not one.held


async def test_a_limit_that_only_warns_refuses_nobody(till: Till) -> None:
    one, asked = carried({"limit": 1e-6, "at_limit": "warn"}), call()
    await spend(till, one, 2_000)
    await admit(till, asked, one)

    assert [(v.action, v.code) for v in asked.verdicts] == [("warn", "budget_low")]
    assert asked.extra_headers[WARNING].startswith('200% spent; budget="b0"; reopens=20')


async def test_what_is_left_is_told_by_policy_of_the_tightest_budget(till: Till) -> None:
    asked = call()
    await admit(till, asked, carried({"limit": 1}, {"name": "é"}, headers=True))

    assert asked.extra_headers[REMAINING].startswith('0.000015 USD; budget="\\xe9"; reopens=20')
    assert WARNING not in asked.extra_headers


SWITCH = {"switch": {"at": "50%", "models": {"gpt-*": "cheap"}}}


async def test_when_money_runs_low_a_cheaper_model_is_asked_for(till: Till) -> None:
    one, asked = carried({**SWITCH, "limit": 1e-3}), call()
    await spend(till, one, 600_000)
    await admit(till, asked, one)

    assert one.model == asked.request.body.json["model"] == "cheap"
    assert [(v.action, v.code) for v in asked.verdicts] == [("change", "model_switched")]
    assert await levels(till, one) == [(600_000, 100)]


async def test_a_cheaper_model_is_asked_for_rather_than_refused(till: Till) -> None:
    one, asked = carried({**SWITCH, "limit": 5e-6}), call()
    await admit(till, asked, one)

    assert (one.model, one.held) == ("cheap", 100)


async def test_a_budget_of_the_dear_model_alone_is_left_with_it(till: Till) -> None:
    one, asked = carried({**SWITCH, "when": {"model": "gpt-*"}, "limit": 5e-6}), call()
    await admit(till, asked, one)

    assert (one.model, one.shares, one.held) == ("cheap", (), 0)


async def test_where_a_route_chose_the_model_nothing_is_switched_and_that_is_told(till: Till) -> None:
    one, asked = carried({**SWITCH, "limit": 1e-3}), call()
    asked.plan = (target("eu", model=MODEL),)
    await spend(till, one, 600_000)
    await admit(till, asked, one)

    assert (one.model, asked.request.body.edited) == (MODEL, False)
    assert asked.verdicts[0].code == "model_not_switched"


async def test_where_the_body_names_no_model_that_is_told(till: Till) -> None:
    one, asked = carried({**SWITCH, "limit": 1e-3}), call(params={"model": MODEL})
    await spend(till, one, 600_000)
    await admit(till, asked, one)

    assert one.model == MODEL
    assert asked.verdicts[0].code == "model_not_switched"


async def test_in_observe_mode_no_model_is_switched(till: Till) -> None:
    one, asked = carried({**SWITCH, "limit": 1e-3}), call(policy=OBSERVE)
    await spend(till, one, 600_000)
    await admit(till, asked, one)

    assert one.model == MODEL
    assert [(v.action, v.code) for v in asked.verdicts] == [("observe", "model_switched")]
