"""Pairs of questions asked through the real Cache room, with a provider that answers as each pair says."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from multidict import CIMultiDict

from support.upstream import make_call, make_request
from tollgate.cache.addon import Cache
from tollgate.cache.semantic.guards import Words
from tollgate.cache.semantic.index import Index
from tollgate.cache.semantic.likes import Likes
from tollgate.cache.semantic.models import Model
from tollgate.cache.semantic.tier import Tier
from tollgate.calls import Answer, Call, Runtime
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester

type Mode = Literal["serve", "shadow"]
type Said = Literal["agreed", "differed", ""]

_SAID: dict[str, Said] = {"shadow_agreed": "agreed", "shadow_differed": "differed"}
_POLICY = {"cache": {"enabled": True, "semantic": {"mode": "shadow"}}}


@dataclass(frozen=True, slots=True)
class Pair:
    """Two questions, what a provider answers to each, and whether one answer is right for both."""

    one: str
    other: str
    same: bool
    kind: str
    answers: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Setting:
    """What of the policy is tried."""

    words: Words
    threshold: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a pair's second question, with the answer to the first one kept."""

    pair: Pair
    setting: Setting
    served: bool
    """In "serve": it was answered with the kept answer."""
    said: Said
    """In "shadow": whether the kept answer would have agreed; empty where none was found."""


async def ask(pairs: Sequence[Pair], settings: Iterable[Setting], model: Model) -> AsyncIterator[Outcome]:
    """Every pair with every setting, in both modes."""
    async with _room(model) as room:
        for setting, (number, pair) in product(settings, enumerate(pairs)):
            serve = await _asked(room, number, pair, setting, "serve")
            shadow = await _asked(room, number, pair, setting, "shadow")
            yield Outcome(pair, setting, "semantic" in serve, _said(shadow))


def _said(codes: Iterable[str]) -> Said:
    return next((_SAID[code] for code in codes if code in _SAID), "")


@asynccontextmanager
async def _room(model: Model) -> AsyncIterator[Cache]:
    with TemporaryDirectory() as folder:
        policy = Policy(PolicyFile.model_validate(_POLICY))
        runtime = Runtime(policy, Providers.builtin(), Path(folder), Digester(b"k" * 32))
        room = Cache(Likes(lambda storage: Tier(model, Index(storage.questions))))
        room.llm_prepare(runtime)
        room.llm_setup(runtime)
        try:
            yield room
        finally:
            room.done()


async def _asked(room: Cache, number: int, pair: Pair, setting: Setting, mode: Mode) -> set[str]:
    """What the cache says of the second question."""
    for question, answer in zip((pair.one, pair.other), pair.answers, strict=True):
        call = _call(question, number, setting, mode)
        await room.llm_request(call)
        if call.answer is None:
            await room.llm_response(call, _answer(answer))
        room.llm_end(call)
    return {verdict.code for verdict in call.verdicts}


def _call(question: str, number: int, setting: Setting, mode: Mode) -> Call:
    """Pairs, settings and modes have system prompts of their own: nothing compares with another one's."""
    system = f"{mode} {setting.words} {setting.threshold} {number}"
    turns = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    semantic = {"mode": mode, "words": setting.words, "threshold": setting.threshold}
    policy = {"cache": {"enabled": True, "semantic": semantic}}
    call = make_call(make_request(json.dumps({"model": "m", "messages": turns}).encode()), policy=policy)
    call.request.body.parse(call.dialect.shape)
    call.time = time.time()
    return call


def _answer(text: str) -> Answer:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return Answer(200, CIMultiDict(), json.dumps({"id": "chatcmpl-1", "choices": [choice]}).encode())
