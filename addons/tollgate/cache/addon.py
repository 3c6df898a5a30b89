"""The Cache room: a call that asks what was asked before is answered here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mitmproxy import addonmanager, ctx, exceptions

from tollgate.cache.cassettes.addon import Cassettes, Settings
from tollgate.cache.cassettes.library import CassetteError
from tollgate.cache.conditions import Conditions, conditions
from tollgate.cache.eligible import reason_against
from tollgate.cache.entry import Entry
from tollgate.cache.flight import Flight, Head
from tollgate.cache.forms import FORMS
from tollgate.cache.keeping import Heard, ended_well, stream_entry, whole_entry
from tollgate.cache.key import canonical, scope_of
from tollgate.cache.replay import CACHE, fits, fresh, render, replay
from tollgate.cache.semantic.likes import Like, Likes, text_heard, text_of
from tollgate.cache.semantic.tier import Understood
from tollgate.cache.shelf import Make, Shelf
from tollgate.calls import Answer, Call, End, Event, Failed, Runtime, Verdict
from tollgate.policy import Policy
from tollgate.policy.cache import CacheStorage
from tollgate.store import load_key

OFF_LOOP = 32 * 1024
"""Bodies and entries from this many bytes on are worked on in a thread: other calls go on meanwhile."""
_FAILING = frozenset((429, 500, 502, 503, 504, 529))
"""Statuses in whose place an old answer may stand."""
_STALE = "an old answer stands in for a failing provider"

type Place = tuple[Path, CacheStorage]


@dataclass(slots=True)
class Carried:
    """What one call takes from its way down to its way up."""

    name: str
    """Of the entry."""
    form: str
    """What of the request shapes a stream, before rooms below change it."""
    flight: Flight | None = None
    flight_name: str = ""
    """Under which others find it."""
    stale: Entry | None = None
    """What may stand in where the provider fails."""
    heard: Heard | None = None
    question: Understood | None = None
    """With which other questions find the answer."""
    like: Like | None = None
    """Whose answer is compared with the one that comes."""


class Cache:
    """Gives answers again, and keeps those that may be."""

    name = "cache"

    def __init__(self) -> None:
        self._runtime: Runtime | None = None
        self._shelf: Shelf | None = None
        self._place: Place | None = None
        self._flights: dict[str, Flight] = {}
        self._likes = Likes()
        self.addons: list[Cassettes] = []
        """The cassettes, where calls are recorded or answered from recordings; nothing else is kept then."""

    # -- life ------------------------------------------------------------------------------------------------

    def load(self, loader: addonmanager.Loader) -> None:
        add = loader.add_option
        add("tollgate_cassettes", str, "", "Folder of recorded calls; empty for none.")
        add("tollgate_cassette_mode", str, "none", "When calls are recorded.", ("none", "once", "new"))
        add("tollgate_cassette_pace", str, "at_once", "How fast streams are given.", ("at_once", "original"))
        add("tollgate_cassette_unredacted", bool, False, "Record calls that the policy does not redact.")
        add("tollgate_cassette_ignore", Sequence[str], [], "Paths of requests that need not be as recorded.")

    def configure(self, updated: set[str]) -> None:
        if not any(name.startswith("tollgate_cassette") for name in updated):
            return
        options, before = ctx.options, self.addons
        settings = Settings(
            folder=Path(options.tollgate_cassettes).expanduser().absolute(),
            mode=options.tollgate_cassette_mode,
            pace=options.tollgate_cassette_pace,
            unredacted=options.tollgate_cassette_unredacted,
            ignored=tuple(options.tollgate_cassette_ignore),
        )
        try:
            self.addons = [Cassettes(settings)] if options.tollgate_cassettes else []
        except CassetteError as e:
            raise exceptions.OptionsError(str(e)) from e
        for cassettes in before:
            cassettes.done()

    def llm_prepare(self, runtime: Runtime) -> None:
        """Open the folder where the policy wants one. StateError where it cannot be used."""
        storage = runtime.policy.file.cache_storage
        place = storage.path or runtime.state / "answers", storage
        if not wanted(runtime.policy):
            return
        self._likes.prepare(runtime.policy)
        if self._shelf is not None and place == self._place:
            return
        shelf = Shelf(place[0], load_key(runtime.state), room=storage.room, secret=storage.encrypt)
        self._close()
        self._shelf, self._place = shelf, place

    def llm_setup(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def llm_health(self) -> Mapping[str, object]:
        if self._shelf is None:
            return {}
        return {"counts": dict(self._shelf.counts), "problem": self._shelf.problem}

    def done(self) -> None:
        self._likes.done()
        self._close()

    def _close(self) -> None:
        if self._shelf is not None:
            self._shelf.close()
            self._shelf = None

    # -- down ------------------------------------------------------------------------------------------------

    async def llm_request(self, call: Call) -> None:
        if not call.policy.cache.enabled or call.policy.mode == "observe" or self.addons:
            return
        if self._shelf is None or self._runtime is None:
            raise RuntimeError("a policy that keeps answers is prepared before it is in force")
        asked = conditions(call.client_request.headers)
        if reason := reason_against(call) or ("" if asked.keep else "no_store"):
            call.cache = "bypass"
            call.verdicts.append(Verdict("cache", "allow", "left alone", f"bypass_{reason}"))
        else:
            await self._look(call, asked, self._shelf, self._runtime)

    async def _look(self, call: Call, asked: Conditions, shelf: Shelf, runtime: Runtime) -> None:
        name = _namer(call, runtime)
        large = len(call.request.body.content) > OFF_LOOP
        form = FORMS.get(call.dialect.name)
        options = form.options(call.request.body.json) if form else ""
        carried = Carried(await asyncio.to_thread(name) if large else name(), options)
        if asked.give and await self._give(call, asked, shelf, carried):
            return
        carried.question = await self._likes.understand(call, name)
        if asked.give and (
            await self._give_like(call, asked, shelf, carried) or await self._share(call, carried)
        ):
            return
        if asked.only_kept:
            raise Failed(
                "There is no kept answer to this call (only-if-cached).", code="not_kept", status=504
            )
        call.cache = "miss"
        call.notes["cache"] = carried

    async def _give(self, call: Call, asked: Conditions, shelf: Shelf, carried: Carried) -> bool:
        """True where a kept answer is given. One that is too old is remembered for a provider that fails."""
        now = time.time()
        entry = await shelf.find(carried.name)
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
            self._given(call, entry)
        return call.answer is not None

    async def _give_like(self, call: Call, asked: Conditions, shelf: Shelf, carried: Carried) -> bool:
        """True where the answer to a like question is given; in shadow mode it is only remembered."""
        if carried.question is None:
            return False
        now = time.time()
        like = await self._likes.find(call, carried.question, shelf, now, asked.max_age)
        if like is None or call.policy.cache.semantic.mode == "shadow":
            carried.like = like
            return False
        call.answer = await asyncio.to_thread(replay, call, like.entry, now)
        if call.answer is None:
            return False
        call.answer.headers[CACHE] = f"hit; semantic; score={like.score:.2f}"
        self._given(
            call, like.entry, "semantic", f"the answer to a question that is like it ({like.score:.2f})"
        )
        return True

    async def _share(self, call: Call, carried: Carried) -> bool:
        """True where another call brings the answer; else this one may be the one that does."""
        if not call.policy.cache.share:
            return False
        framing = call.dialect.expected_framing(call.params) if call.stream else ""
        carried.flight_name = f"{carried.name} {framing} {carried.form}"
        flight = self._flights.get(carried.flight_name)
        if flight is None:
            carried.flight = self._flights[carried.flight_name] = Flight(call)
            return False
        call.answer = await flight.share(call)
        if call.answer is None:
            return False
        call.answer.headers[CACHE] = call.cache = "hit"
        call.answer.headers["age"] = "0"
        call.verdicts.append(
            Verdict("cache", "allow", f"shares the answer of call {flight.leader.id}", "shared")
        )
        self._count("shared")
        return True

    def _given(self, call: Call, entry: Entry, code: str = "hit", why: str = "") -> None:
        call.cache = "hit"
        call.usage, call.answered_model = entry.used(), entry.answered_model
        self._say(call, code, why)

    def _say(self, call: Call, code: str, why: str = "") -> None:
        """Count what happened; where there is something to say of it, the trail has it."""
        if why:
            call.verdicts.append(Verdict("cache", "allow", why, code))
        self._count(code)

    async def llm_failed(self, call: Call, error: Failed) -> None:
        carried: Carried | None = call.notes.get("cache")
        if carried is not None and carried.stale is not None:
            call.answer = replay(call, carried.stale, time.time())
            if call.answer is not None:
                self._given(call, carried.stale, "stale", _STALE)

    # -- up --------------------------------------------------------------------------------------------------

    def llm_head(self, call: Call, answer: Answer) -> None:
        if call.cache:
            answer.headers[CACHE] = call.cache
        carried: Carried | None = call.notes.get("cache")
        if carried is None:
            return
        good = answer.status == 200 and answer.framing != "raw"
        if carried.flight is not None:
            head = Head(answer.status, answer.headers.copy(), answer.framing) if good else None
            carried.flight.begin(head)
        if good:
            room = call.policy.cache.max_answer
            carried.heard = Heard(answer.status, time.monotonic(), list(answer.headers.items()), room)

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        carried: Carried | None = call.notes.get("cache")
        if carried is not None and carried.heard is not None:
            if isinstance(event, End):
                self._ended(call, carried, carried.heard, event)
            else:
                carried.heard.hear(event, time.monotonic())
            if carried.flight is not None:
                carried.flight.add(event)
        return (event,)

    async def llm_response(self, call: Call, answer: Answer) -> None:
        carried: Carried | None = call.notes.get("cache")
        if carried is not None and answer.status in _FAILING and carried.stale is not None:
            self._replace(call, answer, carried.stale)
        elif carried is not None:
            await self._whole(call, answer, carried)
        if call.cache:
            answer.headers[CACHE] = call.cache

    def _replace(self, call: Call, answer: Answer, stale: Entry) -> None:
        other = render(call, stale, time.time())
        if other is not None:
            answer.status, answer.headers, answer.body = other.status, other.headers, other.body
            self._given(call, stale, "stale", _STALE)

    async def _whole(self, call: Call, answer: Answer, carried: Carried) -> None:
        if carried.flight is not None:
            good = answer.status == 200
            carried.flight.begin(Head(200, answer.headers.copy(), body=answer.body) if good else None)
        if answer.status != 200 or len(answer.body) > call.policy.cache.max_answer:
            return
        told = call, answer.status, list(answer.headers.items()), answer.body
        if len(answer.body) > OFF_LOOP:
            entry = await asyncio.to_thread(whole_entry, *told)
        else:
            entry = whole_entry(*told)
        if entry is not None:
            self._keep(call, carried, partial(_itself, entry), len(answer.body))
            if carried.like is not None:
                self._say(call, *carried.like.compared(await asyncio.to_thread(text_of, entry)))

    def _ended(self, call: Call, carried: Carried, heard: Heard, end: End) -> None:
        if heard.events and ended_well(call, end):
            size = call.policy.cache.max_answer - heard.room
            self._keep(call, carried, partial(stream_entry, call, heard, carried.form), size)
            if carried.like is not None and size <= OFF_LOOP:  # read here, since the trail is written next
                self._say(call, *carried.like.compared(text_heard(call.dialect.name, heard)))

    def _keep(self, call: Call, carried: Carried, make: Make, size: int) -> None:
        policy = call.policy.cache
        seconds = policy.ttl + (policy.stale_if_error or 0.0)
        if self._shelf is not None and self._shelf.keep(carried.name, make, size, seconds):
            call.cache = "stored"
            if carried.question is not None:
                carried.question.tier.add(carried.question, carried.name)

    def llm_end(self, call: Call) -> None:
        carried: Carried | None = call.notes.pop("cache", None)
        if carried is not None and carried.flight is not None:
            carried.flight.end()
            del self._flights[carried.flight_name]
        if call.cache in ("miss", "stored", "bypass"):
            self._count(call.cache)

    def _count(self, word: str) -> None:
        if self._shelf is not None:
            self._shelf.count(word)


def wanted(policy: Policy) -> bool:
    """True where the policy has anything kept, in general or by a rule."""
    return policy.file.cache.enabled or any(rule.set.cache.enabled for rule in policy.file.rules)


def _namer(call: Call, runtime: Runtime) -> Callable[..., str]:
    """Names the entry of the call, or of one that has another body."""
    groups = tuple(runtime.policy.groups_of(call.identity.user))
    scope = scope_of(call.policy.cache.scope, call.identity, groups)
    return lambda tree=None: runtime.digester.digest("cache", canonical(call, scope, tree))


def _itself(entry: Entry) -> Entry:
    return entry


def _may_stand_in(call: Call, entry: Entry, now: float) -> bool:
    allowed = call.policy.cache.stale_if_error
    return allowed is not None and now - entry.created <= entry.ttl + allowed
