"""The targets of a policy, how they do, and the plan of a call."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from tollgate.calls import Call, Quotes, Refused, Runtime, Standing, Target
from tollgate.policy.routing import Choice, Route
from tollgate.routing import needs
from tollgate.routing.conversation import conversation_of, fraction
from tollgate.routing.fit import misfit
from tollgate.routing.render import render
from tollgate.routing.spec import Spec, specs_of
from tollgate.routing.strategies import STRATEGIES, Candidate, Moment

REMEMBERED = 10_000
"""How many standings and conversations are kept. Clients choose the names of models."""
OFF_LOOP = 64 * 1024
"""Bodies from this many bytes on are looked at in a thread, so that other calls' events go on meanwhile."""
_USUAL_ANSWER = 1000
"""Tokens that an answer is taken to have where the request sets no limit."""
_STAY = (Choice(target="same"),)
_LIVE = frozenset({"round_robin", "least_busy", "lowest_latency", "cheapest"})
"""Strategies that would choose another target for a conversation's next call."""


@dataclass(frozen=True, slots=True)
class Planned:
    """Where a call goes, and why."""

    order: tuple[Candidate, ...]
    targets: tuple[Target, ...]
    passed_over: tuple[tuple[str, str], ...]
    """The targets of the route that are not for this call, and why."""


class Memory[K, V](OrderedDict[K, V]):
    """A dict of bounded size, which forgets what was not asked for longest."""

    def recall(self, key: K, make: Callable[[], V]) -> V:
        if key in self:
            self.move_to_end(key)
            return self[key]
        if len(self) >= REMEMBERED:
            self.popitem(last=False)
        self[key] = value = make()
        return value


class Board:
    """How targets do, and who stays with which. It outlives the policy: targets do not get better by another
    one, and their prompt caches stay warm."""

    def __init__(self) -> None:
        self.kept: Memory[str, str] = Memory()
        """Conversation → the target it began with."""
        self._standings: Memory[tuple[str, str, str], Standing] = Memory()

    def standing(self, name: str, host: str, model: str) -> Standing:
        return self._standings.recall((name, host, model), Standing)


class Fleet:
    """The targets of one policy. ValueError where one has no place."""

    def __init__(self, runtime: Runtime, board: Board) -> None:
        self.specs = specs_of(runtime)
        self._quotes: Quotes = runtime.quotes
        self._board = board
        self._checkups = runtime.checkups
        self._turns: Counter[tuple[str, ...]] = Counter()

    async def plan(self, call: Call) -> Planned:
        """Where a call goes. Refused where no target of its route is for it."""
        route = call.policy.route
        large = len(call.request.body.content) > OFF_LOOP
        judged = await asyncio.to_thread(self._judge, call) if large else self._judge(call)
        fitting = [self._candidate(choice, route, call) for choice, why in judged if not why]
        order = self._ordered(fitting, route, call)
        passed_over = [(choice.target, why) for choice, why in judged if why]
        if not order:
            raise _nowhere(passed_over or [(choice.target, "it has no share in it") for choice, _ in judged])
        targets = tuple(self._target(candidate, route, call) for candidate in order)
        return Planned(tuple(order), targets, tuple(passed_over))

    def _judge(self, call: Call) -> list[tuple[Choice, str]]:
        """The choices of a route, and why one is not for this call."""
        choices = call.policy.route.targets or _STAY
        return [(choice, misfit(choice, self.specs[choice.target], call)) for choice in choices]

    def price(self, candidate: Candidate, call: Call) -> float | None:
        """Nano-dollars that the call would cost there, by what it may use; None where nobody knows."""
        agreed = candidate.spec.settings.prices
        if agreed is not None and agreed.input is not None and agreed.output is not None:
            answer = needs.answer_tokens(call) or _USUAL_ANSWER
            return 1000 * float(needs.tokens(call) * agreed.input + answer * agreed.output)
        if self._quotes.ask is None:
            return None
        spec = candidate.spec
        return self._quotes.ask(call, spec.provider_for(call), spec.host_for(call), candidate.model)

    def _candidate(self, choice: Choice, route: Route, call: Call) -> Candidate:
        spec = self.specs[choice.target]
        model = spec.model_for(call, route)
        standing = self._board.standing(spec.name, spec.host_for(call), model)
        return Candidate(choice, spec, model, standing, self._checkups.get(spec.name))

    def _ordered(self, fitting: list[Candidate], route: Route, call: Call) -> list[Candidate]:
        """In the strategy's order; last those whose checks fail: they are asked only if they pass by then."""
        conversation = conversation_of(call) if route.sticky else ""
        order: list[Candidate] = []
        for failing in (False, True):
            some = [candidate for candidate in fitting if candidate.failing is failing]
            order += self._by_strategy(some, route, call, conversation) if some else []
        if not conversation or route.strategy not in _LIVE or not order:
            return order
        kept = self._board.kept.recall(conversation, lambda: order[0].name)
        if all(candidate.name != kept for candidate in order):  # it is gone, or not for such calls
            self._board.kept[conversation] = kept = order[0].name
        return sorted(order, key=lambda candidate: (candidate.failing, candidate.name != kept))

    def _by_strategy(
        self, candidates: list[Candidate], route: Route, call: Call, conversation: str
    ) -> list[Candidate]:
        names = tuple(candidate.name for candidate in candidates)
        draw = partial(fraction, conversation) if conversation else _by_chance
        moment = Moment(draw, self._turns[names], lambda candidate: self.price(candidate, call))
        if route.strategy == "round_robin":
            self._turns[names] += 1
        return STRATEGIES[route.strategy](candidates, moment)

    def _target(self, candidate: Candidate, route: Route, call: Call) -> Target:
        spec: Spec = candidate.spec
        return Target(
            name=spec.name,
            provider=spec.provider_for(call),
            host=spec.host_for(call),
            model=candidate.model,
            render=partial(render, spec, route),
            limits=spec.settings.limits,
            breaker=spec.settings.breaker,
            credentials=spec.credentials(call),
            standing=candidate.standing,
            checkup=candidate.checkup,
        )


def _by_chance(name: str) -> float:
    return random.random()  # noqa: S311 (it shares out calls, and guards nothing)


def _nowhere(reasons: Iterable[tuple[str, str]]) -> Refused:
    told = "; ".join(f"{name}: {why}" for name, why in reasons)
    return Refused(
        f"No target of the policy's route is for this call ({told}). Add one to route.targets, or leave such"
        " calls out by a rule of their own.",
        code="no_target",
    )
