"""A call's way down: what is kept, or about to be, in place of an answer of the provider's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from tollgate.cache.conditions import Conditions
from tollgate.cache.entry import Entry
from tollgate.cache.flight import Flight, Head
from tollgate.cache.forms import FORMS
from tollgate.cache.keeping import Heard
from tollgate.cache.key import canonical, route_of, scope_of
from tollgate.cache.replay import CACHE, fits, fresh, replay
from tollgate.cache.semantic.likes import Like, Likes
from tollgate.cache.semantic.tier import Understood
from tollgate.cache.shelf import Shelf
from tollgate.calls import Answer, Call, Failed, Runtime, Verdict
from tollgate.store import Lease

OFF_LOOP = 32 * 1024
"""Bodies and entries from this many bytes on are worked on in a thread: other calls go on meanwhile."""


@dataclass(slots=True)
class Carried:
    """What one call takes from its way down to its way up."""

    name: str
    """Of the entry."""
    form: str
    """What of the request shapes a stream, before rooms below change it."""
    flight: Flight | None = None
    flight_name: str = ""
    """Under which others of this process find it."""
    lease: Lease | None = None
    """Held while other processes wait for the entry."""
    stale: Entry | None = None
    """What may stand in where the provider fails."""
    heard: Heard | None = None
    question: Understood | None = None
    """With which other questions find the answer."""
    like: Like | None = None
    """Whose answer is compared with the one that comes."""


class Giving:
    """Gives what is kept, then what is like it, then what another call is about to bring."""

    def __init__(self, shelf: Shelf, likes: Likes, flights: dict[str, Flight]) -> None:
        self._shelf = shelf
        self._likes = likes
        self._flights = flights

    async def look(self, call: Call, asked: Conditions, runtime: Runtime) -> None:
        """Set the call's answer, or note what its way up needs. Failed where only a kept one would do."""
        name = _namer(call, runtime)
        large = len(call.request.body.content) > OFF_LOOP
        form = FORMS.get(call.dialect.name)
        options = form.options(call.request.body.json) if form else ""
        carried = Carried(await asyncio.to_thread(name) if large else name(), options)
        if asked.give and not self._shelf.lacks(carried.name) and await self._give(call, asked, carried):
            return
        question = carried.question = await self._likes.understand(call, name)
        if asked.give and question is not None and await self._give_like(call, asked, carried, question):
            return
        if asked.only_kept:
            raise not_kept()
        call.cache = "miss"
        call.notes["cache"] = carried  # from here on, its end is heard
        if asked.give and call.policy.cache.share:
            if flight := self._under_way(call, carried):
                await self._share(call, flight)
            elif not self._goes_first(call, carried):
                await self._wait(call, asked, carried)

    async def _give(
        self, call: Call, asked: Conditions, carried: Carried, code: str = "hit", why: str = ""
    ) -> bool:
        """True where a kept answer is given. One that is too old is remembered for a provider that fails."""
        now = time.time()
        entry = await self._shelf.find(carried.name)
        if entry is None or not fits(call, entry, now, asked.max_age):
            return False
        if fresh(entry, now, call.policy.cache.ttl):
            if entry.size > OFF_LOOP:
                call.answer = await asyncio.to_thread(replay, call, entry, now)
            else:
                call.answer = replay(call, entry, now)
        elif _may_stand_in(call, entry, now):
            carried.stale = entry
        if call.answer is not None:
            given(self._shelf, call, entry, code, why)
        return call.answer is not None

    async def _give_like(self, call: Call, asked: Conditions, carried: Carried, question: Understood) -> bool:
        """True where the answer to a like question is given; in shadow mode it is only remembered."""
        now = time.time()
        like = await self._likes.find(call, question, self._shelf, now, asked.max_age)
        if like is None or call.policy.cache.semantic.mode == "shadow":
            carried.like = like
            return False
        call.answer = await asyncio.to_thread(replay, call, like.entry, now)
        if call.answer is None:
            return False
        call.answer.headers[CACHE] = f"hit; semantic; score={like.score:.2f}"
        why = f"the answer to a question that is like it ({like.score:.2f})"
        given(self._shelf, call, like.entry, "semantic", why)
        return True

    def _under_way(self, call: Call, carried: Carried) -> Flight | None:
        """The call of this process that brings the same."""
        framing = call.dialect.expected_framing(call.params) if call.stream else ""
        carried.flight_name = f"{carried.name} {framing} {carried.form}"
        return self._flights.get(carried.flight_name)

    async def _share(self, call: Call, flight: Flight) -> None:
        """Take what another call brings, if that is to be shared."""
        call.answer = await flight.share(call)
        if call.answer is not None:
            call.answer.headers[CACHE] = call.cache = "hit"
            call.answer.headers["age"] = "0"
            say(self._shelf, call, "shared", f"shares the answer of call {flight.leader.id}")

    def _goes_first(self, call: Call, carried: Carried) -> bool:
        """Have others wait for this call; False where what it would bring may be kept, or about to be.

        Streams wait for no other process: the first word of one must not wait for the last one of another.
        """
        carried.flight = self._flights[carried.flight_name] = Flight(call)
        if call.stream:
            return True
        carried.lease = self._shelf.take(carried.name)
        # Without a question, we looked some microseconds ago: what was kept since then is asked for again.
        return carried.lease is not None and carried.question is None

    async def _wait(self, call: Call, asked: Conditions, carried: Carried) -> None:
        """Where another process is about to keep the answer, wait for it."""
        if carried.lease is None:
            carried.lease = await self._shelf.turn(carried.name)
        if await self._give(call, asked, carried, "shared", "shares the answer of another process's call"):
            release(carried)
            if carried.flight is not None and call.answer is not None:
                carried.flight.begin(head_of(call.answer))


def not_kept() -> Failed:
    """For who wants a kept answer or none."""
    return Failed("There is no kept answer to this call (only-if-cached).", code="not_kept", status=504)


def head_of(answer: Answer) -> Head | None:
    """What others share of a whole answer; None where it is none to share."""
    return Head(200, answer.headers.copy(), body=answer.body) if answer.status == 200 else None


def release(carried: Carried) -> None:
    """Have other processes go on."""
    if carried.lease is not None:
        carried.lease.release()
        carried.lease = None


def given(shelf: Shelf | None, call: Call, entry: Entry, code: str, why: str) -> None:
    """Note that a call has a kept answer, and why where that is not plain."""
    call.cache = "hit"
    call.usage, call.answered_model = entry.used(), entry.answered_model
    say(shelf, call, code, why)


def say(shelf: Shelf | None, call: Call, code: str, why: str = "") -> None:
    """Count what happened; where there is something to say of it, the trail has it."""
    if why:
        call.verdicts.append(Verdict("cache", "allow", why, code))
    if shelf is not None:
        shelf.count(code)


def _namer(call: Call, runtime: Runtime) -> Callable[..., str]:
    """Names the entry of the call, or of one that has another body."""
    groups = tuple(runtime.policy.groups_of(call.identity.user))
    scope = scope_of(call.policy.cache.scope, call.identity, groups)
    route = route_of(call.policy.route, runtime.policy.file.targets)
    return lambda tree=None: runtime.digester.digest("cache", canonical(call, scope, tree, route))


def _may_stand_in(call: Call, entry: Entry, now: float) -> bool:
    allowed = call.policy.cache.stale_if_error
    return allowed is not None and now - entry.created <= entry.ttl + allowed
