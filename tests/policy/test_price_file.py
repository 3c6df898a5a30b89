from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from pydantic import ValidationError

from tollgate.policy.price_file import PriceFile, Row, Tariff


def test_a_price_is_what_was_written() -> None:
    assert Tariff.model_validate({"input": 0.1, "output": 3}).input == Decimal("0.1")
    assert Tariff.model_validate({"output": 3}).output == Decimal(3)


def test_a_row_is_for_everything_it_does_not_rule_out() -> None:
    row = Row.model_validate({"multiply": 0.5})

    assert row.provider == row.model == row.host == row.region == ["*"]


def test_days_are_dates() -> None:
    row = Row.model_validate({"multiply": 0.5, "since": "2026-01-01", "until": "2027-01-01"})

    assert (row.since, row.until) == (date(2026, 1, 1), date(2027, 1, 1))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({}, "nothing here says what it costs"),
        ({"like": "a", "prices": {"input": 1}}, "both say what it costs"),
        ({"prices": {}}, "nothing here says what it costs"),
        ({"prices": {"input": "0,2"}}, "a number, without quotes"),
        ({"multiply": 0}, "greater than 0"),
        ({"multiply": True}, "a number, without quotes"),
        ({"multiply": 2, "since": "soon"}, "a day is written like 2026-12-01"),
        ({"multiply": 2, "since": 2026}, "valid date"),
        ({"multiply": 2, "since": "2027-01-01", "until": "2026-01-01"}, "`since` has to be before `until`"),
        ({"prices": {"input": float("nan")}}, "finite"),
    ],
)
def test_a_row_has_to_make_sense(row: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Row.model_validate(row)


def test_a_file_may_be_empty() -> None:
    assert PriceFile().prices == []
