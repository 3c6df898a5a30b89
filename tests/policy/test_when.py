"""Which calls something in a policy is for."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from tollgate.policy.when import When


def test_one_pattern_may_stand_without_a_list() -> None:
    assert When.model_validate({"model": "gpt-*"}).model == ["gpt-*"]


def test_left_out_it_is_for_every_call() -> None:
    assert not When().model_fields_set


@pytest.mark.parametrize(
    "wrong",
    [
        {"client": "10.0.0.0/99"},
        {"model": []},
        {"modle": "x"},
        {"model": None},
        {"headers": None},
        {"headers": {"x team": "a"}},
    ],
)
def test_what_can_never_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        When.model_validate(wrong)
