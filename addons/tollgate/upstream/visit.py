"""One visit of one target: is it well, has it room, is there a key; then ask, and see how it answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from tollgate.calls import (
    CLIENT,
    SAME,
    Answer,
    Attempt,
    Call,
    CallError,
    End,
    Event,
    Failed,
    Leg,
    Refused,
    Request,
    Target,
    WayBack,
)
from tollgate.dialects import FRAMINGS
from tollgate.providers import Providers
from tollgate.upstream import breaker
from tollgate.upstream.attempt import attempt
from tollgate.upstream.client import Client
from tollgate.upstream.held import GIVEN_UP, Held
from tollgate.upstream.inject import scrub, with_key
from tollgate.upstream.keys import Keys
from tollgate.upstream.retry import KEY_REFUSED, Result, retry_after
from tollgate.upstream.turns import Turns

OFF_LOOP = 64 * 1024
"""Bodies from this many bytes on are made in a thread, so that other calls' events go on meanwhile."""
_ERRORS_FROM = 300
_RATE_LIMITED, _UNAUTHORISED, _UNAVAILABLE = 429, 401, 503


class Visitor:
    """Asks targets, and keeps their standing."""

    def __init__(self, client: Client, keys: Keys, turns: Turns, providers: Providers) -> None:
        self.keys = keys
        self._client = client
        self._turns = turns
        self._providers = providers

    async def visit(self, call: Call, target: Target) -> Result:
        """What the target says; a CallError is in the result, and not raised."""
        if not breaker.admits(target.standing, target.breaker, time.monotonic(), target.checkup):
            return Result(error=_left_alone(target))
        stay = _Stay(target)
        try:
            stay.begin(await self._turns.take(target))
            result = await self._ask(call, target, stay)
        except CallError as e:  # nobody was asked
            stay.leave()
            return Result(error=e)
        except BaseException:
            stay.leave()
            raise
        stay.judge(result)
        return result

    def has_key(self, target: Target) -> bool:
        """True where a key of the target is not resting."""
        return self.keys.pick(target.credentials) is not None

    async def _ask(self, call: Call, target: Target, stay: _Stay) -> Result:
        try:
            leg = await _rendered(call, target)
        except Refused as e:
            return Result(error=e, unfit=True)
        name, secret = await self._key(call, target)
        request = self._unlocked(leg.request, name, secret)
        result = Result(leg=leg, record=_record(call, target, leg, name))
        assert result.record is not None
        try:
            answer = await attempt(self._client, call, replace(leg, request=request), result.record)
        except CallError as e:
            result.error = e
            return result
        result.status, result.headers = answer.status, answer.headers
        if secret:
            scrub(answer, secret)
        if answer.events is None:
            await _whole(leg, answer, result)
        else:
            await _streamed(call, leg, answer, stay, result)
        self._judge_key(target, name, result)
        return result

    # -- keys ----------------------------------------------------------------------------------------------

    def _key_for(self, call: Call, target: Target) -> str:
        """The credential to use; empty for none. Failed where all rest, and there is another target."""
        names = target.credentials
        if not names:
            return ""
        if name := self.keys.pick(names):
            return name
        if len(call.plan) == 1:
            return self.keys.soonest(names)
        message = f"Every key of {target.name} is refused or rate limited for the moment."
        raise Failed(message, code="keys_resting", status=_UNAVAILABLE)

    async def _key(self, call: Call, target: Target) -> tuple[str, str]:
        """The credential to use, and its key; of one that cannot be had, the next in its place."""
        others = len(target.credentials) - 1
        while True:
            name = self._key_for(call, target)
            if name in ("", CLIENT):
                return name, ""
            try:
                return name, await self.keys.secret(name)
            except Failed:
                self.keys.rest(name, None)
                if others <= 0 or not self.has_key(target):
                    raise
                others -= 1

    def _unlocked(self, request: Request, name: str, secret: str) -> Request:
        """The request with its key. The client's own is in it already."""
        if name in ("", CLIENT):
            return request
        provider = self._providers.provider_of(request.host, request.port)
        return with_key(request, name, self.keys.credentials[name], secret, provider)

    def _judge_key(self, target: Target, name: str, result: Result) -> None:
        """Leave a key alone that was refused. That it was is the policy's business, not the client's."""
        if name in ("", CLIENT) or result.status not in (*KEY_REFUSED, _RATE_LIMITED):
            return
        asked = retry_after(result.headers)
        result.key_refused = True
        if result.status != _RATE_LIMITED:
            self.keys.rest(name, None)
            self.keys.age(name)
        elif asked is not None or len(target.credentials) > 1:
            self.keys.rest(name, asked)
        if result.status == _UNAUTHORISED:
            message = f'{target.host} refuses the policy\'s credential "{name}" (HTTP 401).'
            message += f" Check what credentials.{name} says, and whether the key is still valid."
            result.answer, result.error = None, Failed(message, code="credential_refused")


