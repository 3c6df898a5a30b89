"""What a policy says of budgets."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tollgate.policy.budgets import Budget, Switch


@pytest.mark.parametrize(("written", "share"), [("80%", 0.8), ("0.5", 0.5), (0.25, 0.25), (" 150% ", 1.5)])
def test_a_share_is_a_number_or_a_percentage(written: Any, share: float) -> None:
    assert Budget(name="x", limit=1, warn_at=[written]).warn_at == [share]


@pytest.mark.parametrize("wrong", ["most", "", "%", 0, -0.1, 11.0])
def test_what_is_no_share_is_refused(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Budget(name="x", limit=1, warn_at=[wrong])


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"limit": -1},
        {"limit": float("inf")},
        {"every": "year"},
        {"per": ["planet"]},
        {"counts": "some"},
    ],
)
def test_what_no_budget_can_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate({"name": "x", "limit": 1, **wrong})


def test_a_switch_has_to_say_to_what() -> None:
    with pytest.raises(ValidationError):
        Switch(models={})
