"""Routes through a whole proxy: what the client gets, who was asked, with which key, and how often.

Everything is bounded in time: a hang fails its test.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from simulator.sigv4 import ACCESS_KEY, SECRET_KEY
from support.proxy import CHAT, KEY, Provider, Proxy, chat, simulated_provider, tollgate
from support.wire import LAST_CHUNK, Heard, Peer, Wire, answer, chunk, head

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("routing")]

SECONDS = 10.0
ONE, TWO = "sk-company-one-of-nobody", "sk-company-two-of-nobody"
OK = {"id": "x", "object": "chat.completion", "model": "gpt-6", "choices": [], "usage": {"prompt_tokens": 1}}
EVENT = b'data: {"id":"x","choices":[{"index":0,"delta":{"content":"hello"}}]}\n\n'
DONE = b'data: {"id":"x","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch, provider: Provider) -> None:
    monkeypatch.setenv("KEY_ONE", ONE)
    monkeypatch.setenv("KEY_TWO", TWO)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    provider.simulator.journal.clear()


@dataclass
class Got:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def message(self) -> str:
        return str(json.loads(self.body)["error"]["message"])


@dataclass
class Stage:
    proxy: Proxy
    client: aiohttp.ClientSession
    seen: int = field(default=0)

    async def ask(
        self, body: Any = None, url: str = CHAT, headers: Mapping[str, str] = KEY, **more: Any
    ) -> Got:
        data = body if isinstance(body, bytes) else json.dumps(body or chat(**more)).encode()
        sent = {"content-type": "application/json", **headers}
        async with asyncio.timeout(SECONDS), self.client.post(url, data=data, headers=sent) as response:
            return Got(response.status, response.headers, await response.read())

    async def record(self) -> dict[str, Any]:
        """That of the next call."""
        self.seen += 1
        record: dict[str, Any] = (await self.proxy.records(self.seen))[self.seen - 1]
        for secret in (ONE, TWO, SECRET_KEY, "of-nobody", "hello there"):
            assert secret not in str(record)
        return record

    async def attempts(self) -> list[tuple[str, int | None]]:
        return [(a["target"], a.get("status")) for a in (await self.record())["attempts"]]


@asynccontextmanager
async def stage(folder: Path, provider: Provider, policy: Mapping[str, Any]) -> AsyncIterator[Stage]:
    async with tollgate(folder, provider, policy) as proxy:
        yield Stage(proxy, proxy.client())


def here(server: Wire, **more: Any) -> dict[str, Any]:
    """A target that is this server."""
    place = {"host": "127.0.0.1", "port": server.port, "scheme": "http", "dialect": "openai-chat"}
    return {**place, **more}


def statuses(*wanted: int, headers: Mapping[str, str] | None = None) -> Callable[[Peer], Any]:
    """The script that answers with these, one request after the other, and from then on with 200."""
    left = list(wanted)

    async def script(peer: Peer) -> None:
        status = left.pop(0) if left else 200
        await peer.send(answer(json.dumps(OK).encode(), f"{status} So", headers if status != 200 else None))

    return script


async def hangs(peer: Peer) -> None:
    await peer.reader.read()


# -- rewriting ---------------------------------------------------------------------------------------------


async def test_without_a_route_nothing_changes_and_nothing_is_tried_again(
    tmp_path: Path, provider: Provider
) -> None:
    body = b'{ "model":"gpt-6", "messages":[{"role":"user","content":"hello there"}], "n":1.0 }'
    async with stage(tmp_path, provider, {}) as s:
        got = await s.ask(body, headers={**KEY, "x-simulate": '{"status": 429, "retry_after": "1"}'})
        record = await s.record()

    [entry] = provider.simulator.journal.entries
    assert (got.status, got.headers["retry-after"]) == (429, "1")
    assert (entry.body, entry.host) == (body, "api.openai.com")
    assert len(record["attempts"]) == 1
    assert "verdicts" not in record


async def test_models_and_parameters_change_and_no_other_byte(tmp_path: Path, provider: Provider) -> None:
    policy = {
        "route": {
            "models": {"team-*": "gpt-6-mini"},
            "parameters": {
                "cap": {"max_tokens": 100},
                "default": {"temperature": 0.5},
                "remove": ["user"],
                "set": {"metadata.team": "a"},
            },
            "headers": {"set": {"x-team": "a"}, "remove": ["x-noise"]},
        }
    }
    body = (
        b'{"model": "team-fast", "user":"ann",\n "messages":[{"role":"user","content":"hi"}]'
        b',"max_tokens":  999}'
    )
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(body, headers={**KEY, "x-noise": "1"})
        record = await s.record()

    [entry] = provider.simulator.journal.entries
    names = {name.lower(): value for name, value in entry.headers}
    assert got.status == 200
    assert entry.body == (
        b'{"model": "gpt-6-mini",\n "messages":[{"role":"user","content":"hi"}],"max_tokens":  100'
        b',"temperature":0.5,"metadata":{"team":"a"}}'
    )
    assert (names["x-team"], "x-noise" in names) == ("a", False)
    assert names["authorization"] == KEY["authorization"]
    assert record["attempts"][0]["model"] == "gpt-6-mini"
    assert record["model"] == "team-fast"


async def test_a_route_that_cannot_change_the_model_says_so(tmp_path: Path, provider: Provider) -> None:
    policy = {"targets": {"t": {"model": "other"}}, "route": {"targets": ["t"]}}
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(b'{"model": "gpt-6", "model": "x"}')

    assert got.status == 400
    assert "same key twice" in got.message


async def test_the_companys_key_takes_the_place_of_the_clients(tmp_path: Path, provider: Provider) -> None:
    policy = {
        "credentials": {"k": {"env": "KEY_ONE", "hosts": "api.openai.com"}},
        "targets": {"ours": {"credential": "k"}},
        "route": {"targets": ["ours"]},
    }
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(headers={**KEY, "openai-organization": "of-the-client"})
        await s.record()

    [entry] = provider.simulator.journal.entries
    names = {name.lower(): value for name, value in entry.headers}
    assert got.status == 200
    assert names["authorization"] == f"Bearer {ONE}"
    assert "openai-organization" not in names
    assert ONE.encode() not in got.body


async def test_the_clients_key_is_never_sent_to_another_host(tmp_path: Path, provider: Provider) -> None:
    policy = {
        "targets": {"vllm": {"host": "vllm.test", "dialect": "openai-chat"}},
        "route": {"targets": ["vllm"]},
    }
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(headers={**KEY, "cookie": "a=of-nobody"})
        await s.record()

    [entry] = provider.simulator.journal.entries
    assert (got.status, entry.host, entry.target) == (200, "vllm.test", "/v1/chat/completions")
    assert "of-nobody" not in str(entry.headers)


async def test_a_key_that_a_provider_repeats_does_not_reach_the_client(
    tmp_path: Path, provider: Provider
) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(
            answer(json.dumps({"error": peer.request.header("authorization")}).encode(), "400 Bad")
        )

    async with Wire(script) as server:
        policy = {
            "credentials": {"k": {"env": "KEY_ONE", "hosts": "127.0.0.1"}},
            "targets": {"t": here(server, credential="k")},
            "route": {"targets": ["t"]},
        }
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()

    assert (got.status, got.body) == (400, b'{"error": "Bearer [key]"}')


async def test_a_key_of_ours_that_is_refused_is_no_matter_of_the_clients_login(
    tmp_path: Path, provider: Provider
) -> None:
    async with Wire(statuses(401)) as server:
        policy = {
            "credentials": {"k": {"env": "KEY_ONE", "hosts": "127.0.0.1"}},
            "targets": {"t": here(server, credential="k")},
            "route": {"targets": ["t"]},
        }
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()
            assert await s.attempts() == [("t", 401)]

    assert got.status == 502
    assert 'refuses the policy\'s credential "k"' in got.message


CONVERSE = "https://bedrock-runtime.us-east-1.amazonaws.com/model/anthropic.claude/converse"
SIGNED = f"AWS4-HMAC-SHA256 Credential={ACCESS_KEY}/x, SignedHeaders=host, Signature={'0' * 64}"
CONVERSATION = {"messages": [{"role": "user", "content": [{"text": "hello there"}]}]}


@pytest.mark.parametrize("extra", [{}, {"parameters": {"set": {"inferenceConfig.maxTokens": 9}}}])
async def test_a_signed_request_is_signed_anew_with_keys_of_the_policy(
    tmp_path: Path, provider: Provider, extra: dict[str, Any]
) -> None:
    """The simulated provider checks every signature; that of the client is wrong."""
    aws = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"]
    policy = {
        "credentials": {"aws": {"env": aws, "hosts": "bedrock-runtime.*.amazonaws.com"}},
        "targets": {"eu": {"provider": "bedrock", "region": "eu-central-1", "credential": "aws",
                           "model": "eu.anthropic.claude-sonnet-5:0", **extra}},
        "route": {"targets": ["eu"]},
    }  # fmt: skip
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(CONVERSATION, CONVERSE, {"authorization": SIGNED, "x-amz-date": "20200101T000000Z"})

    assert got.status == 200, got.body
    [entry] = provider.simulator.journal.entries
    assert entry.host == "bedrock-runtime.eu-central-1.amazonaws.com"
    assert entry.target == "/model/eu.anthropic.claude-sonnet-5%3A0/converse"


async def test_a_signed_request_is_not_changed_without_keys(tmp_path: Path, provider: Provider) -> None:
    policy = {"route": {"parameters": {"set": {"inferenceConfig.maxTokens": 9}}}}
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(CONVERSATION, CONVERSE, {"authorization": SIGNED})

    assert provider.simulator.journal.entries == []
    assert got.status == 400
    assert "Give the target AWS credentials" in json.loads(got.body)["message"]


async def test_observe_only_says_where_a_call_would_go(tmp_path: Path, provider: Provider) -> None:
    policy = {"mode": "observe", "targets": {"v": {"host": "vllm.test", "dialect": "openai-chat"}},
              "route": {"targets": ["v"]}}  # fmt: skip
    async with stage(tmp_path, provider, policy) as s:
        assert (await s.ask()).status == 200
        [verdict] = (await s.record())["verdicts"]

    assert provider.simulator.journal.entries[0].host == "api.openai.com"
    assert (verdict["code"], verdict["reason"]) == ("would_route", "priority: v")


# -- resilience --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 429, 500, 503, 529])
async def test_a_failure_that_passes_is_not_seen(tmp_path: Path, provider: Provider, status: int) -> None:
    async with Wire(statuses(status, headers={"Retry-After": "0.05"})) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t"], "retries": 1}}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()
            assert await s.attempts() == [("t", status), ("t", 200)]

    assert (got.status, json.loads(got.body)) == (200, OK)
    assert server.heard[0].body == server.heard[1].body


async def test_what_fails_to_the_end_is_told_as_the_provider_told_it(
    tmp_path: Path, provider: Provider
) -> None:
    async with Wire(statuses(*[429] * 9, headers={"Retry-After": "0.01"})) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t"], "retries": 2}}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()
            assert await s.attempts() == [("t", 429)] * 3

    assert (got.status, got.headers["retry-after"]) == (429, "0.01")


@pytest.mark.parametrize("stop", [{"retry-after": "3600"}, {"x-should-retry": "false"}], ids=str)
async def test_a_provider_that_wants_no_retry_gets_none(
    tmp_path: Path, provider: Provider, stop: dict[str, str]
) -> None:
    async with Wire(statuses(503, headers=stop)) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t", "same"], "retries": 2}}
        async with stage(tmp_path, provider, policy) as s:
            assert (await s.ask()).status == 200
            assert await s.attempts() == [("t", 503), ("api.openai.com", 200)]


@pytest.mark.parametrize("status", [400, 404, 422])
async def test_an_error_of_the_clients_own_is_not_tried_again(
    tmp_path: Path, provider: Provider, status: int
) -> None:
    async with Wire(statuses(status)) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t", "same"], "retries": 2}}
        async with stage(tmp_path, provider, policy) as s:
            assert (await s.ask()).status == status
            assert await s.attempts() == [("t", status)]


async def test_a_target_that_is_down_is_passed_over(tmp_path: Path, provider: Provider) -> None:
    policy = {
        "targets": {"down": {"host": "127.0.0.1", "port": 1, "scheme": "http", "dialect": "openai-chat"}},
        "route": {"targets": ["down", "same"]},
    }
    async with stage(tmp_path, provider, policy) as s:
        got = await s.ask(stream=True, stream_options={"include_usage": True})
        record = await s.record()

    assert got.status == 200
    assert b"[DONE]" in got.body
    assert [a["target"] for a in record["attempts"]] == ["down", "api.openai.com"]
    assert "No connection" in record["attempts"][0]["error"]
    assert record["usage"]["output"] > 0


async def cut_before_the_first_event(peer: Peer) -> None:
    await peer.send(head())
    peer.cut()


async def overloaded(peer: Peer) -> None:
    await peer.send(
        head() + chunk(b'data: {"error":{"code":"overloaded","message":"busy"}}\n\n') + LAST_CHUNK
    )


@pytest.mark.parametrize("script", [cut_before_the_first_event, overloaded])
async def test_a_stream_that_breaks_before_it_says_anything_is_asked_for_elsewhere(
    tmp_path: Path, provider: Provider, script: Callable[[Peer], Any]
) -> None:
    async with Wire(script) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t", "same"]}}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask(stream=True)
            record = await s.record()

    assert b"[DONE]" in got.body
    assert b"overloaded" not in got.body
    assert record["outcome"] == "answered"
    assert [a["target"] for a in record["attempts"]] == ["t", "api.openai.com"]


async def test_nothing_is_asked_again_after_the_first_byte(tmp_path: Path, provider: Provider) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head() + chunk(EVENT))
        await asyncio.wait_for(arrived.wait(), SECONDS)
        peer.cut()

    arrived = asyncio.Event()
    async with Wire(script) as server:
        policy = {
            "targets": {"t": here(server)},
            "route": {"targets": ["t", "same"], "retries": 3, "hedge": "5 s"},
        }
        async with stage(tmp_path, provider, policy) as s:
            async with s.client.post(CHAT, json=chat(stream=True), headers=KEY) as response:
                first = await response.content.readany()
                arrived.set()
                rest = await asyncio.wait_for(response.content.read(), SECONDS)
            record = await s.record()

    assert first == EVENT
    assert b'"error"' in rest
    assert (record["outcome"], record["code"]) == ("failed", "stream_cut")
    assert len(record["attempts"]) == len(server.heard) == 1
    assert provider.simulator.journal.entries == []


async def test_what_hangs_is_hedged_and_the_slower_one_is_hung_up_on(
    tmp_path: Path, provider: Provider
) -> None:
    async with Wire(hangs) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t", "same"], "hedge": "50 ms"}}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask(stream=True)
            record = await s.record()
            async with asyncio.timeout(SECONDS):
                await _gone(server)

    assert b"[DONE]" in got.body
    assert record["outcome"] == "answered"
    assert [(a["target"], a.get("error", "")) for a in record["attempts"]] == [
        ("t", "given up before its answer"),
        ("api.openai.com", ""),
    ]


async def _gone(server: Wire) -> None:
    while server._tasks:
        await asyncio.sleep(0.01)


async def test_the_first_answer_is_taken_though_it_was_asked_first(
    tmp_path: Path, provider: Provider
) -> None:
    async def script(peer: Peer) -> None:
        await asked_both.wait()
        await peer.send(answer(json.dumps(OK).encode()))

    async def second(peer: Peer) -> None:
        asked_both.set()
        await peer.reader.read()

    asked_both = asyncio.Event()
    async with Wire(script) as one, Wire(second) as two:
        policy = {"targets": {"one": here(one), "two": here(two)},
                  "route": {"targets": ["one", "two"], "hedge": "20 ms"}}  # fmt: skip
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()
            record = await s.record()

    assert json.loads(got.body) == OK
    assert record["outcome"] == "answered"
    assert [a["target"] for a in record["attempts"]] == ["two", "one"]


async def test_a_deadline_ends_all_of_it(tmp_path: Path, provider: Provider) -> None:
    async with Wire(hangs) as server:
        policy = {"targets": {"t": here(server)}, "route": {"targets": ["t", "same"], "deadline": "100 ms"}}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask()
            record = await s.record()

    assert (got.status, record["code"]) == (504, "deadline")
    assert "route.deadline" in got.message
    assert len(record["attempts"]) == 1


async def test_a_target_that_fails_again_and_again_is_left_alone_then_tried_again(
    tmp_path: Path, provider: Provider
) -> None:
    async with Wire(statuses(500, 500)) as server:
        policy = {"targets": {"t": here(server, breaker={"failures": 2, "rest": "300 ms"})},
                  "route": {"targets": ["t", "same"]}}  # fmt: skip
        async with stage(tmp_path, provider, policy) as s:
            for _ in range(2):
                assert (await s.ask()).status == 200
                assert (await s.attempts())[0] == ("t", 500)
            assert (await s.ask()).status == 200
            assert await s.attempts() == [("api.openai.com", 200)]
            async with asyncio.timeout(SECONDS):
                while len(server.heard) < 3:
                    await s.ask()
                    await s.record()
            await s.ask()
            assert await s.attempts() == [("t", 200)]


async def test_a_lone_target_that_is_left_alone_says_so(tmp_path: Path, provider: Provider) -> None:
    async with Wire(statuses(500)) as server:
        policy = {"targets": {"t": here(server, breaker={"failures": 1, "rest": "1 h"})},
                  "route": {"targets": ["t"]}}  # fmt: skip
        async with stage(tmp_path, provider, policy) as s:
            assert (await s.ask()).status == 500
            got = await s.ask()

    assert got.status == 503
    assert "t failed 1 times in a row" in got.message
    assert len(server.heard) == 1


async def test_a_key_that_is_rate_limited_rests_while_the_other_works(
    tmp_path: Path, provider: Provider
) -> None:
    async def script(peer: Peer) -> None:
        limited = ONE in peer.request.header("authorization")
        status, headers = ("429 Slow", {"Retry-After": "3600"}) if limited else ("200 OK", {})
        await peer.send(answer(json.dumps(OK).encode(), status, headers))

    def key(heard: Heard) -> str:
        return heard.header("authorization").removeprefix("Bearer ")

    async with Wire(script) as server:
        policy = {
            "credentials": {
                "one": {"env": "KEY_ONE", "hosts": "127.0.0.1"},
                "two": {"env": "KEY_TWO", "hosts": "127.0.0.1"},
            },
            "targets": {"t": here(server, credential=["one", "two"])},
            "route": {"targets": ["t"]},
        }
        async with stage(tmp_path, provider, policy) as s:
            assert [(await s.ask()).status for _ in range(3)] == [200] * 3
            assert await s.attempts() == [("t", 429), ("t", 200)]

    assert [key(heard) for heard in server.heard] == [ONE, TWO, TWO, TWO]


async def test_calls_wait_for_their_turn_and_too_many_go_elsewhere(
    tmp_path: Path, provider: Provider
) -> None:
    async def script(peer: Peer) -> None:
        await free.wait()
        await peer.send(answer(json.dumps(OK).encode()))

    free = asyncio.Event()
    async with Wire(script) as server:
        policy = {"targets": {"t": here(server, limits={"concurrent": 1, "queue": 1})},
                  "route": {"targets": ["t", "same"]}}  # fmt: skip
        async with stage(tmp_path, provider, policy) as s, asyncio.TaskGroup() as group:
            calls = [group.create_task(s.ask()) for _ in range(3)]
            assert await s.attempts() == [("api.openai.com", 200)]
            assert len(server.heard) == 1
            free.set()
            await asyncio.gather(*calls)

    assert len(server.heard) == 2


async def test_what_leaves_something_behind_is_not_sent_twice(tmp_path: Path, provider: Provider) -> None:
    """A file that was perhaps stored is not stored again; where nothing was sent, the next target has it."""
    async with Wire(statuses(500)) as server:
        place = {"provider": "openai", "host": "127.0.0.1", "scheme": "http"}
        targets = {"t": {**place, "port": server.port}, "down": {**place, "port": 1}}
        route = {"targets": ["down", "t", "same"], "retries": 1, "backoff": "10 ms"}
        policy = {"targets": targets, "route": route}
        async with stage(tmp_path, provider, policy) as s:
            got = await s.ask({"purpose": "batch"}, "https://api.openai.com/v1/files")
            record = await s.record()

    assert got.status == 500
    assert [a["target"] for a in record["attempts"]] == ["down", "down", "t"]


async def test_a_client_that_leaves_ends_all_of_it(tmp_path: Path, provider: Provider) -> None:
    async with Wire(hangs) as one, Wire(hangs) as two:
        policy = {"targets": {"one": here(one), "two": here(two)},
                  "route": {"targets": ["one", "two"], "hedge": "10 ms"}}  # fmt: skip
        async with stage(tmp_path, provider, policy) as s:
            asking = asyncio.ensure_future(s.ask())
            async with asyncio.timeout(SECONDS):
                while not (one.heard and two.heard):
                    await asyncio.sleep(0.01)
            asking.cancel()
            assert (await s.record())["outcome"] == "abandoned"
            async with asyncio.timeout(SECONDS):
                await _gone(one)
                await _gone(two)
