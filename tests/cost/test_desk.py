"""What one policy says of money: whom a call is put down to, and what budgets look at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from multidict import CIMultiDict

from support.costs import make_call
from tollgate.calls import Runtime
from tollgate.cost.desk import Desk
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester


def desk(**policy: Any) -> Desk:
    file = PolicyFile.model_validate(policy)
    return Desk(Runtime(Policy(file), Providers.builtin(), Path(), Digester(b"k")))


GROUPS = {"identification": {"groups": {"platform": ["ann"], "all": "*"}}}


@pytest.mark.parametrize(
    ("policy", "headers", "team"),
    [
        (GROUPS, {"x-tollgate-team": "sales"}, "platform"),
        ({}, {"x-tollgate-team": "sales"}, "sales"),
        ({"cost": {"team_headers": ["x-a", "x-b"]}}, {"x-a": "", "x-b": "research"}, "research"),
        ({}, {"x-tollgate-team": "a\x1b[31m" + "b" * 500}, "a[31m" + "b" * 122),
        ({}, {}, ""),
    ],
)
def test_a_team_is_the_users_first_group_or_what_a_header_says(
    policy: dict[str, Any], headers: dict[str, str], team: str
) -> None:
    payer = desk(**policy).payer(make_call(headers=CIMultiDict(headers)))

    assert (payer.user, payer.team, payer.project, payer.tool) == ("ann", team, "shop", "codex")


def test_budgets_look_at_the_same_facts_as_rules_and_at_the_model_that_is_asked_for() -> None:
    call = make_call(headers=CIMultiDict({"user-agent": "codex/1", "x-env": "ci"}))
    facts = desk(**GROUPS).facts(call, "gpt-6-mini")

    assert (facts.user, facts.groups, facts.client) == ("ann", ("platform", "all"), "10.0.0.9")
    assert (facts.user_agent, facts.headers["x-env"]) == ("codex/1", "ci")
    assert (facts.host, facts.provider, facts.dialect) == ("api.openai.com", "openai", "openai-chat")
    assert (facts.operation, facts.model) == ("chat", "gpt-6-mini")


def test_an_estimator_that_has_learned_is_used_further() -> None:
    first = desk()
    again = Desk(Runtime(Policy(PolicyFile()), Providers.builtin(), Path(), Digester(b"k")), first.estimator)

    assert again.estimator is first.estimator


def test_a_quote_is_by_what_a_call_may_use_and_nothing_where_nobody_knows() -> None:
    call, asks = make_call(), desk(cost={"counting": {"output": 1000}})
    small, large = (asks.quote(call, "openai", "api.openai.com", m) for m in ("gpt-4o-mini", "gpt-4o"))

    assert small is not None
    assert large is not None
    assert 0 < small < large
    assert asks.quote(call, "openai", "api.openai.com", "a-model-of-nobody") is None
