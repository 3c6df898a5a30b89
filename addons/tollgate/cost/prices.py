"""What a call costs, in nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from types import MappingProxyType

from tollgate.calls import Attempt, Call, Usage
from tollgate.cost.ledger import AGREED
from tollgate.cost.overlay import Entry, rates_of, read_entries, read_overlays
from tollgate.cost.public import SOURCE, PublicPrices
from tollgate.cost.rates import TOKENS, Rates, bill, times
from tollgate.cost.tables import text_of
from tollgate.cost.there import There
from tollgate.policy.cost import PriceSettings
from tollgate.policy.price_file import Tariff
from tollgate.providers import Providers

FREE = frozenset({"count_tokens", "models", "files", "uploads"})
"""Operations that nobody bills: https://platform.claude.com/docs/en/build-with-claude/token-counting#pricing"""

ASKED_FIRST = frozenset({"bedrock", "bedrock-mantle"})
"""Providers whose answers name the model, but not the scope that it was asked for in: global. or us."""

_NANOS = 1_000_000_000
_NOTHING_AGREED: Mapping[str, Tariff] = MappingProxyType({})
_LONGEST = 256
"""Characters of a model's name; clients choose it, and what was found is remembered by it."""


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs, or would cost if it were billed by the token. All money in nano-dollars."""

    nanos: int
    source: str
    """Who says so: "genai-prices 0.2.3", "overlay", "target eu", "reported", "free"."""
    parts: Mapping[str, int]
    """By field of `Usage`, "requests.<tool>" and "call"; they add up to `nanos`."""
    saved: int
    """What the provider's prompt cache saved against uncached input; less than 0 where it only wrote."""
    unpriced: tuple[str, ...] = ()
    """What is left out because its price is not known: "requests.code_interpreter", "tier ultrafast"."""


NOTHING = Price(0, "free", {}, 0)
"""What a call costs that was refused, failed, or is never billed."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What prices depend on, besides the model and how much was used. `minute` since 1970."""

    host: str
    tier: str
    speed: str
    region: str
    minute: int

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.minute * 60, UTC)


@dataclass(frozen=True, slots=True)
class Known:
    """The rates for a model, and who says so."""

    rates: Rates
    source: str
    unsure: tuple[str, ...] = ()


