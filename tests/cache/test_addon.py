"""Answers that are given again, through a whole proxy."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat, tollgate
from support.upstream import make_call
from tollgate.cache.addon import Cache, wanted
from tollgate.policy import load

ON: dict[str, Any] = {"cache": {"enabled": True}}
STREAM = chat(stream=True)
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


class Told:
    """What a client is told."""

    def __init__(self, status: int, headers: Any, text: str) -> None:
        self.status = status
        self.text = text
        self.cache = headers.get("x-tollgate-cache", "")
        self.age = headers.get("age", "")

    @property
    def said(self) -> str:
        """The answer's text, in whichever form."""
        lines = [line[6:] for line in self.text.splitlines() if line.startswith("data: {")]
        choices = [c for d in map(json.loads, lines or [self.text]) for c in d.get("choices", ())]
        parts = [choice.get("delta") or choice.get("message") or {} for choice in choices]
        return "".join(part.get("content") or "" for part in parts)


async def ask(proxy: Proxy, body: dict[str, Any], headers: dict[str, str] | None = None) -> Told:
    async with proxy.client().post(CHAT, json=body, headers=headers or KEY) as response:
        return Told(response.status, response.headers, await response.text())


def asked(provider: Provider) -> int:
    """How often the provider was."""
    return len(provider.simulator.journal.entries)


# -- again ---------------------------------------------------------------------------------------------------


