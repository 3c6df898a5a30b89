from __future__ import annotations

from decimal import Decimal

import pytest

from tollgate.calls import Usage
from tollgate.cost.rates import CALL, TOKENS, Rate, bill, times

DOLLAR = Rate.of(Decimal(1))
"""A dollar for a million tokens is 1,000 nano-dollars for one."""


def test_every_count_of_tokens_in_a_usage_is_a_field_with_a_rate() -> None:
    usage = Usage()
    for name in TOKENS:
        setattr(usage, name, 1)

    assert usage.total == len(TOKENS)
    assert set(usage.as_dict()) == set(TOKENS)


@pytest.mark.parametrize(
    ("dollars", "per", "count", "nanos"),
    [
        ("1", 1_000_000, 1, 1_000),
        ("0.005", 1_000_000, 1, 5),
        ("0.0005", 1_000_000, 1, 1),  # half a nano-dollar
        ("0.0004", 1_000_000, 1, 0),
        ("0.0004", 1_000_000, 3, 1),
        ("0.13", 1_000_000, 7, 910),
        ("10", 1000, 3, 30_000_000),
        ("0.111", 3600, 10, 308_333),
        ("0.36", 3600, 2.5, 250_000),
        ("0.36", 3600, 0.000001, 0),
        ("30", 1_000_000, 10**12, 30_000 * 10**12),
    ],
)
def test_money_is_exact_to_the_nano_dollar(dollars: str, per: int, count: float, nanos: int) -> None:
    assert Rate.of(Decimal(dollars), per).nanos(count, 0) == nanos


def test_a_long_input_makes_all_of_it_dearer() -> None:
    rate = Rate.stepped([(-1, Decimal(1)), (200, Decimal(2)), (500, Decimal(4))])

    assert [rate.nanos(1, inputs) for inputs in (0, 200, 201, 500, 501)] == [
        1_000,
        1_000,
        2_000,
        2_000,
        4_000,
    ]


def test_a_discount_is_on_every_step() -> None:
    rate = Rate.stepped([(-1, Decimal(1)), (200, Decimal(2))]).times(Decimal("0.85"))

    assert [rate.nanos(1, inputs) for inputs in (0, 201)] == [850, 1_700]


def test_a_discount_is_on_tokens_and_on_nothing_else() -> None:
    rates = {"input": DOLLAR, "requests.web_search": DOLLAR}

    halved = times(rates, Decimal("0.5"))
    assert halved["input"].nanos(1, 1) == 500
    assert halved["requests.web_search"] == DOLLAR
    assert times(rates, Decimal(1)) is rates


def test_a_bill_has_a_part_for_each_field_that_was_used() -> None:
    usage = Usage(input=1, output=2, seconds=3.0, requests={"web_search": 4})
    rates = dict.fromkeys(("input", "output", "reasoning", "seconds", "requests.web_search", CALL), DOLLAR)

    told = bill(usage, rates)
    assert told.parts == {
        "input": 1_000,
        "output": 2_000,
        "seconds": 3_000,
        "requests.web_search": 4_000,
        CALL: 1_000,
    }
    assert (told.unpriced, told.saved) == ((), 0)


def test_what_has_no_rate_is_told() -> None:
    told = bill(Usage(input=1, output_audio=2, requests={"mail": 1}), {"input": DOLLAR})

    assert told.parts == {"input": 1_000}
    assert told.unpriced == ("output_audio", "requests.mail")


def test_saved_is_what_the_cache_left_off_the_input() -> None:
    rates = {"input": DOLLAR, "cache_read": Rate.of(Decimal("0.1")), "cache_write": Rate.of(Decimal("1.25"))}

    assert bill(Usage(cache_read=100), rates).saved == 90_000
    assert bill(Usage(cache_read=100, cache_write=100), rates).saved == 65_000
    assert bill(Usage(cache_read=100), {"cache_read": DOLLAR}).saved == 0


def test_the_whole_input_decides_the_step_cache_and_media_too() -> None:
    rates = {
        name: Rate.stepped([(-1, Decimal(1)), (99, Decimal(2))])
        for name in ("input", "cache_read", "input_image", "output")
    }

    assert bill(Usage(input=1, cache_read=98, input_image=1, output=1), rates).parts["output"] == 2_000
    assert bill(Usage(input=1, cache_read=98, output=500), rates).parts["output"] == 500_000