class PriceBook:
    """What tokens cost. Built once, then never changed; any thread may ask.

    ValueError, naming file, line and key, for a price file that cannot be used.
    """

    def __init__(
        self,
        settings: PriceSettings,
        providers: Providers | None = None,
        agreed: Mapping[str, Tariff] = _NOTHING_AGREED,
    ) -> None:
        """`agreed`: what was agreed for the policy's targets, by their names."""
        self._settings = settings
        self._agreed = {
            f"{AGREED}{name}": Known(rates_of(tariff), f"{AGREED}{name}") for name, tariff in agreed.items()
        }
        self._public = PublicPrices()
        self._ids = {row.id: row.prices for row in (providers or Providers.builtin()).rows}
        self._own = read_overlays(settings.overlays)
        self._shipped = tuple(read_entries(text_of("prices.yaml"), "prices.yaml"))
        self._check_likes()
        self._rates = lru_cache(maxsize=4096)(self._find)

    def price(
        self, provider: str, model: str, usage: Usage, *, host: str, operation: str, time: float
    ) -> Price | None:
        """What this usage costs; None where nobody knows. `provider` is Tollgate's id, `model` the one that
        the answer names, or the one that was asked for; `time` is in seconds since 1970."""
        if operation in FREE:
            return NOTHING
        terms = Terms(host, usage.tier, usage.speed, usage.region, int(time // 60))
        found = self._rates(provider, model, terms) if len(model) <= _LONGEST else None
        if usage.reported_cost is not None and (found is None or found.source != "overlay"):
            return _reported(usage.reported_cost, usage, found)
        return _priced(usage, found) if found else None

    def of(
        self, call: Call, usage: Usage | None, asked: str = "", attempt: Attempt | None = None
    ) -> Price | None:
        """What a call costs whose answer used this, None for no answer. `asked`: the model asked for at the
        provider, where that is another one than the client's. `attempt`: the try at a target that used it."""
        if usage is None or call.request.method not in ("POST", "PUT") or call.operation in FREE:
            return NOTHING  # what is asked for again (a stored answer, a batch's state) was billed before
        if attempt is not None and (agreed := self._agreed.get(f"{AGREED}{attempt.target}")):
            return _priced(usage, agreed)
        there, operation = There.of(call, asked, attempt), call.operation
        names = there.asked, there.answered
        return self.by_names(
            there.provider, names, usage, host=there.host, operation=operation, time=call.time
        )

    def as_agreed(self, source: str, usage: Usage) -> Price | None:
        """What this usage costs of the target that `source` names, at what is agreed for it now; None where
        that is nothing."""
        agreed = self._agreed.get(source.partition(", ")[0])
        return _priced(usage, agreed) if agreed else None

    def by_names(
        self,
        provider: str,
        names: tuple[str, str],
        usage: Usage,
        *,
        host: str,
        operation: str,
        time: float,
    ) -> Price | None:
        """What this usage costs of the model that is called so where it was asked for, and where it answered.
        A company's own row for the name that was asked for, such as a deployment's, goes before the price of
        the model that answered."""
        prices = [
            self.price(provider, name, usage, host=host, operation=operation, time=time)
            for name in dict.fromkeys(filter(None, names)) or ("",)
        ]
        known = [price for price in prices if price]
        own = [price for price in known if price.source == "overlay"]
        return next(iter(own or (known if provider in ASKED_FIRST else known[::-1])), None)

    def ceiling(self, provider: str, model: str, usage: Usage) -> int:
        """Nano-dollars that a budget is charged for what has no known price, before it is repriced."""
        return round(usage.total * self._settings.ceiling * 1000)

    def _find(self, provider: str, model: str, terms: Terms) -> Known | None:
        """The rates, by the first of a company's own rows that fits, or else in public."""
        row = _first(self._own, provider, model, terms)
        if row is None:
            return self._in_public(provider, model, terms)
        if row.row.prices is not None:
            return Known(times(rates_of(row.row.prices), row.row.multiply), "overlay")
        like = row.row.like
        base = self._like(provider, like, terms) if like else self._in_public(provider, model, terms)
        return base and replace(base, rates=times(base.rates, row.row.multiply), source="overlay")

    def _like(self, provider: str, like: str, terms: Terms) -> Known | None:
        """What `like` names: a model of the call's own provider, whose name may have a slash in it, or one of
        the provider that stands before the slash."""
        other, _, name = like.partition("/")
        return self._in_public(provider, like, terms) or (
            self._in_public(other, name, terms) if name else None
        )

    def _in_public(self, provider: str, model: str, terms: Terms) -> Known | None:
        row = _first(self._shipped, provider, model, terms)
        if row is not None and row.row.prices is not None:
            return Known(rates_of(row.row.prices), "free")
        if not (id_ := self._ids.get(provider, "")):
            return None
        found = self._public.find(id_, model, terms.tier, terms.speed, terms.moment)
        if found is None:
            return None
        rates = times(found.rates, row.row.multiply) if row else found.rates
        return Known(rates, SOURCE, found.unsure)

    def _check_likes(self) -> None:
        """Every `like` has to name something that has a price, or its rows would price nothing."""
        anywhere = Terms("", "", "", "", 0)
        for entry in self._own:
            like = entry.row.like
            providers = ["", *(id_ for id_ in self._ids if entry.provider.matches((id_,)))]
            found = [self._like(id_, like, anywhere) for id_ in providers] if like else []
            if like and not any(known and known.source == SOURCE for known in found):
                raise entry.wrong(
                    f'`like` names "{like}", of which no public price is known; write a model\'s own name, '
                    "with its provider before it where that is another one: openai/gpt-5.4"
                )


def _first(entries: tuple[Entry, ...], provider: str, model: str, terms: Terms) -> Entry | None:
    day = terms.moment.date()
    fitting = (row for row in entries if row.fits(provider, model, terms.host, terms.region, day))
    return next(fitting, None)


def _priced(usage: Usage, found: Known) -> Price | None:
    """None where any tokens have no price, which may be most of the call; and where an answer that is not
    free says nothing of how much it was."""
    told = bill(usage, found.rates)
    if not told.parts and any(rate.costs for rate in found.rates.values()):
        return None
    if any(name in TOKENS for name in told.unpriced):
        return None
    if "seconds" in told.unpriced and not usage.total:
        return None
    unpriced = (*told.unpriced, *found.unsure)
    return Price(sum(told.parts.values()), found.source, told.parts, told.saved, unpriced)


def _reported(dollars: float, usage: Usage, found: Known | None) -> Price:
    """The provider's own figure, which knows of discounts that no list has."""
    nanos = round(dollars * _NANOS)
    return Price(nanos, "reported", {"reported": nanos}, bill(usage, found.rates).saved if found else 0)
