"""What a call came to: an entry for each attempt that cost something. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from tollgate.calls import Attempt, Call, Target, Usage
from tollgate.cost.budgets import Payer, Share, charged
from tollgate.cost.ledger import AGREED, Entry
from tollgate.cost.plans import paid_by
from tollgate.cost.there import There

if TYPE_CHECKING:
    from tollgate.cost.prices import Price

_ERRORS_FROM = 300
_TOKENS, _NANOS = 10**12, 10**15
"""No call uses or costs as much (a million dollars). Numbers that others made up must not break sums."""


class Prices(Protocol):
    """What a `PriceBook` can say."""

    def of(
        self, call: Call, usage: Usage | None, asked: str = "", attempt: Attempt | None = None
    ) -> Price | None: ...

    def by_names(
        self, provider: str, names: tuple[str, str], usage: Usage, *, host: str, operation: str, time: float
    ) -> Price | None: ...

    def as_agreed(self, source: str, usage: Usage) -> Price | None: ...

    def ceiling(self, provider: str, model: str, usage: Usage) -> int: ...


def expected(prices: Prices, call: Call, model: str, usage: Usage) -> int:
    """Nano-dollars that a call may come to, for a reservation: at the dearest target of its plan."""
    usage = sane(usage)
    tries: Sequence[Attempt | None] = [_try_at(target) for target in call.plan] or [None]
    return max(_expected(prices, call, model, usage, attempt) for attempt in tries)


def _try_at(target: Target) -> Attempt:
    return Attempt(target.name, 0.0, provider=target.provider, host=target.host, model=target.model)


def _expected(prices: Prices, call: Call, model: str, usage: Usage, attempt: Attempt | None) -> int:
    price = prices.of(call, usage, model, attempt)
    if price is None:  # what nobody knows is never taken for free
        there = There.of(call, model, attempt)
        return min(_NANOS, max(1, prices.ceiling(there.provider, there.asked, usage)))
    return min(_NANOS, price.nanos)


@dataclass(frozen=True, slots=True)
class Account:
    """What is the same for all that a call costs."""

    payer: Payer
    paid: str
    """How it is paid where the client wanted it to go, with the client's key."""
    model: str
    """The one asked for at the provider."""
    shares: Sequence[Share] = ()
    """The budgets that it falls under."""
    held: int = 0
    """What they are charged where nobody can say at all."""


def bill(prices: Prices, call: Call, account: Account, counted: Usage | None = None) -> list[Entry]:
    """The entries of a call that is over. `counted`: what the last attempt used as far as we saw it, where
    the provider did not say."""
    if not call.attempts and call.cache == "hit":
        return [_cached(prices, call, account)]
    found = []
    for number, attempt in enumerate(call.attempts, 1):
        usage = counted if counted and attempt is call.attempts[-1] else attempt.usage
        if entry := _attempt(prices, call, account, number, attempt, usage):
            found.append(entry)
    return found


def untold(call: Call) -> bool:
    """True where a model's answer came, and the provider has not said, or not to its end, what it used."""
    if not call.attempts or not call.model:
        return False
    last = call.attempts[-1]
    return _came(last) and (last.usage is None or not last.complete)


def sane(usage: Usage) -> Usage:
    """The same without numbers that no answer can have."""
    if usage.total <= _TOKENS and not usage.requests and usage.reported_cost is None:
        return usage
    counts = {
        f.name: min(getattr(usage, f.name), _TOKENS) for f in fields(usage) if f.type in ("int", "float")
    }
    requests = usage.requests and {name: min(number, _TOKENS) for name, number in usage.requests.items()}
    dollars = usage.reported_cost and min(usage.reported_cost, _NANOS / 10**9)
    return replace(usage, **counts, requests=requests, reported_cost=dollars)


def total(entries: Sequence[Entry]) -> int | None:
    """What they cost together; None where that of one is not known."""
    costs = [entry.cost for entry in entries]
    return None if None in costs else sum(cost or 0 for cost in costs)


def reprice(prices: Prices, entry: Entry) -> Entry:
    """The same entry at the prices of this book; itself where it knows none either."""
    price = _again(prices, entry)
    if price is None:
        return entry
    return replace(entry, **(_money(price) if entry.attempt else _saved(price)))


def _orders(call: Call) -> bool:
    """Whether a call has batches made, whose models stand in files or in each of their requests."""
    return call.operation == "batches" and not call.client_request.path.endswith("cancel")


def _again(prices: Prices, entry: Entry) -> Price | None:
    if entry.source.startswith(AGREED):
        return prices.as_agreed(entry.source, entry.usage)
    return prices.by_names(
        entry.provider,
        (entry.asked, entry.model),
        entry.usage,
        host=entry.host,
        operation=entry.operation,
        time=entry.time,
    )


def _came(attempt: Attempt) -> bool:
    """Whether an answer came. A provider bills no error, in a stream either, and nothing unsaid."""
    return attempt.status is not None and attempt.status < _ERRORS_FROM and not attempt.fruitless


def _attempt(
    prices: Prices, call: Call, account: Account, number: int, attempt: Attempt, usage: Usage | None
) -> Entry | None:
    """None where it cost nothing: it failed, or is free."""
    if usage is None and not (_came(attempt) and (call.model or _orders(call))):
        return None
    usage = sane(usage or Usage())
    price = prices.of(call, usage, account.model, attempt)
    there = There.of(call, account.model, attempt)
    if price is None:
        ceiling = prices.ceiling(there.provider, there.asked, usage) if usage.total else account.held
        money: dict[str, Any] = {"charged": min(_NANOS, ceiling)}
    elif not price.nanos and (price.source == "free" or not usage.total):
        return None
    else:
        money = _money(price)
    paid = paid_by(call, attempt)
    return _entry(call, account, there, number, attempt.status, usage, paid, **money)


def _cached(prices: Prices, call: Call, account: Account) -> Entry:
    """An answer of our cache costs nothing; what it did cost once is saved."""
    usage = sane(call.usage or Usage())
    price = prices.of(call, usage, account.model)
    there, saved = There.of(call, account.model), _saved(price) if price else {}
    return _entry(call, account, there, 0, call.status, usage, account.paid, cost=0, **saved)


def _saved(price: Price) -> dict[str, Any]:
    return {"cache_saved": min(_NANOS, price.nanos), "source": price.source}


def _money(price: Price) -> dict[str, Any]:
    left_out = f", without {', '.join(price.unpriced)}" if price.unpriced else ""
    return {
        "cost": min(_NANOS, price.nanos),
        "charged": min(_NANOS, price.nanos),
        "saved": price.saved,
        "parts": price.parts,
        "source": price.source + left_out,
    }


def _entry(
    call: Call,
    account: Account,
    there: There,
    number: int,
    status: int | None,
    usage: Usage,
    paid: str,
    **money: Any,
) -> Entry:
    payer = account.payer
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
        provider=there.provider,
        host=there.host,
        asked=there.asked,
        model=there.answered or there.asked,
        operation=call.operation,
        paid=paid,
        status=status,
        usage=usage,
        purses=tuple(share.claim.purse for share in charged(account.shares, paid)),
        **money,
    )
