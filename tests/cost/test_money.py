"""Money, as people and programs read it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tollgate.cost.money import Money
from tollgate.policy.cost import Currency

EURO = Money.of(Currency(code="EUR", rate=0.8))
FRANC = Money("CHF", Decimal(2))


@pytest.mark.parametrize(
    ("nanos", "shown"),
    [
        (0, "$0.00"),
        (1, "$0.000000001"),
        (1_234_500, "$0.0012"),
        (99_000_000, "$0.099"),
        (120_000_000, "$0.12"),
        (1_234_567_890_123, "$1,234.57"),
        (-2_500_000_000, "-$2.50"),
    ],
)
def test_money_is_shown_with_as_many_places_as_can_be_read(nanos: int, shown: str) -> None:
    assert Money().show(nanos) == shown


def test_another_currency_has_its_rate() -> None:
    assert EURO.show(10 * 10**9) == "€8.00"
    assert FRANC.show(10**9) == "2.00 CHF"
    assert EURO.nanos(8.0) == 10 * 10**9


def test_an_amount_is_not_off_by_what_floats_are() -> None:
    assert Money().nanos(0.1) == 100_000_000
    assert Money().nanos(19.99) == 19_990_000_000


@pytest.mark.parametrize(
    ("nanos", "plain"),
    [(0, "0 USD"), (1_234_500, "0.0012345 USD"), (100 * 10**9, "100 USD"), (-1, "-0.000000001 USD")],
)
def test_for_programs_nothing_is_rounded(nanos: int, plain: str) -> None:
    assert Money().plain(nanos) == plain
