"""Calls through a whole proxy, against a simulated provider."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mitmproxy import http

from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat, tollgate
from tollgate.calls import Answer, Call, Connection, Event, Notice, Refused, Runtime


async def test_a_whole_call_is_answered_and_recorded(proxy: Proxy, provider: Provider) -> None:
    async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
        answer = await response.json()

    assert answer["choices"][0]["message"]["content"] == "You said: hello there"
    [record] = await proxy.records()
    known = {"provider": "openai", "dialect": "openai-chat", "operation": "chat", "model": "gpt-6"}
    assert record.items() >= {**known, "status": 200, "outcome": "answered", "stream": False}.items()
    assert "sk-of-nobody" not in str(record)
    assert "hello" not in str(record)


async def test_the_first_event_comes_before_the_second_was_sent(proxy: Proxy, provider: Provider) -> None:
    request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="gate"))
    async with request as response:
        first = await response.content.readuntil(b"\n\n")
        assert len(provider.simulator.journal.entries[0].writes) == 1
        provider.simulator.gates.release("gate")
        rest = await response.read()

    assert first.startswith(b"data: {")
    assert rest.endswith(b"data: [DONE]\n\n")


async def test_a_client_that_leaves_ends_the_providers_work(proxy: Proxy, provider: Provider) -> None:
    request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="never"))
    async with request as response:
        await response.content.readuntil(b"\n\n")
        response.close()
    async with asyncio.timeout(1):
        await provider.simulator.journal.wait(1, "disconnected")

    [record] = await proxy.records()
    assert (record["outcome"], record["status"]) == ("abandoned", 200)


async def test_a_client_that_leaves_before_the_answer_ends_the_providers_work(
    proxy: Proxy, provider: Provider
) -> None:
    asking = asyncio.ensure_future(proxy.client().post(CHAT, json=chat(), headers=behave(hang="never")))
    async with asyncio.timeout(5):
        await provider.simulator.journal.wait(1, "arrived")
    asking.cancel()
    async with asyncio.timeout(1):
        await provider.simulator.journal.wait(1, "disconnected")

    [record] = await proxy.records()
    assert record["outcome"] == "abandoned"


async def test_many_streams_run_at_once(proxy: Proxy, provider: Provider) -> None:
    async def stream(number: int) -> bytes:
        async with session.post(
            CHAT, json=chat(f"call {number}", stream=True), headers=behave(hold="all")
        ) as r:
            await r.content.readuntil(b"\n\n")
            begun.append(number)
            if len(begun) == 60:
                provider.simulator.gates.release("all")
            return await r.read()

    session, begun = proxy.client(), list[int]()
    bodies = await asyncio.gather(*map(stream, range(60)))

    assert all(body.endswith(b"[DONE]\n\n") for body in bodies)
    assert {record["outcome"] for record in await proxy.records(60)} == {"answered"}


@pytest.mark.parametrize(
    ("url", "body", "error"),
    [
        (CHAT, b'{"model": "a", "model": "b"}', "same key twice"),
        (CHAT, b'{"model": ', "not valid JSON"),
        ("https://api.anthropic.com/v1/messages", b"{'model'}", "not valid JSON"),
    ],
)
async def test_what_cannot_be_inspected_is_refused(
    proxy: Proxy, provider: Provider, url: str, body: bytes, error: str
) -> None:
    async with proxy.client().post(url, data=body, headers=KEY) as response:
        answer = await response.json()

    assert (response.status, response.headers["x-should-retry"]) == (400, "false")
    assert error in answer["error"]["message"]
    assert provider.simulator.journal.entries == []
    [record] = await proxy.records()
    assert record["id"] == response.headers["x-tollgate-call-id"]


async def test_an_untouched_request_arrives_to_the_byte(proxy: Proxy, provider: Provider) -> None:
    body = b'{"messages" : [{"content":"caf\\u00e9 \xc3\xa9" , "role":"user"}],\n"top_p":1.0,"model":"gpt-6"}'
    async with proxy.client().post(
        CHAT, data=body, headers={**KEY, "content-type": "application/json"}
    ) as response:
        await response.read()

    assert provider.simulator.journal.entries[0].body == body


class Spy:
    """A room that notes what it sees, and does what it is told."""

    name = "limits"

    def __init__(self, **acts: Any) -> None:
        self.acts = acts
        self.seen: list[str] = []

    def _act(self, hook: str) -> None:
        self.seen.append(hook)
        if hook in self.acts:
            raise self.acts[hook]

    async def llm_request(self, call: Call) -> None:
        self._act("request")

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        self._act("event")
        return [event]

    async def llm_response(self, call: Call, answer: Answer) -> None:
        self._act("response")

    def llm_end(self, call: Call) -> None:
        self._act("end")


SECRET = ValueError("the prompt: hello there")


@pytest.mark.parametrize("hook", ["request", "response", "event", "end"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_room_that_fails_never_hangs_the_client_nor_leaks(
    tmp_path: Path, provider: Provider, hook: str, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    spy = Spy(**{hook: SECRET})
    async with tollgate(tmp_path, provider, {}, spy) as proxy:
        async with proxy.client().post(CHAT, json=chat(stream=stream), headers=KEY) as response:
            body = await response.text()
        [record] = await proxy.records()

    reached = hook == "request" or hook == ("event" if stream else "response")
    assert ("limits room failed" in body) is reached
    assert record["outcome"] == ("refused" if reached else "answered")
    assert spy.seen[-1] == "end"
    assert spy.seen.count("end") == 1
    assert "the prompt" not in body + caplog.text + str(record)
    assert len(provider.simulator.journal.entries) == (hook != "request")


async def test_a_room_may_fail_open_where_the_policy_says_so(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"on_error": {"limits": "open"}}, Spy(request=SECRET)) as proxy:
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert response.status == 200
    assert [(v["room"], v["action"]) for v in record["verdicts"]] == [("limits", "error")]


@pytest.mark.parametrize(("mode", "status"), [("enforce", 400), ("observe", 200)])
async def test_a_refusal_counts_unless_the_policy_only_observes(
    tmp_path: Path, provider: Provider, mode: str, status: int
) -> None:
    spy = Spy(request=Refused("No secrets here, please.", code="secret"))
    async with tollgate(tmp_path, provider, {"mode": mode}, spy) as proxy:
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert response.status == status
    assert record["verdicts"][0]["code"] == "secret"


async def test_names_that_disagree_are_refused(proxy: Proxy, provider: Provider) -> None:
    """A Host header cannot smuggle a call past the policy of the host it was tunnelled to."""
    async with proxy.client().post(
        CHAT, json=chat(), headers={**KEY, "host": "api.anthropic.com"}
    ) as response:
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (400, "host_mismatch")
    assert provider.simulator.journal.entries == []


async def test_websockets_are_refused_so_that_clients_fall_back_to_http(proxy: Proxy) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as error:
        await proxy.client().ws_connect("https://api.openai.com/v1/responses", headers=KEY)

    assert error.value.status == 426
    [record] = await proxy.records()
    assert (record["code"], record["coverage"]) == ("websocket_refused", "websocket")


async def test_a_body_over_the_limit_is_dropped_and_refused(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {"bodies": {"max_size": "64 KB"}}) as proxy:
        async with proxy.client().post(CHAT, json=chat("x" * 200_000), headers=KEY) as response:
            answer = await response.json()
        [record] = await proxy.records()

    assert (response.status, answer["error"]["code"]) == (400, "body_too_large")
    assert record["coverage"] == "oversize"


async def test_a_body_over_the_limit_passes_unseen_where_the_policy_says_so(
    tmp_path: Path, provider: Provider
) -> None:
    policy = {"bodies": {"max_size": "64 KB", "oversize": "pass"}}
    async with tollgate(tmp_path, provider, policy) as proxy:
        async with proxy.client().post(CHAT, json=chat("x" * 200_000), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert (response.status, record["coverage"]) == (200, "oversize")


class Ears:
    """Hears what is not a call."""

    def __init__(self) -> None:
        self.connections: list[Connection] = []
        self.notices: list[Notice] = []

    def llm_connection(self, connection: Connection) -> None:
        self.connections.append(connection)

    def llm_notice(self, notice: Notice) -> None:
        self.notices.append(notice)


async def test_other_plain_hosts_are_refused_where_the_policy_says_so(
    tmp_path: Path, provider: Provider
) -> None:
    ears, policy = Ears(), {"connections": {"other_hosts": "refuse"}}
    url = f"http://127.0.0.1:{provider.plain_port}/"
    async with tollgate(tmp_path, provider, policy, ears) as proxy, proxy.client().get(url) as response:
        text = await response.text()

    assert (response.status, "connections.other_hosts" in text) == (403, True)
    assert [(c.sight, c.why) for c in ears.connections] == [("refused", "other_host")]


async def test_health_tells_of_policy_and_coverage(proxy: Proxy) -> None:
    async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
        await response.read()

    report = proxy.master.gate.report()
    assert (report["ok"], report["open_calls"]) == (True, 0)
    assert report["coverage"] == {"inspected": 1}


class Late:
    """An addon that a user adds while the proxy runs."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def llm_setup(self, runtime: Runtime) -> None:
        self.told.append("setup")

    def llm_end(self, call: Call) -> None:
        self.told.append("end")


