"""Kept answers to questions that are like the one of a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson

from tollgate.cache.eligible import WHOLE_ONLY
from tollgate.cache.entry import Entry
from tollgate.cache.forms import FORMS
from tollgate.cache.keeping import UNLIKE, Heard
from tollgate.cache.replay import fits, fresh
from tollgate.cache.semantic.agreement import agree, likeness, said
from tollgate.cache.semantic.question import question_of
from tollgate.cache.semantic.tier import Tier, Understood, open_tier
from tollgate.cache.shelf import Shelf
from tollgate.calls import Call
from tollgate.policy import Policy
from tollgate.policy.cache import CacheStorage


@dataclass(frozen=True, slots=True)
class Like:
    """A kept answer to a question that is like the one of a call."""

    entry: Entry
    score: float
    """How like the questions are."""
    text: str
    """What the answer says; only where another one is compared with it."""

    def compared(self, other: str) -> tuple[str, str]:
        """Whether it agrees with another answer: a word for machines, and a sentence without their texts."""
        code = "shadow_agreed" if agree(self.text, other) else "shadow_differed"
        told = f"({self.score:.2f}) has an answer that is {likeness(self.text, other):.2f} like it"
        return code, f"a question that is like it {told}"


class Likes:
    """Finds such answers, where a policy wants that."""

    def __init__(self, opened: Callable[[CacheStorage], Tier] = open_tier) -> None:
        self._opened = opened
        self._tier: Tier | None = None
        self._storage: CacheStorage | None = None

    def prepare(self, policy: Policy) -> None:
        """Load the model where the policy wants one. StateError where it cannot be used."""
        storage = policy.file.cache_storage
        if not wanted(policy):
            self._tier, self._storage = None, None
        elif storage != self._storage:  # calls under way may use the old one to their end
            self._tier, self._storage = self._opened(storage), storage

    def done(self) -> None:
        if self._tier is not None:
            self._tier.close()

    async def understand(self, call: Call, name: Callable[[Any], str]) -> Understood | None:
        """The question of a call; None where it has none that could be answered with another's answer.
        `name` is that of all calls with such a body."""
        policy = call.policy.cache.semantic
        if self._tier is None or policy.mode == "off" or call.operation in WHOLE_ONLY:
            return None
        question = question_of(call.dialect.name, call.request.body.json, policy.max_length)
        if question is None:
            return None
        return await self._tier.understand(policy, question.text, lambda: name(question.rest))

    async def find(
        self, call: Call, question: Understood, shelf: Shelf, now: float, max_age: float | None
    ) -> Like | None:
        """The kept answer to the likest question that has one which may be given to this call."""
        for near in question.near:
            entry = await shelf.find(near.name)
            if entry is None or not fits(call, entry, now, max_age):
                continue
            if fresh(entry, now, call.policy.cache.ttl):
                shadow = call.policy.cache.semantic.mode == "shadow"
                return Like(entry, near.score, await asyncio.to_thread(text_of, entry) if shadow else "")
        return None


def wanted(policy: Policy) -> bool:
    """True where the policy has like questions looked for, in general or by a rule."""
    every = (policy.file.cache, *(rule.set.cache for rule in policy.file.rules))
    return any(cache.semantic.mode != "off" for cache in every)


def text_of(entry: Entry) -> str:
    """What a kept answer says; nothing where that cannot be read."""
    try:
        return said(FORMS[entry.dialect].fold(entry.events()) if entry.streamed else orjson.loads(entry.body))
    except UNLIKE:
        return ""


def text_heard(dialect: str, heard: Heard) -> str:
    """What a streamed answer said; nothing where that cannot be read."""
    try:
        return said(FORMS[dialect].fold([event for _, event in heard.events]))
    except UNLIKE:
        return ""
