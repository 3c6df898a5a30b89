"""In which order the targets of a route are tried: one small function each. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from tollgate.calls import Checkup, Standing
from tollgate.policy.routing import Choice
from tollgate.routing.spec import Spec


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that fits a call."""

    choice: Choice
    spec: Spec
    model: str = ""
    standing: Standing = field(default_factory=Standing)
    checkup: Checkup | None = None

    @property
    def failing(self) -> bool:
        """True where it is left alone, for its checks fail."""
        return self.checkup is not None and bool(self.checkup.problem)

    @property
    def name(self) -> str:
        return self.spec.name


@dataclass(frozen=True, slots=True)
class Moment:
    """What a choice depends on besides the candidates."""

    draw: Callable[[str], float]
    """A number from 0 up to 1 for a name: by chance, or of a conversation always the same."""
    turn: int = 0
    """How many calls came before."""
    price: Callable[[Candidate], float | None] = lambda candidate: None
    """Nano-dollars; None where nobody knows."""


type Order = Callable[[Sequence[Candidate], Moment], list[Candidate]]


def priority(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    return list(candidates)


def weighted(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    """By chance, each as often first as its weight says. A target that comes or goes moves no other's calls
    (https://www.ietf.org/archive/id/draft-ietf-bess-weighted-hrw-02.html)."""

    def score(candidate: Candidate) -> float:
        drawn = moment.draw(candidate.name)
        return -math.log(max(drawn, 1e-300)) / candidate.choice.weight

    return sorted(candidates, key=score)


def round_robin(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    first = moment.turn % len(candidates)
    return [*candidates[first:], *candidates[:first]]


def least_busy(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    return sorted(candidates, key=lambda candidate: candidate.standing.busy / candidate.choice.weight)


def lowest_latency(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    """One that nobody has tried yet goes first, or it would never be known."""
    return sorted(candidates, key=lambda candidate: candidate.standing.first_token or 0.0)


def cheapest(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    """Those whose price nobody knows go last."""
    prices = {candidate.name: moment.price(candidate) for candidate in candidates}

    def known(candidate: Candidate) -> float:
        price = prices[candidate.name]
        return math.inf if price is None else price

    return sorted(candidates, key=known)


def canary(candidates: Sequence[Candidate], moment: Moment) -> list[Candidate]:
    """A call falls to a target with a share as often as that says, and to the others where it fails."""
    settled = [candidate for candidate in candidates if candidate.choice.share is None]
    drawn = moment.draw("canary")
    for candidate in candidates:
        share = candidate.choice.share
        if share is not None:
            if drawn < share:
                return [candidate, *settled]
            drawn -= share
    return settled


STRATEGIES: Mapping[str, Order] = {
    order.__name__: order
    for order in (priority, weighted, round_robin, least_busy, lowest_latency, cheapest, canary)
}
