"""The Cache room: a call that asks what was asked before is answered here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from mitmproxy import addonmanager, ctx, exceptions

from tollgate.cache.cassettes.addon import Cassettes, Settings
from tollgate.cache.cassettes.library import CassetteError
from tollgate.cache.conditions import conditions
from tollgate.cache.eligible import reason_against
from tollgate.cache.entry import Entry
from tollgate.cache.flight import Flight, Head
from tollgate.cache.giving import OFF_LOOP, Carried, Giving, given, head_of, not_kept, release, say
from tollgate.cache.keeping import Heard, ended_well, stands_in, stream_entry, whole_entry
from tollgate.cache.replay import CACHE, render, replay
from tollgate.cache.semantic.likes import Likes, text_heard, text_of
from tollgate.cache.shelf import Make, Shelf
from tollgate.calls import Answer, Call, End, Event, Failed, Runtime, Verdict
from tollgate.policy import Policy
from tollgate.policy.cache import CacheStorage
from tollgate.store import load_key

_FAILING = frozenset((429, 500, 502, 503, 504, 529))
"""Statuses in whose place an old answer may stand."""
_STALE = "an old answer stands in for a failing provider"

type Place = tuple[Path, CacheStorage]


class Cache:
    """Gives answers again, and keeps those that may be."""

    name = "cache"

    def __init__(self, likes: Likes | None = None) -> None:
        """`likes`: what finds like questions, where that is not by the policy's model."""
        self._runtime: Runtime | None = None
        self._shelf: Shelf | None = None
        self._place: Place | None = None
        self._flights: dict[str, Flight] = {}
        self._likes = likes or Likes()
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
            if asked.only_kept:
                raise not_kept()
        else:
            await Giving(self._shelf, self._likes, self._flights).look(call, asked, self._runtime)

    async def llm_failed(self, call: Call, error: Failed) -> None:
        carried: Carried | None = call.notes.get("cache")
        if carried is not None and carried.stale is not None:
            call.answer = replay(call, carried.stale, time.time())
            if call.answer is not None:
                given(self._shelf, call, carried.stale, "stale", _STALE)

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
            release(carried)  # unless the shelf has it, nothing is kept: others go on
        if call.cache:
            answer.headers[CACHE] = call.cache

    def _replace(self, call: Call, answer: Answer, stale: Entry) -> None:
        other = render(call, stale, time.time())
        if other is not None:
            answer.status, answer.headers, answer.body = other.status, other.headers, other.body
            given(self._shelf, call, stale, "stale", _STALE)

    async def _whole(self, call: Call, answer: Answer, carried: Carried) -> None:
        if carried.flight is not None:
            carried.flight.begin(head_of(answer))
        if answer.status != 200 or len(answer.body) > call.policy.cache.max_answer:
            return
        if len(answer.body) > OFF_LOOP:
            entry = await asyncio.to_thread(whole_entry, call, answer)
        else:
            entry = whole_entry(call, answer)
        if entry is not None:
            self._keep(call, carried, entry, len(answer.body))
            if carried.like is not None:
                say(self._shelf, call, *carried.like.compared(await asyncio.to_thread(text_of, entry)))

    def _ended(self, call: Call, carried: Carried, heard: Heard, end: End) -> None:
        if heard.events and ended_well(call, end):
            size = call.policy.cache.max_answer - heard.room
            self._keep(call, carried, partial(stream_entry, call, heard, carried.form), size)
            if carried.like is not None and size <= OFF_LOOP:  # read here, since the trail is written next
                say(self._shelf, call, *carried.like.compared(text_heard(call.dialect.name, heard)))

    def _keep(self, call: Call, carried: Carried, what: Entry | Make, size: int) -> None:
        if any(verdict.code == "model_switched" for verdict in call.verdicts):
            return  # who asks again when there is money again wants the model that was asked for
        policy = call.policy.cache
        if stands_in(call):
            return
        seconds = policy.ttl + (policy.stale_if_error or 0.0)
        if self._shelf is not None and self._shelf.keep(carried.name, what, size, seconds, carried.lease):
            carried.lease = None  # the shelf's, until it is written
            call.cache = "stored"
            if carried.question is not None:
                carried.question.tier.add(carried.question, carried.name)

    def llm_end(self, call: Call) -> None:
        carried: Carried | None = call.notes.pop("cache", None)
        if carried is not None:
            release(carried)
            if carried.flight is not None:
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
