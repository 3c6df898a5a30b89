"""Answers to questions that mean the same, through a whole proxy, with a model that the test makes itself."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support.models import static_model
from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat, simulated_provider, tollgate
from support.upstream import make_call, make_request
from tollgate.cache.entry import Entry
from tollgate.cache.keeping import Heard
from tollgate.cache.semantic.likes import Like, Likes, text_heard, text_of, wanted
from tollgate.cache.semantic.tier import open_tier
from tollgate.calls import Event
from tollgate.policy import load
from tollgate.store import StateError

FRANCE = "What is the capital of France?"
SAME = "Please tell me the capital of France."
GERMANY = "What is the capital of Germany?"
FORMS = pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path) as provider:
        yield provider


def policy(folder: Path, mode: str = "serve", **settings: Any) -> dict[str, Any]:
    semantic = {"mode": mode, "threshold": 0.3, **settings}
    embedder = {"kind": "static", "folder": str(static_model(folder / "model"))}
    return {"cache": {"enabled": True, "semantic": semantic}, "cache_storage": {"embedder": embedder}}


async def ask(proxy: Proxy, body: dict[str, Any], headers: dict[str, str] | None = None) -> tuple[str, str]:
    """What the cache says of itself, and the answer."""
    async with proxy.client().post(CHAT, json=body, headers=headers or KEY) as response:
        assert response.status == 200
        return response.headers.get("x-tollgate-cache", ""), said(await response.text())


def said(text: str) -> str:
    lines = [line[6:] for line in text.splitlines() if line.startswith("data: {")]
    choices = [c for d in map(json.loads, lines or [text]) for c in d.get("choices", ())]
    return "".join((c.get("delta") or c.get("message") or {}).get("content") or "" for c in choices)


def asked(provider: Provider) -> int:
    return len(provider.simulator.journal.entries)


# -- serve -------------------------------------------------------------------------------------------------


@FORMS
async def test_a_question_that_means_the_same_has_the_kept_answer(
    tmp_path: Path, provider: Provider, stream: bool
) -> None:
    async with tollgate(tmp_path, provider, policy(tmp_path)) as proxy:
        _, first = await ask(proxy, chat(FRANCE))
        cache, second = await ask(proxy, chat(SAME, stream=stream))
        records = await proxy.records(2)
        counts = proxy.master.gate.report()["rooms"]["cache"]["counts"]

    assert re.fullmatch(r"hit; semantic; score=0\.\d\d", cache)
    assert second == first == f"You said: {FRANCE}"
    assert asked(provider) == 1
    assert records[1]["cache"] == "hit"
    assert [verdict["code"] for verdict in records[1]["verdicts"]] == ["semantic"]
    assert re.search(r"\(0\.\d\d\)", records[1]["verdicts"][0]["reason"])
    assert "apital" not in json.dumps(records)
    assert counts == {"stored": 1, "semantic": 1}


@pytest.mark.parametrize(
    "other",
    [
        chat(GERMANY),
        chat("What is not the capital of France?"),
        chat("What is the latest capital of France?"),
        chat(SAME, temperature=0.5),
        {**chat(SAME), "model": "gpt-6-mini"},
        {**chat(SAME), "messages": [{"role": "system", "content": "Lie."}, *chat(SAME)["messages"]]},
    ],
    ids=["name", "negation", "time", "parameter", "model", "system"],
)
async def test_what_differs_in_anything_else_is_asked(
    tmp_path: Path, provider: Provider, other: dict[str, Any]
) -> None:
    async with tollgate(tmp_path, provider, policy(tmp_path)) as proxy:
        told = [(await ask(proxy, body))[0] for body in (chat(FRANCE), other)]

    assert told == ["stored", "stored"]


async def test_one_tenant_never_sees_another_s_answer(tmp_path: Path, provider: Provider) -> None:
    ann, bob = ({"authorization": f"Bearer sk-of-{who}"} for who in ("ann", "bob"))
    async with tollgate(tmp_path, provider, policy(tmp_path)) as proxy:
        told = [(await ask(proxy, chat(q), who))[0] for q, who in ((FRANCE, ann), (SAME, bob), (SAME, ann))]

    assert told[:2] == ["stored", "stored"]
    assert told[2].startswith("hit; semantic")


async def test_the_client_s_conditions_hold_here_too(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, policy(tmp_path)) as proxy:
        await ask(proxy, chat(FRANCE))
        fresh = await ask(proxy, chat(SAME), {**KEY, "cache-control": "no-cache"})
        kept = await ask(proxy, chat("The capital of France"), {**KEY, "cache-control": "only-if-cached"})

    assert fresh == ("stored", f"You said: {SAME}")
    assert kept[0].startswith("hit; semantic")


async def test_an_answer_that_is_too_old_is_not_given(tmp_path: Path, provider: Provider) -> None:
    settings = policy(tmp_path)
    settings["cache"]["ttl"] = 0.001
    async with tollgate(tmp_path, provider, settings) as proxy:
        told = [(await ask(proxy, chat(text)))[0] for text in (FRANCE, SAME)]

    assert told == ["stored", "stored"]


async def test_other_redacted_values_are_other_questions(tmp_path: Path, provider: Provider) -> None:
    settings = {**policy(tmp_path), "dlp": {"enabled": True}}
    async with tollgate(tmp_path, provider, settings) as proxy:
        first = await ask(proxy, chat("Write the email to ada.lovelace@analytical-engines.io please"))
        other = await ask(proxy, chat("Please write the email to grace.hopper@analytical-engines.io"))
        same = await ask(proxy, chat("Please write the email to ada.lovelace@analytical-engines.io please"))

    assert [first[0], other[0]] == ["stored", "stored"]
    assert same[0].startswith("hit; semantic")
    assert "ada.lovelace@analytical-engines.io" in same[1]


async def test_many_at_once_are_all_answered(tmp_path: Path, provider: Provider) -> None:
    questions = [f"What is the capital of France, {number}?" for number in range(60)]
    async with tollgate(tmp_path, provider, policy(tmp_path)) as proxy:
        first = await asyncio.gather(*(ask(proxy, chat(text)) for text in questions))
        again = await asyncio.gather(*(ask(proxy, chat(f"Please: {text}")) for text in questions))

    assert [text for _, text in first] == [f"You said: {text}" for text in questions]
    assert all(text.endswith(question) for (_, text), question in zip(again, questions, strict=True))


# -- shadow ------------------------------------------------------------------------------------------------


@FORMS
@pytest.mark.parametrize(
    ("answer", "code", "likeness"),
    [("It is Paris.", "shadow_agreed", "1.00"), ("Lyon, they say.", "shadow_differed", "0.00")],
    ids=["agreed", "differed"],
)
async def test_in_shadow_the_provider_is_asked_and_the_answers_are_compared(
    tmp_path: Path, provider: Provider, stream: bool, answer: str, code: str, likeness: str
) -> None:
    async with tollgate(tmp_path, provider, policy(tmp_path, "shadow")) as proxy:
        await ask(proxy, chat(FRANCE, stream=stream), behave(text="It is Paris."))
        cache, text = await ask(proxy, chat(SAME, stream=stream), behave(text=answer))
        records = await proxy.records(2)

    assert (cache, text) == ("miss" if stream else "stored", answer)
    assert asked(provider) == 2
    [verdict] = records[1]["verdicts"]
    assert verdict["code"] == code
    assert re.search(rf"\(0\.\d\d\) has an answer that is {likeness} like it", verdict["reason"])
    assert not re.search("apital|Paris|Lyon", json.dumps(records))


async def test_in_shadow_a_failure_is_not_compared(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, policy(tmp_path, "shadow")) as proxy:
        await ask(proxy, chat(FRANCE))
        async with proxy.client().post(CHAT, json=chat(SAME), headers=behave(status=500)) as response:
            assert response.status == 500
        records = await proxy.records(2)

    assert records[1].get("verdicts", []) == []


@pytest.mark.parametrize(("operation", "understood"), [("chat", True), ("count_tokens", False)])
async def test_what_counts_letters_is_no_question(tmp_path: Path, operation: str, understood: bool) -> None:
    """Two questions that mean the same are not equally long."""
    call = make_call(
        make_request(json.dumps(chat(FRANCE)).encode()), policy={"cache": policy(tmp_path)["cache"]}
    )
    call.request.body.parse(call.dialect.shape)
    call.operation = operation
    likes = Likes()
    likes.prepare(policy_of(tmp_path, policy(tmp_path)))

    assert (await likes.understand(call, lambda rest: "p") is not None) == understood
    likes.done()


# -- policy ------------------------------------------------------------------------------------------------


def policy_of(tmp_path: Path, content: dict[str, Any]) -> Any:
    (tmp_path / "p.yaml").write_text(json.dumps(content))
    return load([tmp_path / "p.yaml"])


def test_a_rule_may_want_it_for_some_calls(tmp_path: Path) -> None:
    rule = {"name": "faq", "set": {"cache": {"enabled": True, "semantic": {"mode": "serve"}}}}

    assert wanted(policy_of(tmp_path, {"rules": [rule]}))
    assert not wanted(policy_of(tmp_path, {"cache": {"enabled": True}}))


def test_a_model_is_loaded_once_and_let_go_when_it_is_not_wanted(tmp_path: Path) -> None:
    likes = Likes()
    likes.prepare(policy_of(tmp_path, policy(tmp_path)))
    first = likes._tier
    likes.prepare(policy_of(tmp_path, policy(tmp_path, threshold=0.9)))

    assert first is not None
    assert likes._tier is first
    likes.prepare(policy_of(tmp_path, {}))
    assert likes._tier is None
    likes.done()
    first.close()


def test_questions_may_be_found_by_something_else(tmp_path: Path) -> None:
    with closing(open_tier(policy_of(tmp_path, policy(tmp_path)).file.cache_storage)) as other:
        likes = Likes(lambda storage: other)
        likes.prepare(policy_of(tmp_path, policy(tmp_path)))

        assert likes._tier is other
        likes.done()


def test_a_model_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    content = policy(tmp_path)
    (tmp_path / "model" / "tokenizer.json").unlink()

    with pytest.raises(StateError, match=r"tokenizer\.json"):
        Likes().prepare(policy_of(tmp_path, content))


# -- comparing ---------------------------------------------------------------------------------------------


def test_an_answer_that_cannot_be_read_says_nothing() -> None:
    broken = Entry(
        created=0.0, ttl=1.0, dialect="openai-chat", provider="p", operation="chat", model="m", body=b"{"
    )
    heard = Heard(200, 0.0, [], 100)
    heard.hear(Event(b"{"), 0.0)

    assert text_of(broken) == ""
    assert text_heard("openai-chat", heard) == ""
    assert Like(broken, 0.9, "four").compared("")[0] == "shadow_differed"
