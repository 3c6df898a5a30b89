"""The way of a call through its plan: one target after the other, until one answers.

Nothing is asked again once the client has had a byte: what comes out here is an answer whose first piece is
at hand, and there it ends.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from typing import Protocol

from tollgate.calls import Answer, Call, Failed, Target, Verdict
from tollgate.upstream.retry import REPEATABLE, Result, pause, retry_after

LOSS = "x-tollgate-loss"
_LONGEST_LOSS = 1000
_TOO_LATE = 504

type _Lane = asyncio.Future[Result | None]


class Visits(Protocol):
    """What a journey needs of a `Visitor`."""

    async def visit(self, call: Call, target: Target) -> Result: ...

    def has_key(self, target: Target) -> bool:
        """True where a key of the target is not resting."""


class Journey:
    """One call's way through its plan."""

    def __init__(self, call: Call, visitor: Visits) -> None:
        self._call = call
        self._visitor = visitor
        self._route = call.policy.route

    async def run(self) -> Answer:
        """The answer of the first target that has one, else of the last. CallError where there is none."""
        deadline = self._route.deadline
        try:
            async with asyncio.timeout(self._left()):
                result = await self._fastest()
        except TimeoutError as e:
            message = f"No target answered within the {deadline:g} s of route.deadline."
            raise Failed(message, code="deadline", status=_TOO_LATE) from e
        return self._given(result)

    def _left(self) -> float | None:
        """The seconds until the deadline; None for none."""
        deadline = self._route.deadline
        return None if deadline is None else deadline - (time.monotonic() - self._call.timings.started)

    # -- one target after the other ------------------------------------------------------------------------

    async def _chain(self, targets: Iterable[Target]) -> Result | None:
        """Ask until one does well; what the last one said that was asked. None where there is no target."""
        last: Result | None = None
        try:
            for target in targets:
                result = await self._persist(target)
                if last is None or result.good or result.asked:
                    await _let_go(last)
                    last = result
                if result.good or not result.may_move_on(self._call.operation):
                    break
        except BaseException:
            await _let_go(last)
            raise
        return last

    async def _persist(self, target: Target) -> Result:
        """Ask one target, again where the policy says so and that may help."""
        number, keys = 0, max(1, len(target.credentials))
        while True:
            result = await self._visitor.visit(self._call, target)
            keys -= 1
            if result.good or not result.may_repeat(self._call.operation):
                return result
            if result.key_refused and keys > 0 and self._visitor.has_key(target):
                await result.discard()  # another key, at once
                continue
            wait = pause(self._route, number, retry_after(result.headers))
            if number == self._route.retries or wait is None:
                return result
            if (left := self._left()) is not None and wait >= left:
                return result  # nobody would have an answer of it: the next target may have one in time
            await result.discard()
            await asyncio.sleep(wait)
            number += 1

    # -- two at once ---------------------------------------------------------------------------------------

    async def _fastest(self) -> Result:
        """What comes first of one chain and, where that is slow and the policy says so, of a second one."""
        plan, hedge = self._call.plan, self._route.hedge
        targets = iter(plan)
        if hedge is None or self._call.operation not in REPEATABLE:
            return _some(await self._chain(targets))
        lanes: list[_Lane] = [asyncio.ensure_future(self._chain(targets))]
        result: Result | None = None
        try:
            if not (await asyncio.wait(lanes, timeout=hedge))[0]:
                others: Iterator[Target] = targets if len(plan) > 1 else iter(plan)
                lanes.append(asyncio.ensure_future(self._chain(others)))
            result = await _first_good(lanes)
        finally:
            await _dismiss(lanes, result)
        return result

    # -- what is given ---------------------------------------------------------------------------------------

    def _given(self, result: Result) -> Answer:
        """The answer for the client; the call remembers whose it is."""
        call, record = self._call, result.record
        if result.leg is not None:
            call.request = result.leg.request
        if record is not None:
            call.attempts.sort(key=lambda attempt: attempt is record)
            call.usage, call.answered_model = record.usage, record.answered_model
            call.timings.first_byte = record.first_byte
        if result.answer is None:
            assert result.error is not None, "a result is an answer or an error"
            raise result.error
        if result.leg is not None and result.leg.losses:
            self._tell_losses("; ".join(result.leg.losses)[:_LONGEST_LOSS], result.answer)
        return result.answer

    def _tell_losses(self, losses: str, answer: Answer) -> None:
        self._call.verdicts.append(Verdict("routing", "warn", f"lost in translation: {losses}", "lost"))
        if self._route.on_loss == "warn":
            answer.headers[LOSS] = losses.encode("ascii", "backslashreplace").decode()


async def _first_good(lanes: Iterable[_Lane]) -> Result:
    """What the first lane says that does well, else the last one."""
    last: Result | None = None
    waiting = list(lanes)
    while waiting:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = [lane for lane in waiting if lane in done]
        waiting = [lane for lane in waiting if lane not in done]
        for lane in ended:
            if (result := lane.result()) is not None:
                last = result
                if result.good:
                    return result
    return _some(last)


async def _dismiss(lanes: Iterable[_Lane], kept: Result | None) -> None:
    """Hang up wherever the client gets no answer from."""
    for lane in lanes:
        lane.cancel()
    for result in await asyncio.gather(*lanes, return_exceptions=True):
        if isinstance(result, Result) and result is not kept:
            await result.discard()


async def _let_go(result: Result | None) -> None:
    """Hang up where another answer is in its place: a stream may have begun with an error."""
    if result is not None:
        await result.discard()


def _some(result: Result | None) -> Result:
    assert result is not None, "a plan has a target"
    return result
