"""Costs through a whole proxy, before a simulated provider: priced, held, refused, settled, on record."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from support.costs import make_call, until
from support.proxy import CHAT, KEY, LOOPBACK, Provider, Proxy, behave, chat, tollgate
from support.routes import runtime
from tollgate.calls import Answer, Call, Event, Usage
from tollgate.cost.addon import Cost, webhook
from tollgate.gate import Gate
from tollgate.gate.walk import rooms_of
from tollgate.policy import PolicyError
from tollgate.policy.cost import CostSettings

MODEL = "gpt-5.4"
ANTHROPIC = "https://api.anthropic.com/v1/messages"


def policy(*budgets: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"cost": {"enabled": True, "budgets": list(budgets), **more}}


async def ask(proxy: Proxy, **more: Any) -> tuple[int, Any, str]:
    """The status, the headers and the body of a chat call."""
    headers = more.pop("headers", KEY)
    body = {**chat("hello there", model=MODEL, max_completion_tokens=1000), **more}
    async with proxy.client().post(CHAT, json=body, headers=headers) as response:
        return response.status, response.headers, await response.text()


def entries(proxy: Proxy) -> list[dict[str, Any]]:
    path = proxy.folder / "state" / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("SELECT * FROM entries ORDER BY time")]
    database.close()
    return rows


async def settled(proxy: Proxy, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await until(lambda: len(f := entries(proxy)) >= number and f)
    return found


def held(proxy: Proxy) -> int:
    with sqlite3.connect(proxy.folder / "state" / "ledger.sqlite") as database:
        number = database.execute("SELECT COUNT(*) FROM holds").fetchone()[0]
    database.close()
    return int(number)


async def test_a_call_is_priced_in_the_ledger_and_on_record(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, policy(headers=True)) as proxy:
        status, headers, body = await ask(proxy)
        row, record = (await settled(proxy, 1))[0], (await proxy.records(1))[0]

    used = json.loads(body)["usage"]
    assert status == 200
    assert row["cost"] == record["cost"] == row["charged"] > 0
    assert record["paid"] == row["paid"] == "metered"
    assert json.loads(row["usage"])["input"] == used["prompt_tokens"]
    assert headers["x-tollgate-cost"] == f"{row['cost'] / 1e9:.9f}".rstrip("0") + " USD"
    assert "x-tollgate-budget-remaining" not in headers


async def test_a_stream_comes_to_the_same_and_its_client_is_shown_no_usage(
    tmp_path: Path, provider: Provider
) -> None:
    async with tollgate(tmp_path, provider, policy()) as proxy:
        await ask(proxy)
        _, _, body = await ask(proxy, stream=True)
        whole, streamed = await settled(proxy, 2)

    assert streamed["cost"] == whole["cost"]
    assert "usage" not in body
    assert body.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("native", [False, True], ids=["our leg", "mitmproxy's"])
async def test_headers_tell_what_is_left_before_a_stream_begins(
    tmp_path: Path, provider: Provider, native: bool
) -> None:
    budget = {"name": "all", "limit": 1, "every": "day"}
    gate = Gate("a test") if native else None
    async with tollgate(tmp_path, provider, policy(budget, headers=True), gate=gate) as proxy:
        _, whole, _ = await ask(proxy)
        _, streamed, _ = await ask(proxy, stream=True)
        rows = await settled(proxy, 2)

    assert float(whole["x-tollgate-cost"].removesuffix(" USD")) > 0
    for headers in (whole, streamed):
        assert headers["x-tollgate-budget-remaining"].startswith("0.9")
    assert "x-tollgate-cost" not in streamed
    assert rows[0]["cost"] == rows[1]["cost"] > 0
    assert [row["status"] for row in rows] == [200, 200]


async def test_while_it_only_looks_on_it_asks_for_nothing_and_counts_itself(
    tmp_path: Path, provider: Provider
) -> None:
    async with tollgate(tmp_path, provider, {**policy(), "mode": "observe"}) as proxy:
        await ask(proxy, stream=True)
        (row,) = await settled(proxy, 1)
        (entry,) = provider.simulator.journal.entries

    assert json.loads(row["usage"])["estimated"] is True
    assert row["cost"] > 0
    assert b"stream_options" not in entry.body


async def test_a_stream_that_its_client_leaves_is_settled_by_what_was_seen(
    tmp_path: Path, provider: Provider
) -> None:
    budget = {"name": "all", "limit": 1}
    async with tollgate(tmp_path, provider, policy(budget)) as proxy:
        body = chat("hello there " * 20, model=MODEL, stream=True)
        async with proxy.client().post(CHAT, json=body, headers=behave(hold="gate")) as response:
            await response.content.readuntil(b"\n\n")
            response.close()
        (row,) = await settled(proxy, 1)
        (record,) = await proxy.records(1)

    assert record["outcome"] == "abandoned"
    assert json.loads(row["usage"])["estimated"] is True
    assert row["cost"] == row["charged"] == record["cost"] > 0
    assert held(proxy) == 0


async def test_a_spent_budget_refuses_in_the_clients_own_words(tmp_path: Path, provider: Provider) -> None:
    budget = {"name": "pocket money", "limit": 0.00001, "every": "day", "per": ["project"]}
    async with tollgate(tmp_path, provider, policy(budget, headers=True)) as proxy:
        status, headers, body = await ask(proxy, headers={**KEY, "x-tollgate-project": "shop"})
        (record,) = await proxy.records(1)

    error = json.loads(body)["error"]
    assert (status, headers["x-should-retry"]) == (400, "false")
    assert 'the budget "pocket money" of $0.000010 a day for project shop has' in error["message"]
    assert headers["x-tollgate-budget-remaining"].startswith("0.00001 USD; budget=")
    assert (record["outcome"], record["code"], record["cost"]) == ("refused", "budget_spent", 0)
    assert entries(proxy) == []
    assert held(proxy) == 0


async def test_a_call_that_fails_gives_back_what_it_held(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, policy({"name": "all", "limit": 1})) as proxy:
        status, _, _ = await ask(proxy, headers=behave(status=500))
        await until(lambda: not held(proxy))
        (record,) = await proxy.records(1)

    assert status == 500
    assert record["cost"] == 0
    assert entries(proxy) == []


async def test_a_plan_is_priced_apart_and_metered_budgets_do_not_count_it(
    tmp_path: Path, provider: Provider
) -> None:
    metered, plans = (
        {"name": name, "limit": 1e-9, "counts": counts, "at_limit": "warn"}
        for name, counts in (("bills", "metered"), ("plans", "subscription"))
    )
    login = {"authorization": "Bearer sk-ant-oat01-of-nobody", "anthropic-version": "2023-06-01"}
    body = {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
    async with tollgate(tmp_path, provider, policy(metered, plans)) as proxy:
        async with proxy.client().post(ANTHROPIC, json=body, headers=login) as response:
            assert response.status == 200
            await response.read()
        (row,) = await settled(proxy, 1)
        (record,) = await proxy.records(1)

    assert row["paid"] == record["paid"] == "subscription"
    assert row["cost"] > 0
    assert [json.loads(purse)[0] for purse in json.loads(row["purses"])] == ["plans"]


async def test_a_webhook_hears_once_that_a_budget_runs_low(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[dict[str, Any]] = []

    async def take(request: web.Request) -> web.Response:
        heard.append(await request.json())
        return web.Response()

    app = web.Application()
    app.router.add_post("/hook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    monkeypatch.setenv("TEST_WEBHOOK", f"http://{LOOPBACK}:{runner.addresses[0][1]}/hook")
    low = {"name": "low", "limit": 1e-9, "at_limit": "warn", "warn_at": ["50%"]}
    try:
        async with tollgate(tmp_path, provider, policy(low, alerts={"webhook_env": "TEST_WEBHOOK"})) as proxy:
            await ask(proxy)
            await until(lambda: heard)
            await ask(proxy)
            await settled(proxy, 2)
    finally:
        await runner.cleanup()

    assert [(told["budget"], told["threshold"]) for told in heard] == [("low", 0.5)]


async def test_without_costs_nothing_is_opened_and_nothing_changes(
    tmp_path: Path, provider: Provider
) -> None:
    async with tollgate(tmp_path, provider, {"cost": {"enabled": False}}) as proxy:
        assert (await ask(proxy))[0] == 200
        (record,) = await proxy.records(1)
        health = proxy.master.addons.get("cost").llm_health()

    assert "cost" not in record
    assert health == {"ok": True}
    assert not (tmp_path / "state" / "ledger.sqlite").exists()


async def test_another_policy_moves_the_ledger_and_keeps_what_was_learned(
    tmp_path: Path, provider: Provider
) -> None:
    other = tmp_path / "other.sqlite"
    async with tollgate(tmp_path, provider, policy()) as proxy:
        await ask(proxy)
        cost = proxy.master.addons.get("cost")
        learned = cost._desk.estimator
        text = json.loads((tmp_path / "policy.yaml").read_text())
        text["cost"]["ledger"] = {"path": str(other)}
        (tmp_path / "policy.yaml").write_text(json.dumps(text))
        await until(other.exists)
        await until(lambda: cost._till.path == other)
        await ask(proxy)
        await until(lambda: cost.llm_health() == {"ok": True, "healthy": True, "lost": 0})
        assert cost._desk.estimator is learned
    with sqlite3.connect(other) as database:
        assert database.execute("SELECT COUNT(*) FROM entries").fetchone() == (1,)
    database.close()
    assert len(entries(proxy)) == 1


async def test_a_call_that_was_sent_elsewhere_is_billed_there_and_the_cheapest_is_asked(
    tmp_path: Path, provider: Provider
) -> None:
    dear = {"provider": "openai", "model": "gpt-5.4", "credential": "client"}
    routes = {
        "targets": {"dear": dear, "cheap": {**dear, "model": "gpt-5.4-mini"}},
        "route": {"targets": ["dear", "cheap"], "strategy": "cheapest"},
    }
    async with tollgate(tmp_path, provider, {**policy(), **routes}) as proxy:
        await ask(proxy)
        (row,) = await settled(proxy, 1)

    assert (row["provider"], row["asked"]) == ("openai", "gpt-5.4-mini")
    assert row["cost"] > 0


async def test_an_answer_of_our_cache_is_on_the_ledger_as_saved(tmp_path: Path, provider: Provider) -> None:
    class Remembers:
        """A cache with one answer, as the cache room would give it."""

        name = "cache"

        async def llm_request(self, call: Call) -> None:
            call.cache, call.usage = "hit", Usage(input=1000, output=100)
            call.answer = Answer(200, body=b"{}", source="cache")

    async with tollgate(tmp_path, provider, policy()) as proxy:
        rooms = proxy.master.gate.rooms
        proxy.master.gate.rooms = lambda: (rooms_of([Remembers()])[0], *rooms())  # type: ignore[method-assign]
        await ask(proxy)
        (row,) = await settled(proxy, 1)

    assert (row["attempt"], row["cost"], row["charged"]) == (0, 0, 0)
    assert row["cache_saved"] > 0


def test_a_webhook_whose_variable_is_not_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = CostSettings.model_validate({"alerts": {"webhook_env": "TEST_WEBHOOK"}})
    monkeypatch.delenv("TEST_WEBHOOK", raising=False)
    with pytest.raises(ValueError, match="TEST_WEBHOOK is not set"):
        webhook(settings)
    monkeypatch.setenv("TEST_WEBHOOK", "http://x")

    assert webhook(settings) == "http://x"
    assert webhook(CostSettings()) == ""


async def test_before_it_is_set_up_a_call_goes_by(tmp_path: Path) -> None:
    cost, call = Cost(), make_call()
    await cost.llm_request(call)
    await cost.llm_response(call, Answer(200))
    event = Event(b"{}")

    assert list(cost.llm_event(call, event)) == [event]
    cost.llm_end(call)
    assert call.cost is None
    with pytest.raises(RuntimeError):
        cost._ready()


def test_going_back_to_the_policy_in_force_reads_no_price_file_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prices = tmp_path / "prices.yaml"
    prices.write_text("prices: [{multiply: 0.5}]")
    cost, settings = Cost(), {"cost": {"enabled": True, "prices": {"overlays": [str(prices)]}}}
    monkeypatch.setattr(Cost, "_open", lambda cost, runtime: None)
    before = runtime(**settings)
    cost.llm_prepare(before)
    cost.llm_setup(before)
    prices.write_text("prices: [{modle: x}]")

    with pytest.raises(PolicyError, match="modle"):
        cost.llm_prepare(runtime(**settings))
    cost.llm_prepare(before)
    cost.llm_setup(before)

    assert before.quotes.ask is not None
