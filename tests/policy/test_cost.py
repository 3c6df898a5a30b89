from __future__ import annotations

import pytest
from pydantic import ValidationError

from tollgate.policy.cost import CostSettings, CountingSettings, Currency, PriceSettings


def test_prices_are_in_dollars_and_nothing_is_downloaded() -> None:
    assert PriceSettings().currency == Currency(code="USD", rate=1.0)
    assert PriceSettings().overlays == []
    assert CountingSettings().ranks is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"prices": {"ceiling": -1}},
        {"prices": {"currency": {"code": "euro"}}},
        {"prices": {"currency": {"rate": 0}}},
        {"counting": {"output": -1}},
        {"counting": {"ranks": 1}},
        {"budget": []},
    ],
)
def test_what_makes_no_sense_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        CostSettings.model_validate(wrong)
