"""Whether a call may be made: its cost is held on its budgets, another model is asked for, or it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tollgate.calls import Call, Refused, Verdict
from tollgate.cost.bill import expected
from tollgate.cost.budgets import Share, cheaper, described, left, refusal, short, used, warned
from tollgate.cost.desk import Carried
from tollgate.cost.money import Money
from tollgate.cost.plans import ways_paid
from tollgate.cost.switch import switch_model
from tollgate.cost.till import Settlement, Till
from tollgate.store.purses import Level

REMAINING, WARNING = "x-tollgate-budget-remaining", "x-tollgate-budget-warning"


async def admit(till: Till, call: Call, carried: Carried) -> None:
    """Hold what the call may cost. Refused where a budget has not that much left; nothing is held then, but
    in observe mode, where the call goes on."""
    amount, levels = await _hold(till, call, carried)
    found = cheaper(carried.shares, levels, carried.model, amount)
    if found and _switched(call, carried, *found):
        till.settle(Settlement(call.id, (), carried.shares))  # before the next reservation
        amount, levels = await _hold(till, call, carried)
    _tell(call, carried, levels, amount)
    for share, level in zip(carried.shares, levels, strict=True):
        if short(share, level, amount):
            message = refusal(share, level, amount, carried.desk.money, call.time)
            raise Refused(message, code="budget_spent")


async def _hold(till: Till, call: Call, carried: Carried) -> tuple[int, Sequence[Level]]:
    """What the call may come to, and how full its budgets are; nothing where it is free or falls under none.
    A budget that is not asked costs nothing: no database is touched."""
    desk = carried.desk
    shares = desk.budgets.of(desk.facts(call, carried.model), carried.payer, ways_paid(call), call.time)
    carried.shares, carried.held = shares, 0
    amount = expected(desk.prices, call, carried.model, await desk.estimator.before(call)) if shares else 0
    if not amount:
        return 0, [Level(0, 0)] * len(shares)
    firm = call.policy.mode == "enforce"
    claims = [share.claim if firm else replace(share.claim, firm=False) for share in shares]
    carried.held = amount  # also where the client leaves before we hear of it
    reserved = await till.reserve(call.id, amount, claims)
    carried.held = amount if reserved.granted else 0
    return amount, reserved.levels


def _switched(call: Call, carried: Carried, model: str, share: Share) -> bool:
    """Ask for a cheaper model, unless nothing may be changed, or it is not the body that names the model."""
    what = f"{carried.model} → {model}: {described(share, carried.desk.money)} runs low"
    if call.policy.mode == "observe":
        call.verdicts.append(Verdict("cost", "observe", what, "model_switched"))
        return False
    if call.plan or not switch_model(call, model):  # a plan names its models itself
        call.verdicts.append(Verdict("cost", "warn", f"not possible here: {what}", "model_not_switched"))
        return False
    call.verdicts.append(Verdict("cost", "change", what, "model_switched"))
    carried.model = model
    return True


def _tell(call: Call, carried: Carried, levels: Sequence[Level], amount: int) -> None:
    """Headers for the client and, from its first warning on, a verdict about the fullest budget."""
    money, pairs = carried.desk.money, list(zip(carried.shares, levels, strict=True))
    if not amount:
        return
    if carried.desk.settings.headers:
        share, level = min(pairs, key=lambda pair: left(pair[0].claim, pair[1]))
        call.extra_headers[REMAINING] = _remaining(
            share, max(0, left(share.claim, level, carried.held)), money
        )
    if low := [pair for pair in pairs if warned(*pair)]:
        share, level = max(low, key=lambda pair: used(pair[0].claim, pair[1]))
        part = f"{used(share.claim, level):.0%} spent"
        call.verdicts.append(Verdict("cost", "warn", f"{described(share, money)} is {part}", "budget_low"))
        call.extra_headers[WARNING] = _ascii(f'{part}; budget="{share.budget.name}"; {_reopens(share)}')


def _remaining(share: Share, nanos: int, money: Money) -> str:
    return _ascii(f'{money.plain(nanos)}; budget="{share.budget.name}"; {_reopens(share)}')


def _reopens(share: Share) -> str:
    return f"reopens={share.reopens.isoformat()}"


def _ascii(text: str) -> str:
    """What may stand in a header."""
    return text.encode("ascii", "backslashreplace").decode()