async def test_an_addon_that_comes_later_is_set_up_before_its_first_call(proxy: Proxy) -> None:
    late = Late()
    proxy.master.addons.add(late)
    for _ in range(2):
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()

    assert late.told == ["setup", "end", "end"]


class Clumsy:
    """An addon with a bug where mitmproxy would go on without it."""

    def llm_setup(self, runtime: Runtime) -> None:
        raise RuntimeError("the prompt: hello there")

    async def llm_request(self, call: Call) -> None: ...


async def test_an_addon_that_cannot_be_set_up_lets_nothing_pass(
    proxy: Proxy, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.master.addons.add(Clumsy())
    async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
        body = await response.text()

    assert (response.status, response.headers["x-should-retry"]) == (500, "false")
    assert provider.simulator.journal.entries == []
    assert "the prompt" not in body + caplog.text


class AnswersFirst:
    """Another addon of mitmproxy's, which knows nothing of calls."""

    def request(self, flow: http.HTTPFlow) -> None:
        flow.response = http.Response.make(418, b"teapot")


async def test_a_call_that_another_addon_answers_is_on_record(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider, {}, AnswersFirst()) as proxy:
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert (record["status"], record["outcome"]) == (418, "answered")
    assert provider.simulator.journal.entries == []


async def test_scripts_are_loaded_as_options(tmp_path: Path, provider: Provider) -> None:
    script = tmp_path / "mine.py"
    script.write_text(
        "from tollgate.calls import Refused\n"
        "class Mine:\n"
        "    async def llm_request(self, call):\n"
        "        raise Refused('not on Sundays', code='sunday')\n"
        "addons = [Mine()]\n"
    )
    async with tollgate(tmp_path, provider, {}, scripts=[str(script)]) as proxy:
        async with asyncio.timeout(10):
            while not proxy.master.addons.get("scriptloader").addons[0].addons:
                await asyncio.sleep(0.01)
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (400, "sunday")


async def test_observe_mode_refuses_no_body_for_its_size(tmp_path: Path, provider: Provider) -> None:
    policy = {"mode": "observe", "bodies": {"max_size": "64 KB"}}
    async with tollgate(tmp_path, provider, policy) as proxy:
        async with proxy.client().post(CHAT, json=chat("x" * 200_000), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert (response.status, record["coverage"]) == (200, "oversize")
    assert [verdict["action"] for verdict in record["verdicts"]] == ["observe"]
