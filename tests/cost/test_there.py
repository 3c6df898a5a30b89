"""Who was asked for what."""

from __future__ import annotations

from dataclasses import replace

from support.costs import attempt, make_call
from tollgate.cost.there import There


def test_a_call_goes_where_its_client_wanted() -> None:
    call = make_call(answered_model="gpt-6-2026", attempts=[attempt(), attempt()])
    first, last = call.attempts

    assert There.of(call) == ("openai", "api.openai.com", "gpt-6", "gpt-6-2026")
    assert There.of(call, "gpt-6-mini", last) == ("openai", "api.openai.com", "gpt-6-mini", "gpt-6-2026")
    assert There.of(call, "gpt-6-mini", first) == ("openai", "api.openai.com", "gpt-6-mini", "")


def test_or_where_a_target_is() -> None:
    there = replace(attempt(), provider="azure", host="a.test", model="prod", answered_model="gpt-5")

    assert There.of(make_call(answered_model="x"), "y", there) == ("azure", "a.test", "prod", "gpt-5")
