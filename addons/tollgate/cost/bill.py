"""What a call came to: an entry for each attempt that cost something. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from tollgate.calls import Attempt, Call, Usage
from tollgate.cost.budgets import Payer
from tollgate.cost.ledger import Entry

if TYPE_CHECKING:
    from tollgate.cost.prices import Price

_ERRORS_FROM = 300
FREE = "free"
"""The source of a price that nobody asks: counting tokens, listing models."""


class Prices(Protocol):
    """What a `PriceBook` can say."""

    def price(
        self, provider: str, model: str, usage: Usage, *, host: str, operation: str, time: float
    ) -> Price | None: ...

    def ceiling(self, provider: str, model: str, usage: Usage) -> int: ...


def expected(prices: Prices, call: Call, model: str, usage: Usage) -> int:
    """Nano-dollars that a call may come to, for a reservation."""
    price = _price(prices, call, model, usage)
    if price is not None:
        return price.nanos
    return max(1, prices.ceiling(call.provider, model, usage))  # what nobody knows is never taken for free


def bill(
    prices: Prices, call: Call, payer: Payer, paid: str, model: str, counted: Usage | None = None
) -> list[Entry]:
    """The entries of a call that is over. `model`: the one asked for at the provider. `counted`: what the
    last attempt used as far as we saw it, where the provider did not say."""
    if not call.attempts and call.cache == "hit":
        return _cached(prices, call, payer, paid, model)
    found = [
        _attempt(
            prices, call, n, attempt, payer, paid, model, counted if attempt is call.attempts[-1] else None
        )
        for n, attempt in enumerate(call.attempts, 1)
    ]
    return [entry for entry in found if entry is not None]


def total(entries: Sequence[Entry]) -> int | None:
    """What they cost together; None where that of one is not known."""
    costs = [entry.cost for entry in entries]
    return None if None in costs else sum(cost or 0 for cost in costs)


def reprice(prices: Prices, entry: Entry) -> Entry:
    """The same entry at the prices of today's book; itself where nothing is known of it now either."""
    price = prices.price(
        entry.provider, entry.model, entry.usage, host=entry.host, operation=entry.operation, time=entry.time
    )
    if price is None:
        return entry
    if not entry.attempt:
        return replace(entry, cache_saved=price.nanos, source=price.source)
    return _with_price(entry, price)


def _attempt(
    prices: Prices,
    call: Call,
    number: int,
    attempt: Attempt,
    payer: Payer,
    paid: str,
    asked: str,
    counted: Usage | None,
) -> Entry | None:
    """None where it cost nothing: a provider bills no error, and some things are free."""
    usage = counted or attempt.usage
    if usage is None and (attempt.status is None or attempt.status >= _ERRORS_FROM):
        return None
    usage = usage or Usage()
    model = call.answered_model or asked
    price = _price(prices, call, model, usage) or _price(prices, call, asked, usage)
    if price is None and not (usage.total or model):
        return None
    if price is not None and (price.source == FREE or not (price.nanos or usage.total)):
        return None
    entry = _entry(call, number, payer, paid, model, usage, attempt.status)
    if price is None:
        return replace(entry, charged=prices.ceiling(call.provider, model, usage))
    return _with_price(entry, price)


def _cached(prices: Prices, call: Call, payer: Payer, paid: str, asked: str) -> list[Entry]:
    """An answer of our cache costs nothing; what it did cost once is saved."""
    usage, model = call.usage or Usage(), call.answered_model or asked
    price = _price(prices, call, model, usage) or _price(prices, call, asked, usage)
    entry = _entry(call, 0, payer, paid, model, usage, call.status)
    saved, source = (price.nanos, price.source) if price else (0, "")
    return [replace(entry, cost=0, cache_saved=saved, source=source)]


def _price(prices: Prices, call: Call, model: str, usage: Usage) -> Price | None:
    return prices.price(
        call.provider, model, usage, host=call.request.host, operation=call.operation, time=call.time
    )


def _entry(
    call: Call, number: int, payer: Payer, paid: str, model: str, usage: Usage, status: int | None
) -> Entry:
    return Entry(
        id=call.id,
        attempt=number,
        time=call.time,
        user=payer.user,
        team=payer.team,
        project=payer.project,
        session=payer.session,
        credential=payer.credential,
        tool=payer.tool,
        provider=call.provider,
        host=call.request.host,
        model=model,
        operation=call.operation,
        paid=paid,
        status=status,
        usage=usage,
    )


def _with_price(entry: Entry, price: Price) -> Entry:
    return replace(
        entry,
        cost=price.nanos,
        charged=price.nanos,
        saved=price.saved,
        parts=price.parts,
        source=price.source,
    )
