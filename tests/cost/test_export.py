"""The ledger's rows for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import pytest

from support.costs import NOW
from tollgate.calls import Usage
from tollgate.cost.export import FOCUS_COLUMNS, FORMATS
from tollgate.cost.ledger import Entry
from tollgate.cost.rates import CALL, Rate, bill

ENTRY = Entry(
    id="1",
    attempt=1,
    time=NOW + 0.5,
    user="=cmd()",
    team="platform",
    provider="openai",
    model="gpt-6",
    usage=Usage(input=100, output=20, requests={"web_search": 2}, seconds=1.5),
    cost=5_000,
    charged=5_000,
    parts={"input": 4_000, "output": 1_000, "requests.web_search": 10, "seconds": 3, "call": 5},
    source="flat",
)
FREE = Rate.of(Decimal(0), 1)
MANDATORY = (
    set(FOCUS_COLUMNS[:11])
    | {"ContractedCost", "EffectiveCost", "ListCost", "PricingQuantity"}
    | {
        *(
            "PricingUnit",
            "ProviderName",
            "PublisherName",
            "ServiceCategory",
            "ServiceName",
            "InvoiceIssuerName",
        )
    }
)


def read(lines: Iterable[str]) -> list[dict[str, str]]:
    return list(csv.DictReader("".join(lines).splitlines()))


def test_lines_of_json_are_flat_and_all_alike() -> None:
    entries = [ENTRY, replace(ENTRY, id="2", cost=None, usage=Usage())]
    first, second = (json.loads(line) for line in FORMATS["jsonl"](entries))

    assert first.keys() == second.keys()
    assert (first["time"], first["cost"], second["cost"]) == ("2027-01-15T08:00:00.500Z", 5_000, None)
    assert (first["usage_input"], first["usage_requests"], second["usage_requests"]) == (100, 2, 0)
    assert not any(isinstance(value, dict | list) for value in first.values())


def test_a_cell_of_csv_is_never_a_formula() -> None:
    (row,) = read(FORMATS["csv"]([ENTRY]))

    assert (row["user"], row["team"], row["cost"]) == ("'=cmd()", "platform", "5000")


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_a_ledger_without_rows_is_a_head(form: str) -> None:
    (line,) = FORMATS[form]([])

    assert line.count("\n") == 1


def test_focus_has_its_mandatory_columns_and_sums_by_day_model_and_kind() -> None:
    entries = [ENTRY, replace(ENTRY, id="2"), replace(ENTRY, id="3", time=NOW + 86400)]
    rows = read(FORMATS["focus"](entries))
    first = next(row for row in rows if row["x_TokenType"] == "input")

    assert set(rows[0]) >= MANDATORY
    assert len(rows) == 10
    assert (first["BilledCost"], first["ConsumedQuantity"], first["ConsumedUnit"]) == (
        "0.000008",
        "200",
        "Tokens",
    )
    assert (first["ChargePeriodStart"], first["ChargePeriodEnd"]) == (
        "2027-01-15T00:00:00Z",
        "2027-01-16T00:00:00Z",
    )
    assert (first["BillingPeriodStart"], first["BillingPeriodEnd"]) == (
        "2027-01-01T00:00:00Z",
        "2027-02-01T00:00:00Z",
    )
    assert (first["SkuId"], first["Tags"], first["x_Calls"]) == ("gpt-6/input", '{"team":"platform"}', "2")


def test_what_is_no_token_has_its_own_unit() -> None:
    usage = Usage(input=100, requests={"web_search": 2, "web_fetch": 9}, seconds=1.5)
    rates = {
        "requests.web_search": Rate.of(Decimal(10), 1000),
        "seconds": Rate.of(Decimal(1), 60),
        CALL: FREE,
    }
    entry = replace(ENTRY, usage=usage, parts=bill(usage, rates).parts)
    rows = {row["x_TokenType"]: row for row in read(FORMATS["focus"]([entry, replace(entry, id="2")]))}
    units = {name: (row["ConsumedQuantity"], row["PricingUnit"]) for name, row in rows.items()}

    assert units == {
        "requests.web_search": ("4", "Requests"),
        "seconds": ("3.0", "Seconds"),
        "call": ("2", "Requests"),
    }
    assert rows["requests.web_search"]["BilledCost"] == "0.04"


def test_what_the_provider_reported_is_for_all_tokens() -> None:
    (row,) = read(FORMATS["focus"]([replace(ENTRY, parts={"reported": 5_000})]))

    assert (row["ConsumedQuantity"], row["ConsumedUnit"], row["BilledCost"]) == ("120", "Tokens", "0.000005")


def test_a_column_has_one_type_in_all_rows() -> None:
    seconds = [
        json.loads(line)["usage_seconds"]
        for line in FORMATS["jsonl"]([ENTRY, replace(ENTRY, usage=Usage(seconds=90))])
    ]

    assert [type(value) for value in seconds] == [float, float]


def test_what_plans_paid_is_billed_to_nobody_and_what_is_unknown_is_left_out() -> None:
    plan = replace(ENTRY, paid="subscription", parts={"input": 4_000})
    (row,) = read(FORMATS["focus"]([plan, replace(ENTRY, cost=None)]))

    assert (row["BilledCost"], row["EffectiveCost"], row["ListCost"]) == ("0", "0", "0.000004")
