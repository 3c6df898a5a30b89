"""Whether a call is billed by the token, or paid by a plan: the rows of plans.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from tollgate.calls import CLIENT, Attempt, Call, Target
from tollgate.cost.tables import read_table
from tollgate.policy.fields import Patterns
from tollgate.policy.match import Matcher, names
from tollgate.policy.part import Part

type PaidBy = Literal["metered", "subscription"]


class Plan(Part):
    """Calls that are paid in some way; the head of plans.yaml explains the keys."""

    name: str
    provider: Patterns
    host: Patterns | None = None
    path: Patterns | None = None
    credential: Patterns | None = None
    begins: str = ""
    paid: PaidBy
    source: str


class _Table(Part):
    rows: list[Plan]


@dataclass(frozen=True, slots=True)
class _Row:
    plan: Plan
    matchers: tuple[Matcher, ...]

    def fits(self, call: Call) -> bool:
        request = call.client_request
        facts = request.host, request.path, call.identity.credential_kind
        return all(
            matcher.matches((fact,)) for matcher, fact in zip(self.matchers, facts, strict=True)
        ) and _credential(call).startswith(self.plan.begins)

    def pays_all_at(self, host: str) -> bool:
        plan = self.plan
        return not (plan.path or plan.credential or plan.begins) and self.matchers[0].matches((host,))


def paid_by(call: Call, attempt: Attempt | None = None) -> PaidBy:
    """How a call is paid, by its provider, host and credential; or how a try at a target is, where that may
    be another provider, or the company's own key."""
    elsewhere = attempt is not None and (attempt.own_key or attempt.provider)
    plan = _plan_at(call, attempt) if attempt and elsewhere else plan_of(call)
    return plan.paid if plan else "metered"


def ways_paid(call: Call) -> frozenset[PaidBy]:
    """How a call may be paid, wherever its plan leads it."""
    tries = [_try_at(call, target, key) for target in call.plan for key in target.credentials or (CLIENT,)]
    return frozenset(paid_by(call, attempt) for attempt in tries or (None,))


def _try_at(call: Call, target: Target, key: str) -> Attempt:
    provider = target.provider if target.provider != call.provider else ""
    return Attempt(target.name, 0.0, provider=provider, host=target.host, own_key=key != CLIENT)


def _plan_at(call: Call, attempt: Attempt) -> Plan | None:
    """The plan that pays all calls of a place, whatever the client showed elsewhere."""
    rows = _rows().get(attempt.provider or call.provider, ())
    return next((row.plan for row in rows if row.pays_all_at(attempt.host or call.client_request.host)), None)


def plan_of(call: Call) -> Plan | None:
    """The plan that a call is paid by; None where it is billed by the token."""
    return next((row.plan for row in _rows().get(call.provider, ()) if row.fits(call)), None)


def _credential(call: Call) -> str:
    """What stands in Authorization, without its scheme."""
    return call.client_request.headers.get("authorization", "").partition(" ")[2].lstrip()


@cache
def _rows() -> dict[str, list[_Row]]:
    """By provider, in the table's order."""
    rows: dict[str, list[_Row]] = {}
    for plan in read_table("plans.yaml", _Table).rows:
        for provider in plan.provider:
            rows.setdefault(provider, []).append(_Row(plan, _matchers(plan)))
    return rows


def _matchers(plan: Plan) -> tuple[Matcher, ...]:
    patterns = plan.host, plan.path, plan.credential
    return tuple(Matcher(words or ["*"], names) for words in patterns)
