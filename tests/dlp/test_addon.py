"""Redaction through a whole proxy, before a provider that echoes what it is told."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from pathlib import Path
from threading import current_thread, main_thread
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from simulator.behaviour import Behaviour
from support.detection import compiled
from support.proxy import CHAT, KEY, Provider, behave, chat, tollgate
from tollgate.calls import Runtime
from tollgate.dlp.addon import Dlp
from tollgate.dlp.equipment import Equipment, equip
from tollgate.dlp.treat import Treatment, treat
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester

EMAIL = "ada.lovelace@analytical-engines.io"
CARD = "4111 1111 1111 1111"
TOKEN = "ghp_" + "n0rT3aLt0k3nOfAnybodyAtAllReally12"[:36].ljust(36, "7")
TEXT = f"Write to {EMAIL}, charge {CARD}, push with {TOKEN} please"
PLANTED = (EMAIL, CARD, TOKEN)
ON: dict[str, Any] = {"dlp": {"enabled": True}}

ANTHROPIC = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-pro"


def text_of(answer: Any) -> str:
    """All text of an answer, whatever its dialect."""
    if isinstance(answer, dict):
        return "".join(map(text_of, answer.values()))
    if isinstance(answer, list):
        return "".join(map(text_of, answer))
    return answer if isinstance(answer, str) else ""


def streamed_text(body: str) -> str:
    """What the deltas of a stream make together."""
    events = (line[6:] for line in body.splitlines() if line.startswith("data: {"))
    return "".join(delta_of(json.loads(event)) for event in events)


def delta_of(event: dict[str, Any]) -> str:
    if choices := event.get("choices"):
        return str(choices[0].get("delta", {}).get("content") or "")
    if candidates := event.get("candidates"):
        return "".join(part.get("text", "") for part in candidates[0]["content"]["parts"])
    return str(event.get("delta", {}).get("text", "")) if event.get("type") == "content_block_delta" else ""


CALLS = [
    (CHAT, {"model": "gpt-6", "messages": [{"role": "user", "content": TEXT}]}, "stream"),
    (
        ANTHROPIC,
        {"model": "claude-x", "max_tokens": 500, "messages": [{"role": "user", "content": TEXT}]},
        "stream",
    ),
    (f"{GEMINI}:generateContent", {"contents": [{"role": "user", "parts": [{"text": TEXT}]}]}, ""),
]
HEADERS = {**KEY, "x-api-key": "k", "anthropic-version": "2023-06-01", "x-goog-api-key": "k"}


@pytest.mark.parametrize(("url", "body", "flag"), CALLS, ids=["openai", "anthropic", "gemini"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_values_stay_and_the_answer_has_them_again(
    tmp_path: Path, provider: Provider, url: str, body: dict[str, Any], flag: str, stream: bool
) -> None:
    if stream and flag:
        body = {**body, flag: True}
    elif stream:
        url = url.replace(":generateContent", ":streamGenerateContent?alt=sse")
    async with tollgate(tmp_path, provider, ON) as proxy:
        async with proxy.client().post(url, json=body, headers=HEADERS) as response:
            answer = await response.text()
        [record] = await proxy.records()

    assert response.status == 200, answer
    sent = provider.simulator.journal.entries[0].body.decode()
    assert not [value for value in PLANTED if value in sent]
    got = streamed_text(answer) if stream else text_of(json.loads(answer))
    assert TEXT in got
    assert {finding["kind"] for finding in record["findings"]} == {"EMAIL_ADDRESS", "CREDIT_CARD", "SECRET"}
    assert not [value for value in PLANTED if value in str(record)]


async def test_the_same_value_has_the_same_token_in_every_turn(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, ON) as proxy:
        for _ in range(2):
            async with proxy.client().post(CHAT, json=chat(TEXT), headers=KEY) as response:
                await response.read()

    first, second = (entry.body for entry in provider.simulator.journal.entries)
    assert first == second


async def test_a_call_without_findings_stays_to_the_byte(tmp_path: Path, provider: Provider) -> None:
    body = b'{"messages" : [{"content":"caf\\u00e9, please" ,"role":"user"}],\n"top_p":1.0,"model":"gpt-6"}'
    headers = {**KEY, "content-type": "application/json"}
    async with (
        tollgate(tmp_path, provider, ON) as proxy,
        proxy.client().post(CHAT, data=body, headers=headers) as response,
    ):
        await response.read()

    assert provider.simulator.journal.entries[0].body == body


async def test_a_blocked_entity_is_named_with_its_place_and_not_its_value(
    tmp_path: Path, provider: Provider
) -> None:
    policy = {"dlp": {"enabled": True, "actions": {"CREDIT_CARD": "block"}}}
    async with tollgate(tmp_path, provider, policy) as proxy:
        async with proxy.client().post(CHAT, json=chat(TEXT), headers=KEY) as response:
            answer = await response.json()
        [record] = await proxy.records()

    assert (response.status, answer["error"]["code"]) == (400, "dlp_blocked")
    assert "CREDIT_CARD" in answer["error"]["message"]
    assert "messages[0].content" in answer["error"]["message"]
    assert CARD not in str(answer) + str(record)
    assert provider.simulator.journal.entries == []


async def test_observe_mode_changes_nothing_and_records_what_it_would_have(
    tmp_path: Path, provider: Provider
) -> None:
    async with tollgate(tmp_path, provider, {"mode": "observe", **ON}) as proxy:
        async with proxy.client().post(CHAT, json=chat(TEXT), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert TEXT in provider.simulator.journal.entries[0].body.decode()
    assert [(v["room"], v["action"], v["code"]) for v in record["verdicts"]] == [
        ("dlp", "observe", "would_redact")
    ]


async def test_a_rule_can_turn_it_on_for_some(tmp_path: Path, provider: Provider) -> None:
    rule = {"name": "one model", "when": {"model": "gpt-6"}, "set": ON}
    async with tollgate(tmp_path, provider, {"rules": [rule]}) as proxy:
        for model in ("gpt-6", "gpt-6-mini"):
            body = {**chat(TEXT), "model": model}
            async with proxy.client().post(CHAT, json=body, headers=KEY) as response:
                await response.read()

    assert [EMAIL in entry.body.decode() for entry in provider.simulator.journal.entries] == [False, True]


async def test_a_value_that_cannot_be_rewritten_is_refused(tmp_path: Path, provider: Provider) -> None:
    hidden = f"the key is {TOKEN}, keep it".encode().hex()
    body = chat(f"decode {hidden}")
    async with (
        tollgate(tmp_path, provider, ON) as proxy,
        proxy.client().post(CHAT, json=body, headers=KEY) as response,
    ):
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (400, "dlp_blocked")
    assert provider.simulator.journal.entries == []


async def test_query_header_and_base64_are_rewritten(tmp_path: Path, provider: Provider) -> None:
    document = f"Write to {EMAIL}, and to nobody else."
    body = chat(f"decode {b64encode(document.encode()).decode()}")
    headers = {**KEY, "x-note": f"for {EMAIL}"}
    async with (
        tollgate(tmp_path, provider, ON) as proxy,
        proxy.client().post(f"{CHAT}?for={quote(EMAIL)}&n=1", json=body, headers=headers) as response,
    ):
        assert response.status == 200

    [entry] = provider.simulator.journal.entries
    sent = entry.body.decode()
    inner = b64decode(json.loads(sent)["messages"][-1]["content"].removeprefix("decode ")).decode()
    token = inner.removeprefix("Write to ").partition(",")[0]
    assert token.endswith("@pii.invalid")
    assert dict(entry.headers)["x-note"] == f"for {token}"
    assert entry.target.endswith(f"?for={quote(token, safe='')}&n=1")


async def test_tool_arguments_hold_the_values_again(tmp_path: Path, provider: Provider) -> None:
    """A tool call that writes a file writes what the user said, and no token."""
    parameters = {"type": "object", "properties": {"text": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "write", "parameters": parameters}}
    for stream in (False, True):
        body = chat(TEXT, tools=[tool], tool_choice="required", stream=stream)
        async with (
            tollgate(tmp_path, provider, ON) as proxy,
            proxy.client().post(CHAT, json=body, headers=behave()) as response,
        ):
            answer = await response.text()

        assert response.status == 200, answer
        assert "QZX" not in answer.upper()
        assert not [v for v in PLANTED if v in provider.simulator.journal.entries[-1].body.decode()]


# -- what the model writes itself --------------------------------------------------------------------------


def answers(mode: str = "enforce", **actions: str) -> dict[str, Any]:
    """A policy under which answers are looked into."""
    return {"mode": mode, "dlp": {"enabled": True, "answers": {"scan": True, "actions": actions}}}


def says(provider: Provider, text: str) -> None:
    """Every answer is this text, in small pieces."""
    provider.simulator.behaviour = Behaviour(text=text, events=len(text) // 7)


WROTE = f"Sure: write to {EMAIL}, push with {TOKEN}, and then a few more words follow until this is over."


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("url", [CHAT, ANTHROPIC], ids=["openai", "anthropic"])
async def test_what_the_model_wrote_is_masked(
    tmp_path: Path, provider: Provider, url: str, stream: bool
) -> None:
    body = {**chat("hello"), "max_tokens": 500, "stream": stream}
    says(provider, WROTE)
    async with tollgate(tmp_path, provider, answers(SECRET="mask", EMAIL_ADDRESS="redact")) as proxy:
        async with proxy.client().post(url, json=body, headers=HEADERS) as response:
            answer = await response.text()
        [record] = await proxy.records()

    got = streamed_text(answer) if stream else text_of(json.loads(answer))
    assert WROTE.replace(EMAIL, "").replace(TOKEN, "*" * (len(TOKEN) - 4) + TOKEN[-4:]) in got
    assert (response.status, record["outcome"]) == (200, "answered")
    assert {(f["kind"], f["action"]) for f in record["findings"]} == {
        ("SECRET", "mask"),
        ("EMAIL_ADDRESS", "redact"),
    }
    assert [v["code"] for v in record["verdicts"]] == ["answer_changed"]
    assert TOKEN not in str(record)


@pytest.mark.parametrize("url", [CHAT, ANTHROPIC], ids=["openai", "anthropic"])
async def test_a_blocked_answer_ends_with_the_dialects_error(
    tmp_path: Path, provider: Provider, url: str
) -> None:
    says(provider, WROTE)
    async with tollgate(tmp_path, provider, answers(SECRET="block")) as proxy:
        body = {**chat("hello"), "max_tokens": 500}
        async with proxy.client().post(url, json=body, headers=HEADERS) as whole:
            refusal = await whole.json()
        async with proxy.client().post(url, json={**body, "stream": True}, headers=HEADERS) as response:
            streamed = await response.text()
        records = await proxy.records(2)

    assert (whole.status, response.status) == (400, 200)
    assert "no SECRET come back" in refusal["error"]["message"]
    last = [json.loads(line[6:]) for line in streamed.splitlines() if line.startswith("data: {")][-1]
    assert "no SECRET come back" in last["error"]["message"]
    assert WROTE.startswith(streamed_text(streamed))
    assert TOKEN[:8] not in streamed + str(refusal) + str(records)
    assert {record["outcome"] for record in records} == {"refused"}


async def test_reports_and_observe_mode_leave_answers_to_the_byte(tmp_path: Path, provider: Provider) -> None:
    says(provider, WROTE)
    got: list[bytes] = []
    codes: list[str] = []
    for n, policy in enumerate((answers(SECRET="report"), answers("observe", SECRET="block"), {}), 1):
        async with tollgate(tmp_path, provider, policy) as proxy:
            body = chat("hello", stream=True)
            async with proxy.client().post(CHAT, json=body, headers=KEY) as response:
                got.append(await response.read())
            *_, record = await proxy.records(n)
        codes += [verdict["code"] for verdict in record.get("verdicts", ())]

    assert got[0] == got[1] == got[2]
    assert codes == ["answer_reported", "would_change_answer"]


async def test_text_that_is_not_remembered_is_looked_at_off_the_loop(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_loop: list[bool] = []
    headers = {**KEY, "content-type": "application/json"}

    def noted(*args: Any) -> Treatment:
        treatment = treat(*args)
        on_loop.append(current_thread() is main_thread())
        return treatment

    monkeypatch.setattr("tollgate.dlp.addon.treat", noted)
    session = [{"role": "user", "content": f"line {n} of a long talk " * 40} for n in range(60)]
    asked = [session[:6], session[:6], session, session, [*session, session[0]], [*session, *session]]
    async with tollgate(tmp_path, provider, ON) as proxy:
        for messages in asked:
            body = orjson.dumps({"model": "gpt-6", "messages": messages})
            async with proxy.client().post(CHAT, data=body, headers=headers) as response:
                assert response.status == 200

    assert on_loop == [False, True, False, True, True, False]


async def test_what_is_tried_on_the_loop_first_is_treated_once_only(
    tmp_path: Path, provider: Provider
) -> None:
    """The texts are remembered, but not in that order, and so the session; a header is new, and too long."""
    session = [{"role": "user", "content": f"{TEXT}, line {n} of a long talk " * 10} for n in range(20)]
    first = {"role": "user", "content": "hello"}
    told: list[tuple[int, str]] = []
    async with tollgate(tmp_path, provider, ON) as proxy:
        for messages, note in ((session, ""), ([first, *session], "a new note " * 500)):
            data = orjson.dumps({"model": "gpt-6", "messages": messages})
            headers = {**KEY, "content-type": "application/json", "x-note": note}
            async with proxy.client().post(CHAT, data=data, headers=headers) as response:
                told.append((response.status, text_of(await response.json())))

    assert [status for status, _ in told] == [200, 200]
    assert all(TEXT in text for _, text in told)
    assert not [
        value
        for value in PLANTED
        for entry in provider.simulator.journal.entries
        if value.encode() in entry.body
    ]


async def test_a_large_answer_is_judged_off_the_loop(tmp_path: Path, provider: Provider) -> None:
    says(provider, f"{WROTE} " * 3000)
    async with (
        tollgate(tmp_path, provider, answers(SECRET="mask", PERSONAL="mask")) as proxy,
        proxy.client().post(CHAT, json=chat("hello"), headers=KEY) as response,
    ):
        answer = await response.text()

    assert len(answer) > 300_000
    assert TOKEN not in answer
    assert EMAIL not in answer


async def test_values_of_the_request_come_back_though_answers_are_masked(
    tmp_path: Path, provider: Provider
) -> None:
    policy = answers(SECRET="mask", PERSONAL="mask")
    async with (
        tollgate(tmp_path, provider, policy) as proxy,
        proxy.client().post(CHAT, json=chat(TEXT, stream=True), headers=KEY) as response,
    ):
        assert TEXT in streamed_text(await response.text())


async def test_a_rule_can_have_answers_looked_into_for_some(tmp_path: Path, provider: Provider) -> None:
    says(provider, WROTE)
    rule = {"name": "one model", "when": {"model": "gpt-6"}, "set": {"dlp": answers(SECRET="mask")["dlp"]}}
    masked: list[bool] = []
    async with tollgate(tmp_path, provider, {"rules": [rule]}) as proxy:
        for model in ("gpt-6", "gpt-6-mini"):
            body = {**chat("hello", stream=True), "model": model}
            async with proxy.client().post(CHAT, json=body, headers=KEY) as response:
                masked.append(TOKEN not in streamed_text(await response.text()))

    assert masked == [True, False]


async def test_the_trail_tells_of_a_conversation_with_too_many_values(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tollgate.dlp.vault.TokenVault.keep", lambda *_: False)

    async with tollgate(tmp_path, provider, ON) as proxy:
        body = {"model": "gpt-6", "input": TEXT}
        async with proxy.client().post(
            "https://api.openai.com/v1/responses", json=body, headers=KEY
        ) as response:
            assert response.status == 200
        (record,) = await proxy.records()

    assert ("warn", "not_kept") in [(each["action"], each["code"]) for each in record["verdicts"]]


def test_what_is_looked_for_is_built_anew_only_where_it_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secrets, built = tmp_path / "my.env", list[Equipment]()

    def noted(runtime: Runtime) -> Equipment:
        built.append(equip(runtime))
        return built[-1]

    def prepare(actions: dict[str, str]) -> Runtime:
        settings = {"dlp": {"enabled": True, "actions": actions}, "detection": detection}
        policy = Policy(PolicyFile.model_validate(settings))
        runtime = Runtime(policy, Providers.builtin(), compiled(), Digester(bytes(32)))
        dlp.llm_prepare(runtime)
        dlp.llm_setup(runtime)
        return runtime

    monkeypatch.setattr("tollgate.dlp.addon.equip", noted)
    dlp, detection = Dlp(), {"known_values": {"files": [str(secrets)]}}
    secrets.write_text("PASSPHRASE=correct horse")
    prepare({"SECRET": "mask"})
    prepare({"SECRET": "block"})
    assert len(built) == 1

    secrets.write_text("PASSPHRASE=battery staple")
    in_force = prepare({"SECRET": "block"})
    secrets.unlink()
    dlp.llm_prepare(in_force)
    dlp.done()

    assert [bool(each.engine.scan("the battery staple is")) for each in built] == [False, True]
