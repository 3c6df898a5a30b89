from __future__ import annotations

import pytest

from tollgate.cost.overlay import read_entries
from tollgate.cost.tables import read_table, text_of
from tollgate.policy.part import Part
from tollgate.policy.problem import PolicyError


class Nothing(Part):
    one: int = 1


def test_a_table_that_is_not_what_it_should_be_says_where() -> None:
    with pytest.raises(PolicyError, match=r"plans\.yaml:\d+: rows: unknown key"):
        read_table("plans.yaml", Nothing)


def test_every_price_of_our_own_has_its_source() -> None:
    text = text_of("prices.yaml")

    assert text.count("https://") >= len(list(read_entries(text, "prices.yaml"))) - 1
