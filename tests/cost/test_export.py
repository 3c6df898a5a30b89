"""The ledger's rows for other programs."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from support.costs import NOW
from tollgate.calls import Usage
from tollgate.cost.export import FOCUS_COLUMNS, FORMATS
from tollgate.cost.ledger import Entry

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
    parts={"input": 4_000, "output": 1_000, "requests": 10, "reported": 5},
    source="flat",
)
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
    assert len(rows) == 8
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
    rows = {row["x_TokenType"]: row for row in read(FORMATS["focus"]([ENTRY]))}

    assert (rows["requests"]["ConsumedUnit"], rows["requests"]["ConsumedQuantity"]) == ("Requests", "2")
    assert rows["reported"]["ConsumedQuantity"] == "1"


def test_what_plans_paid_is_billed_to_nobody_and_what_is_unknown_is_left_out() -> None:
    plan = replace(ENTRY, paid="subscription", parts={"input": 4_000})
    (row,) = read(FORMATS["focus"]([plan, replace(ENTRY, cost=None)]))

    assert (row["BilledCost"], row["EffectiveCost"], row["ListCost"]) == ("0", "0", "0.000004")
