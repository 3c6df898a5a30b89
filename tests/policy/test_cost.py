"""What a policy says of costs."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from tollgate.policy import PolicyError, load
from tollgate.policy.cost import CostSettings, CountingSettings, Currency, PriceSettings


def problems(tmp_path: Path, text: str) -> list[str]:
    file = tmp_path / "p.yaml"
    file.write_text(text)
    with pytest.raises(PolicyError) as e:
        load([file])
    return [str(problem) for problem in e.value.problems]


def test_an_unknown_time_zone_is_told_with_its_place(tmp_path: Path) -> None:
    told = problems(tmp_path, "cost:\n  timezone: Europe/Atlantis\n")

    assert ":2" in told[0]
    assert "Europe/Berlin" in told[0]


def test_two_budgets_may_not_share_a_name(tmp_path: Path) -> None:
    told = problems(tmp_path, "cost:\n  budgets:\n  - {name: a, limit: 1}\n  - {name: a, limit: 2}\n")

    assert '"a"' in told[0]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_known_zones_are_taken(tmp_path: Path, zone: str) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(f"cost: {{timezone: {zone}}}")

    assert load([file]).file.cost.timezone == zone


def test_prices_are_in_dollars_and_nothing_is_downloaded() -> None:
    assert PriceSettings().currency == Currency(code="USD", rate=1.0)
    assert PriceSettings().overlays == []
    assert CountingSettings().ranks is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"prices": {"ceiling": -1}},
        {"prices": {"ceiling": 1e300}},
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
