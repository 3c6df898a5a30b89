"""How many calls a target has at once, and the queue before it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from tollgate.calls import Failed, Target

_SLOW_DOWN = 503


class Turns:
    """The calls that are under way at each target, and those that wait, first come, first served."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def take(self, target: Target) -> Callable[[], None]:
        """Wait for a turn; gives what ends it, which may be called twice. Failed where the queue is full, or
        it takes too long."""
        if target.limits.concurrent is None:
            return _nothing
        if self._taken.get(target.name, 0) < target.limits.concurrent:
            self._taken[target.name] = self._taken.get(target.name, 0) + 1
        else:
            await self._wait(target)
        return _Turn(self, target.name).end

    async def _wait(self, target: Target) -> None:
        queue = self._waiting.setdefault(target.name, deque())
        if len(queue) >= target.limits.queue:
            raise _busy(target, "and its queue is full", "queue")
        turn = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            async with asyncio.timeout(target.limits.wait):
                await turn
        except BaseException as e:
            self._give_up(target.name, turn)
            if isinstance(e, TimeoutError):
                raise _busy(target, f"and no turn came within {target.limits.wait:g} s", "wait") from e
            raise

    def _give_up(self, name: str, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # it came in the moment in which we left
            self.end(name)
        elif turn in self._waiting.get(name, ()):
            self._waiting[name].remove(turn)

    def end(self, name: str) -> None:
        """One call is over: the next has its turn."""
        queue = self._waiting.get(name)
        while queue:
            turn = queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._taken[name] -= 1
        if not self._taken[name]:
            del self._taken[name]
            self._waiting.pop(name, None)


class _Turn:
    """One call's place, given back once."""

    __slots__ = ("_name", "_turns")

    def __init__(self, turns: Turns, name: str) -> None:
        self._turns: Turns | None = turns
        self._name = name

    def end(self) -> None:
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.end(self._name)


def _nothing() -> None:
    pass


def _busy(target: Target, why: str, key: str) -> Failed:
    most = target.limits.concurrent
    message = f"{target.name} has the {most} calls under way that it is given at once, {why}"
    return Failed(f"{message} (targets.{target.name}.limits.{key}).", code="target_busy", status=_SLOW_DOWN)