class _Stay:
    """One call at a target: its place, and what the target's standing learns of it."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._turn: Callable[[], None] | None = None
        self._here = True
        self._sick = False
        self._started = time.monotonic()
        target.standing.busy += 1

    def begin(self, turn: Callable[[], None]) -> None:
        self._turn, self._started = turn, time.monotonic()

    def judge(self, result: Result) -> None:
        now, standing = time.monotonic(), self._target.standing
        self._sick = result.sick
        if result.sick:
            breaker.failed(standing, self._target.breaker, now)
        elif result.status:
            breaker.succeeded(standing, now - self._started if result.status < _ERRORS_FROM else None)
        if result.answer is None or not result.answer.streamed:
            self.leave()

    def over(self, error: str) -> None:
        """The stream is over; why it broke off, or nothing."""
        if error and error != GIVEN_UP and not self._sick:
            breaker.failed(self._target.standing, self._target.breaker, time.monotonic())
        self.leave()

    def leave(self) -> None:
        """Once is enough."""
        if not self._here:
            return
        self._here = False
        self._target.standing.busy -= 1
        breaker.undecided(self._target.standing)
        if self._turn is not None:
            self._turn()


# -- there ---------------------------------------------------------------------------------------------------


async def _rendered(call: Call, target: Target) -> Leg:
    if len(call.request.body.content) > OFF_LOOP:
        return await asyncio.to_thread(target.render, call)
    return target.render(call)


def _record(call: Call, target: Target, leg: Leg, key: str) -> Attempt:
    """What is as the client has it is left out."""
    return Attempt(
        target=leg.request.host if target.name == SAME else target.name,
        started=time.monotonic(),
        provider=target.provider if target.provider != call.provider else "",
        host=target.host if target.host != call.client_request.host else "",
        model=target.model if target.model != call.model else "",
        own_key=key not in ("", CLIENT),
    )


# -- and back ------------------------------------------------------------------------------------------------


async def _whole(leg: Leg, answer: Answer, result: Result) -> None:
    if leg.back is None:
        result.answer = answer
        return
    try:
        if len(answer.body) > OFF_LOOP:
            told = await asyncio.to_thread(_brought_back, leg.back, answer)
        else:
            told = _brought_back(leg.back, answer)
    except ValueError as e:
        result.error = _foreign(leg, str(e))
    else:
        result.answer = told


def _brought_back(back: WayBack, answer: Answer) -> Answer:
    status, headers, body = back.answer(answer.status, answer.headers, answer.body)
    return Answer(status, headers, body)


async def _streamed(call: Call, leg: Leg, answer: Answer, stay: _Stay, result: Result) -> None:
    """Where another target can be asked, wait for the first events: after them none is."""
    events, route = answer.events, call.policy.route
    assert events is not None
    if leg.back is not None and answer.framing == "raw":
        await events.aclose()
        result.error = _foreign(leg, "it has no framing that is known")
        return
    held = Held(events, stay.over, leg.back.events(answer.headers) if leg.back else None)
    if len(call.plan) > 1 or route.retries or route.hedge:
        try:
            result.broken = _broken(leg, await held.peek())
        except BaseException:
            await held.aclose()
            raise
    if leg.back is not None:
        answer.framing = call.dialect.expected_framing(call.params)
        answer.headers["Content-Type"] = FRAMINGS[answer.framing].content_type
    answer.events = held
    result.answer = answer


def _broken(leg: Leg, first: Sequence[Event]) -> str:
    """What is wrong with a stream that ends, or tells an error, before it says anything."""
    for event in first:
        if isinstance(event, End):
            return event.error or "it ended before it said anything"
        if event.data is not None:
            return leg.dialect.stream_error(event)
    return ""


def _foreign(leg: Leg, why: str) -> Failed:
    message = f"{leg.request.host} gave an answer that is none in {leg.dialect.name}: {why}."
    return Failed(message, code="answer_untranslatable")


def _left_alone(target: Target) -> Failed:
    """The circuit is open."""
    if target.checkup is not None and target.checkup.problem:
        why = f"{target.name} is left alone, for its check fails: {target.checkup.problem}"
        return Failed(f"{why} (targets.{target.name}.check).", code="circuit_open", status=_UNAVAILABLE)
    wait = max(0.0, target.standing.closed_at - time.monotonic())
    failures = f"{target.standing.failures} times in a row"
    message = f"{target.name} failed {failures}, and is left alone for {wait:.0f} s"
    return Failed(f"{message} (targets.{target.name}.breaker).", code="circuit_open", status=_UNAVAILABLE)