@FORMS
async def test_the_second_time_nobody_asks_the_provider(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        first = await ask(proxy, chat(stream=stream))
        second = await ask(proxy, chat(stream=stream))
        records = await proxy.records(2)

    assert (first.cache, second.cache, second.age) == ("miss" if stream else "stored", "hit", "0")
    assert first.said == second.said == "You said: hello there"
    assert asked(provider) == 1
    assert [record["cache"] for record in records] == ["stored", "hit"]
    assert records[0].get("usage") == records[1].get("usage")
    assert "attempts" not in records[1] or records[1]["attempts"] == []


async def test_an_answer_lasts_over_a_restart(tmp_path: Path, provider: Provider) -> None:
    for expected in ("stored", "hit"):
        async with tollgate(tmp_path, provider, ON) as proxy:
            assert (await ask(proxy, chat())).cache == expected


async def test_off_is_off(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        told = [await ask(proxy, chat()) for _ in range(2)]

    assert [t.cache for t in told] == ["", ""]
    assert not (tmp_path / "state" / "answers").exists()


async def test_observe_mode_gives_nothing_again(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {**ON, "mode": "observe"}) as proxy:
        told = [await ask(proxy, chat()) for _ in range(2)]

    assert [t.cache for t in told] == ["", ""]
    assert asked(provider) == 2


async def test_what_is_left_alone_says_so(tmp_path: Path, provider: Provider) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    async with tollgate(tmp_path, provider, ON) as proxy:
        told = [await ask(proxy, chat(tools=[tool])) for _ in range(2)]
        [record, _] = await proxy.records(2)

    assert [t.cache for t in told] == ["bypass", "bypass"]
    assert asked(provider) == 2
    assert [verdict["code"] for verdict in record["verdicts"]] == ["bypass_tools"]


async def test_a_rule_says_for_whom_and_with_which_tag(tmp_path: Path, provider: Provider) -> None:
    rule = {"name": "one model", "when": {"model": "gpt-6"}, "set": ON}
    async with tollgate(tmp_path, provider, {"rules": [rule]}) as proxy:
        told = [await ask(proxy, {**chat(), "model": model}) for model in ("gpt-6", "gpt-6", "gpt-6-mini")]

    assert [t.cache for t in told] == ["stored", "hit", ""]


async def test_what_is_not_whole_is_not_kept(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        for headers in (behave(status=500), behave(status=429)):
            assert (await ask(proxy, chat(), headers)).cache == "miss"
        await ask(proxy, STREAM, behave(cut=2))
        await ask(proxy, STREAM, behave(error_after=2))
        assert (await ask(proxy, STREAM)).cache == "miss"
        assert (await ask(proxy, STREAM)).cache == "hit"


@FORMS
async def test_what_a_cheaper_model_said_for_want_of_money_is_not_kept(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    switch = {"at": "1%", "models": {"gpt-5*": "gpt-5-nano"}}
    budget = {"name": "low", "limit": 0.001, "switch": switch}
    body = {**chat(stream=stream), "model": "gpt-5.4", "max_completion_tokens": 1000}
    async with tollgate(tmp_path, provider, {**ON, "cost": {"enabled": True, "budgets": [budget]}}) as proxy:
        told = [await ask(proxy, body) for _ in range(2)]
        models = [record["answered_model"] for record in await proxy.records(2)]

    assert [each.cache for each in told] == ["miss", "miss"]
    assert models == ["gpt-5-nano", "gpt-5-nano"]


async def test_what_is_too_large_is_not_kept(tmp_path: Path, provider: Provider) -> None:
    policy = {"cache": {"enabled": True, "max_answer": 2000}}
    async with tollgate(tmp_path, provider, policy) as proxy:
        for body in (chat(), STREAM):
            for _ in range(2):
                assert (await ask(proxy, body, behave(size=3000))).cache == "miss"


async def test_large_bodies_and_answers_are_kept_too(tmp_path: Path, provider: Provider) -> None:
    body = chat("long " * 20_000)
    async with tollgate(tmp_path, provider, ON) as proxy:
        first, second = await ask(proxy, body), await ask(proxy, body)
        third = await ask(proxy, {**body, "stream": True})

    assert [first.cache, second.cache, third.cache] == ["stored", "hit", "hit"]
    assert first.said == second.said == third.said


# -- who, and under which conditions -------------------------------------------------------------------------


@FORMS
async def test_one_tenant_never_sees_another_s_answer(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    """Neither one that is kept nor one that is under way."""
    body = chat("the secret of Ann", stream=stream)
    ann, bob = {"authorization": "Bearer sk-of-ann"}, {"authorization": "Bearer sk-of-bob"}
    async with tollgate(tmp_path, provider, ON) as proxy:
        at_once = await asyncio.gather(ask(proxy, body, ann), ask(proxy, body, bob))
        told = [await ask(proxy, body, who) for who in (ann, bob)]

    assert "hit" not in [t.cache for t in at_once]
    assert [t.cache for t in told] == ["hit", "hit"]
    assert asked(provider) == 2


async def test_all_may_share_where_the_policy_says_so(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"cache": {"enabled": True, "scope": "all"}}) as proxy:
        told = [await ask(proxy, chat(), {"authorization": f"Bearer {who}"}) for who in ("ann", "bob")]

    assert [t.cache for t in told] == ["stored", "hit"]


async def test_a_client_may_ask_for_something_else(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        unknown = await ask(proxy, chat(), {**KEY, "cache-control": "only-if-cached"})
        alone = await ask(proxy, chat(), {**KEY, "cache-control": "no-store"})
        kept = await ask(proxy, chat(), {**KEY, "cache-control": "no-cache"})
        young = await ask(proxy, chat(), {**KEY, "cache-control": "max-age=600"})
        only = await ask(proxy, chat(), {**KEY, "cache-control": "only-if-cached"})
        never = await ask(proxy, chat(), {**KEY, "cache-control": "only-if-cached, no-store"})

    assert unknown.status == 504
    assert "only-if-cached" in unknown.text
    assert "only-if-cached" in never.text
    assert [t.cache for t in (alone, kept, young, only)] == ["bypass", "stored", "hit", "hit"]


async def test_an_answer_lasts_for_its_time(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"cache": {"enabled": True, "ttl": 0.001}}) as proxy:
        told = [await ask(proxy, chat()) for _ in range(2)]

    assert [t.cache for t in told] == ["stored", "stored"]


STALE = {"cache": {"enabled": True, "ttl": 0.001, "stale_if_error": "1 h"}}


@FORMS
@pytest.mark.parametrize("fault", [{"status": 503}, {"refuse": True}], ids=["answered", "unreachable"])
async def test_an_old_answer_stands_in_for_a_provider_that_fails(
    tmp_path: Path, provider: Provider, stream: bool, fault: dict[str, Any]
) -> None:
    async with tollgate(tmp_path, provider, STALE) as proxy:
        first = await ask(proxy, chat(stream=stream))
        second = await ask(proxy, chat(stream=stream), behave(**fault))
        records = await proxy.records(2)

    assert (second.status, second.cache, second.said) == (200, "hit", first.said)
    assert [record["outcome"] for record in records] == ["answered", "answered"]
    assert "stale" in [verdict.get("code") for verdict in records[1]["verdicts"]]


async def test_no_old_answer_stands_in_where_the_policy_has_none(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"cache": {"enabled": True, "ttl": 0.001}}) as proxy:
        await ask(proxy, chat())

        assert (await ask(proxy, chat(), behave(status=503))).status == 503


@FORMS
async def test_what_another_model_answers_while_one_fails_is_not_kept(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    gone = {"host": "127.0.0.1", "port": 1, "scheme": "http", "dialect": "openai-chat"}
    policy = {**ON, "targets": {"gone": gone}, "route": {"targets": ["gone", "same"]}}
    async with tollgate(tmp_path, provider, policy) as proxy:
        told = [await ask(proxy, chat(stream=stream)) for _ in range(2)]

    assert [(t.status, t.cache) for t in told] == [(200, "miss")] * 2


async def test_what_was_redacted_is_restored_from_a_kept_answer(tmp_path: Path, provider: Provider) -> None:
    email = "ada.lovelace@analytical-engines.io"
    body = chat(f"write to {email} please")
    async with tollgate(tmp_path, provider, {**ON, "dlp": {"enabled": True}}) as proxy:
        told = [await ask(proxy, {**body, "stream": stream}) for stream in (False, False, True)]

    assert [t.cache for t in told] == ["stored", "hit", "hit"]
    assert all(email in t.said for t in told)
    files = (tmp_path / "state" / "answers").iterdir()
    assert email.encode() not in b"".join(file.read_bytes() for file in files)


# -- at the same time ----------------------------------------------------------------------------------------


@FORMS
async def test_identical_calls_share_one(tmp_path: Path, provider: Provider, stream: bool) -> None:
    body = chat(stream=stream)
    async with tollgate(tmp_path, provider, ON) as proxy:
        leader = asyncio.ensure_future(ask(proxy, body, behave(hang="here")))
        await provider.simulator.journal.wait(1, "arrived")
        others = [asyncio.ensure_future(ask(proxy, body, behave(hang="here"))) for _ in range(5)]
        await all_share(proxy, 6)
        provider.simulator.gates.release("here")
        told = await asyncio.gather(leader, *others)
        records = await proxy.records(6)

    assert asked(provider) == 1
    assert {t.said for t in told} == {"You said: hello there"}
    assert sorted(record["cache"] for record in records) == ["hit"] * 5 + ["stored"]


async def all_share(proxy: Proxy, count: int) -> None:
    """Once that many calls are open, and those that are not the first wait for it."""
    async with asyncio.timeout(10):
        while len(proxy.master.gate.open) < count or not waiting(proxy, count):
            await asyncio.sleep(0.005)


def waiting(proxy: Proxy, count: int) -> bool:
    return max(exchange.call.audience._count for exchange in proxy.master.gate.open) >= count


async def test_a_leader_that_leaves_does_not_end_the_others(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        leader = asyncio.ensure_future(ask(proxy, STREAM, behave(hold="here")))
        await provider.simulator.journal.wait(1, "arrived")
        other = asyncio.ensure_future(ask(proxy, STREAM))
        await all_share(proxy, 2)
        leader.cancel()
        await asyncio.gather(leader, return_exceptions=True)
        await proxy.clients[0].close()
        async with asyncio.timeout(10):
            while waiting(proxy, 2):
                await asyncio.sleep(0.005)
        provider.simulator.gates.release("here")
        told = await other
        records = await proxy.records(2)

    assert told.said == "You said: hello there"
    assert asked(provider) == 1
    assert {record["outcome"] for record in records} == {"abandoned", "answered"}


async def test_a_leader_that_fails_does_not_fail_the_others(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        leader = asyncio.ensure_future(ask(proxy, chat(), behave(hang="here", status=500)))
        await provider.simulator.journal.wait(1, "arrived")
        other = asyncio.ensure_future(ask(proxy, chat()))
        await all_share(proxy, 2)
        provider.simulator.gates.release("here")
        failed, fine = await leader, await other

    assert (failed.status, fine.status) == (500, 200)
    assert asked(provider) == 2


async def test_everybody_goes_alone_where_the_policy_says_so(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"cache": {"enabled": True, "share": False}}) as proxy:
        both = [asyncio.ensure_future(ask(proxy, chat(), behave(hang="here"))) for _ in range(2)]
        await provider.simulator.journal.wait(2, "arrived")
        provider.simulator.gates.release("here")
        told = await asyncio.gather(*both)

    assert [t.cache for t in told] == ["stored", "stored"]


# -- what goes wrong -----------------------------------------------------------------------------------------


async def test_an_entry_that_was_changed_is_asked_for_again(tmp_path: Path, provider: Provider) -> None:
    for expected in ("stored", "stored", "hit"):
        async with tollgate(tmp_path, provider, ON) as proxy:
            told = await ask(proxy, chat())
        assert (told.status, told.cache) == (200, expected)
        if asked(provider) == 1:
            database = sqlite3.connect(tmp_path / "state" / "answers" / "cache.db")
            with database:
                database.execute("UPDATE Cache SET value = zeroblob(100), mode = 1")
            database.close()


async def test_a_policy_may_turn_it_on_and_elsewhere(tmp_path: Path, provider: Provider) -> None:
    storage = {"cache_storage": {"path": str(tmp_path / "elsewhere"), "encrypt": False}}
    async with tollgate(tmp_path, provider, {**ON, **storage}) as proxy:
        await ask(proxy, chat())
        health = proxy.master.gate.report()["rooms"]["cache"]

    assert (tmp_path / "elsewhere" / "cache.db").exists()
    assert health == {"counts": {"stored": 1}, "problem": ""}


async def test_a_room_that_was_not_prepared_lets_nothing_pass() -> None:
    call = make_call(policy=ON)

    with pytest.raises(RuntimeError):
        await Cache().llm_request(call)


def test_a_room_without_a_folder_has_nothing_to_say_and_nothing_to_close() -> None:
    room = Cache()

    assert room.llm_health() == {}
    room.done()


@pytest.mark.parametrize(
    ("policy", "needed"), [({}, False), (ON, True), ({"rules": [{"name": "a", "set": ON}]}, True)]
)
def test_a_folder_is_opened_where_the_policy_wants_one(
    tmp_path: Path, policy: dict[str, Any], needed: bool
) -> None:
    (tmp_path / "p.yaml").write_text(json.dumps(policy))

    assert wanted(load([tmp_path / "p.yaml"])) == needed
