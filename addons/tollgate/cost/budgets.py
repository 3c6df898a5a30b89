"""Which budgets a call falls under, how full they are, and what is said when one is spent. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

import orjson

from tollgate.cost.money import Money
from tollgate.cost.windows import window_at, zone_of
from tollgate.policy.budgets import Budget, Period, Scope
from tollgate.policy.cost import CostSettings
from tollgate.policy.match import Condition, Facts, compile_when, mismatch
from tollgate.store.purses import Claim, Level, Purse

PERIODS: Mapping[Period, str] = {"hour": "an hour", "day": "a day", "week": "a week", "month": "a month"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MOST = 9 * 10**18
"""Nano-dollars that the ledger can hold, nine billion dollars: a limit above is the same as none."""


@dataclass(frozen=True, slots=True)
class Payer:
    """Whom a call's cost is put down to. What is not known is the empty text."""

    user: str = ""
    team: str = ""
    project: str = ""
    session: str = ""
    credential: str = ""
    tool: str = ""


@dataclass(frozen=True, slots=True)
class Share:
    """A budget as far as it concerns one call: the claim on its purse, and whose purse that is."""

    budget: Budget
    claim: Claim
    whose: str
    """ "user ann, model gpt-6"; empty where all share it."""
    reopens: datetime


@dataclass(frozen=True, slots=True)
class _Compiled:
    budget: Budget
    conditions: tuple[Condition, ...]
    limit: int


class Budgets:
    """The budgets of a policy."""

    def __init__(self, settings: CostSettings) -> None:
        self.money = Money.of(settings.prices.currency)
        self._zone = zone_of(settings.timezone)
        self._compiled = [
            _Compiled(budget, compile_when(budget.when), min(_MOST, self.money.nanos(budget.limit)))
            for budget in settings.budgets
        ]

    def __bool__(self) -> bool:
        return bool(self._compiled)

    def of(self, facts: Facts, payer: Payer, paid: Collection[str], time: float) -> tuple[Share, ...]:
        """The budgets that a call falls under at that moment (seconds since 1970), in the policy's order.
        `paid`: the ways in which it may be paid."""
        return tuple(
            self._share(each, scope_of(each.budget.per, facts, payer), time)
            for each in self._compiled
            if (each.budget.counts == "all" or each.budget.counts in paid)
            and not mismatch(each.conditions, facts)
        )

    def limit_of(self, purse: Purse) -> int | None:
        """What may be spent of a purse now; None where the policy has no such budget any more."""
        name, start, scope = read_purse_name(purse.name)
        each = next((each for each in self._compiled if each.budget.name == name), None)
        if each is None or tuple(scope) != tuple(each.budget.per):
            return None
        return each.limit if window_at(each.budget.every, start, self._zone) == (start, purse.ends) else None

    def _share(self, each: _Compiled, scope: Sequence[tuple[Scope, str]], time: float) -> Share:
        budget = each.budget
        window = window_at(budget.every, time, self._zone)
        claim = Claim(
            purse=purse_name(budget.name, window.start, scope),
            limit=each.limit,
            firm=budget.at_limit == "refuse",
            ends=window.end,
        )
        whose = ", ".join(f"{name} {value or '(none)'}" for name, value in scope)
        return Share(budget, claim, whose, datetime.fromtimestamp(window.end, self._zone))


def scope_of(per: Iterable[Scope], facts: Facts, payer: Payer) -> list[tuple[Scope, str]]:
    """Each key of a budget's `per` with what it is for this call."""
    return [(name, getattr(facts if name in ("provider", "model") else payer, name)) for name in per]


def purse_name(budget: str, start: int, scope: Iterable[tuple[str, str]]) -> str:
    """["team daily",1732233600,[["team","platform"]]]"""
    return orjson.dumps([budget, start, list(map(list, scope))]).decode()


def read_purse_name(name: str) -> tuple[str, int, dict[str, str]]:
    """The budget, the start of its window, and whose purse it is."""
    budget, start, scope = orjson.loads(name)
    return budget, start, dict(scope)


def charged(shares: Iterable[Share], paid: str) -> Iterator[Share]:
    """Those of a call's budgets that count what was paid so."""
    return (share for share in shares if share.budget.counts in (paid, "all"))


# -- how full they are -------------------------------------------------------------------------------------


def used(claim: Claim, level: Level) -> float:
    """What part of the limit is spent. A limit of nothing is always used up."""
    return level.spent / claim.limit if claim.limit else 1.0


def left(claim: Claim, level: Level, own: int = 0) -> int:
    """What is neither spent nor held, `own` included; less than 0 where the limit is only watched."""
    return claim.limit - level.spent - level.held - own


def warned(share: Share, level: Level) -> bool:
    """True from the budget's lowest warning on."""
    thresholds = share.budget.warn_at
    return bool(thresholds) and used(share.claim, level) >= min(thresholds)


def crossed(budget: Budget, limit: int, before: int, after: int) -> list[float]:
    """The budget's warnings that spending from `before` to `after` has reached. `after` is what the counter
    said in the very transaction that changed it, so each is reached by one call only, of all processes."""
    return [share for share in budget.warn_at if before < share * limit <= after]


def short(share: Share, level: Level, amount: int) -> bool:
    """True where the budget takes no such call: it could cost more than is left."""
    return share.claim.firm and left(share.claim, level, amount) < 0


def cheaper(
    shares: Sequence[Share], levels: Sequence[Level], model: str, amount: int
) -> tuple[str, Share] | None:
    """The model to call in this one's place, and the budget that wants it, because it runs low or would have
    to refuse the call; None for none."""
    for share, level in zip(shares, levels, strict=True):
        switch = share.budget.switch
        if switch is None or (used(share.claim, level) < switch.at and not short(share, level, amount)):
            continue
        found = (to for glob, to in switch.models.items() if fnmatchcase(model.lower(), glob.lower()))
        if (to := next(found, model)) != model:
            return to, share
    return None


# -- what is said ------------------------------------------------------------------------------------------


def refusal(share: Share, level: Level, amount: int, money: Money, now: float) -> str:
    """Which budget, how much, and when it opens again."""
    claim, show = share.claim, money.show
    name = described(share, money)
    again = f"It opens again on {written(share.reopens)}, in {lasting(claim.ends - now)}."
    if level.spent >= claim.limit:
        return f"Tollgate refused this call: {name} is spent ({show(level.spent)}). {again}"
    held = f", {show(level.held)} held for calls under way" if level.held else ""
    return (
        f"Tollgate refused this call: it may cost up to {show(amount)}, and {name} has"
        f" {show(max(0, left(claim, level)))} left ({show(level.spent)} spent{held}). {again}"
        " Until then, a cheaper model or a lower limit on output tokens may fit."
    )


def described(share: Share, money: Money) -> str:
    """The budget, for a sentence: the budget "team daily" of $50.00 a day for team platform"""
    whose = f" for {share.whose}" if share.whose else ""
    budget = share.budget
    return f'the budget "{budget.name}" of {money.show(share.claim.limit)} {PERIODS[budget.every]}{whose}'


def written(moment: datetime) -> str:
    """A moment with its time zone, which some name and some only count."""
    return f"{moment:%Y-%m-%d %H:%M %Z}"


def lasting(seconds: float) -> str:
    """A stretch of time in its two largest units: 6 h 12 min"""
    minutes = max(1, round(seconds / _MINUTE))
    days, rest = divmod(minutes * _MINUTE, _DAY)
    hours, rest = divmod(rest, _HOUR)
    parts = [(days, "d"), (hours, "h"), (rest // _MINUTE, "min")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number and not (unit == "min" and days))
