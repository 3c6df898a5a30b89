"""The ledger's rows for other programs: CSV, lines of JSON, and FOCUS. Pure."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import orjson

from tollgate.calls import Usage
from tollgate.cost.ledger import COLUMNS, Entry
from tollgate.cost.money import NANOS
from tollgate.cost.rates import CALL

_USAGE = tuple(f.name for f in fields(Usage))
_PLAIN = tuple(name for name in COLUMNS if name not in ("usage", "parts", "purses"))

FOCUS_COLUMNS = (
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
    "x_TokenType",
    "x_PaidBy",
    "x_Calls",
    "x_PriceSource",
)
"""Of FOCUS 1.2: https://focus.finops.org/focus-specification/v1-2/ . Its mandatory columns, some that fit,
and ours, which begin with x_. An estimate and no invoice: BilledCost is what we worked out."""


def rows(entries: Iterable[Entry]) -> Iterator[dict[str, Any]]:
    """Flat rows, each with the same columns, as Parquet and spreadsheets want them. Money in nano-dollars."""
    for entry in entries:
        row = {name: getattr(entry, name) for name in _PLAIN}
        used = {f"usage_{name}": getattr(entry.usage, name) for name in _USAGE}
        used["usage_requests"] = sum((entry.usage.requests or {}).values())
        used["usage_seconds"] = float(entry.usage.seconds)  # one type in all rows
        yield {**row, "time": _moment(entry.time), **used}


def as_jsonl(entries: Iterable[Entry]) -> Iterator[str]:
    return (orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE).decode() for row in rows(entries))


def as_csv(entries: Iterable[Entry]) -> Iterator[str]:
    names = [*_PLAIN, *(f"usage_{name}" for name in _USAGE)]
    return _csv(names, rows(entries))


def as_focus(entries: Iterable[Entry]) -> Iterator[str]:
    """One row for each day, model, kind of token, team and project, in UTC, as the standard wants it. Calls
    whose price is not known are left out: a row without a cost is none."""
    return _csv(FOCUS_COLUMNS, focus_rows(entries))


FORMATS: Mapping[str, Callable[[Iterable[Entry]], Iterator[str]]] = {
    "csv": as_csv,
    "jsonl": as_jsonl,
    "focus": as_focus,
}


class _Key(NamedTuple):
    day: datetime
    provider: str
    model: str
    part: str
    team: str
    project: str
    paid: str
    source: str


class _Sum:
    __slots__ = ("calls", "nanos", "quantity")

    def __init__(self) -> None:
        self.calls = self.nanos = 0
        self.quantity = Decimal(0)


def focus_rows(entries: Iterable[Entry]) -> Iterator[dict[str, object]]:
    sums: dict[_Key, _Sum] = defaultdict(_Sum)
    for entry in entries:
        for part, nanos in entry.parts.items() if entry.cost is not None else ():
            each = sums[_key(entry, part)]
            each.calls += 1
            each.nanos += nanos
            each.quantity += _quantity(entry.usage, part)
    return (_focus_row(key, sums[key]) for key in sorted(sums))


def _key(entry: Entry, part: str) -> _Key:
    day = datetime.fromtimestamp(entry.time, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    names = (entry.provider, entry.model, part, entry.team, entry.project, entry.paid, entry.source)
    return _Key(day, *names)


_UNITS = {"requests": "Requests", CALL: "Requests", "seconds": "Seconds"}
"""Of the parts of a cost that are no tokens."""


def _quantity(usage: Usage, part: str) -> Decimal:
    """How much was used of a part of the cost: tokens, requests or seconds."""
    name, _, tool = part.partition(".")
    if name == "requests":
        return Decimal((usage.requests or {}).get(tool, 0))
    if name == CALL:
        return Decimal(1)
    return Decimal(str(usage.total if name == "reported" else getattr(usage, name)))


def _focus_row(key: _Key, each: _Sum) -> dict[str, object]:
    month = key.day.replace(day=1)
    cost = f"{Decimal(each.nanos) / NANOS:f}"
    billed = cost if key.paid == "metered" else "0"
    unit = _UNITS.get(key.part.partition(".")[0], "Tokens")
    what = f"{key.model}: {key.part.replace('_', ' ').replace('.', ': ')}"
    tags = {name: value for name, value in (("team", key.team), ("project", key.project)) if value}
    return {
        "BilledCost": billed,
        "BillingAccountId": key.provider,
        "BillingAccountName": key.provider,
        "BillingCurrency": "USD",
        "BillingPeriodEnd": _stamp((month + timedelta(days=31)).replace(day=1)),
        "BillingPeriodStart": _stamp(month),
        "ChargeCategory": "Usage",
        "ChargeClass": None,
        "ChargeDescription": what,
        "ChargePeriodEnd": _stamp(key.day + timedelta(days=1)),
        "ChargePeriodStart": _stamp(key.day),
        "ConsumedQuantity": f"{each.quantity:f}",
        "ConsumedUnit": unit,
        "ContractedCost": cost,
        "EffectiveCost": billed,
        "InvoiceIssuerName": key.provider,
        "ListCost": cost,
        "PricingQuantity": f"{each.quantity:f}",
        "PricingUnit": unit,
        "ProviderName": key.provider,
        "PublisherName": key.provider,
        "ServiceCategory": "AI and Machine Learning",
        "ServiceName": key.provider,
        "SkuId": f"{key.model}/{key.part}",
        "SubAccountId": key.team or None,
        "SubAccountName": key.team or None,
        "Tags": orjson.dumps(tags).decode() if tags else None,
        "x_TokenType": key.part,
        "x_PaidBy": key.paid,
        "x_Calls": each.calls,
        "x_PriceSource": key.source,
    }


def _csv(names: Sequence[str], found: Iterable[Mapping[str, object]]) -> Iterator[str]:
    """Lines of CSV. Cells that a spreadsheet would take for a formula get a quote before them: users, teams
    and models are words that others chose."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, names, lineterminator="\n")
    writer.writeheader()
    for row in found:
        writer.writerow({name: _harmless(row[name]) for name in names})
        yield _taken(buffer)
    if rest := _taken(buffer):
        yield rest


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def _taken(buffer: io.StringIO) -> str:
    text = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return text


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
