"""Calls of every dialect on providers of every other one, whole and streamed, strictly checked there."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from simulator.sigv4 import ACCESS_KEY, SECRET_KEY
from support.proxy import Provider, Proxy, simulated_provider, tollgate
from tollgate.dialects import FRAMINGS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("translated")]

SECONDS = 10.0
SAID = json.dumps({"text": "Good morning to you"})
_HOSTS = "https://generativelanguage.googleapis.com/v1beta/models/m"
_CHAT = {"model": "m", "messages": [{"role": "user", "content": "hello there"}]}


@dataclass(frozen=True)
class Client:
    """How a client speaks, and where its answers have their text."""

    url: str
    body: dict[str, Any]
    framing: str
    text: tuple[str | int, ...]
    error: tuple[str, ...]
    streamed: str = ""
    """Another URL for streams; empty where the body says it."""


CLIENTS = {
    "openai-chat": Client(
        "https://api.openai.com/v1/chat/completions",
        _CHAT,
        "sse",
        ("choices", 0, "message", "content"),
        ("error", "message"),
    ),
    "openai-responses": Client(
        "https://api.openai.com/v1/responses",
        {"model": "m", "input": "hello there"},
        "sse",
        ("output", -1, "content", 0, "text"),
        ("error", "message"),
    ),
    "anthropic-messages": Client(
        "https://api.anthropic.com/v1/messages",
        {**_CHAT, "max_tokens": 50},
        "sse",
        ("content", 0, "text"),
        ("error", "message"),
    ),
    "gemini": Client(
        f"{_HOSTS}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hello there"}]}]},
        "json-array",
        ("candidates", 0, "content", "parts", 0, "text"),
        ("error", "message"),
        f"{_HOSTS}:streamGenerateContent",
    ),
    "bedrock-converse": Client(
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse",
        {"messages": [{"role": "user", "content": [{"text": "hello there"}]}]},
        "eventstream",
        ("output", "message", "content", 0, "text"),
        ("message",),
        "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse-stream",
    ),
}
TARGETS = {
    "openai-chat": {"provider": "openai", "dialect": "openai-chat"},
    "openai-responses": {"provider": "openai", "dialect": "openai-responses"},
    "anthropic-messages": {"provider": "anthropic"},
    "gemini": {"provider": "gemini", "dialect": "gemini"},
    "bedrock-converse": {
        "provider": "bedrock",
        "dialect": "bedrock-converse",
        "region": "us-east-1",
        "credential": "aws",
    },
    "cohere-chat": {"provider": "cohere", "dialect": "cohere-chat"},
    "ollama": {"host": "ollama.test", "provider": "ollama", "dialect": "ollama"},
}
HEADERS = {"authorization": "Bearer sk-of-nobody", "anthropic-version": "2023-06-01"}


def policy() -> dict[str, Any]:
    """The header x-target says where a call goes."""
    targets = {
        name: {"credential": "k", "model": "target-model", "headers": {"set": {"x-simulate": SAID}}, **place}
        for name, place in TARGETS.items()
    }
    targets["chat-only"] = {"host": "vllm.test", "provider": "cerebras", "credential": "k"}
    targets["broken"] = {
        **targets["anthropic-messages"],
        "breaker": {"failures": 1000},
        "headers": {"set": {"x-simulate": '{"status": 529}'}},
    }
    routes = [
        {"name": name, "when": {"headers": {"x-target": name}}, "set": {"route": {"targets": [name]}}}
        for name in targets
    ]
    chain = {"targets": ["broken", "openai-chat"]}
    return {
        "hosts": [{"host": "ollama.test", "provider": "ollama"}],
        "credentials": {
            "k": {"env": "COMPANY_KEY", "hosts": "*"},
            "aws": {"env": ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"], "hosts": "*.amazonaws.com"},
        },
        "targets": targets,
        "rules": [
            *routes,
            {"name": "chain", "when": {"headers": {"x-target": "chain"}}, "set": {"route": chain}},
        ],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def proxy(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Proxy]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COMPANY_KEY", "company-key-of-nobody")
        patch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        async with tollgate(tmp_path_factory.mktemp("proxy"), provider, policy()) as proxy:
            yield proxy


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def session(proxy: Proxy) -> aiohttp.ClientSession:
    return proxy.client()


async def ask(
    session: aiohttp.ClientSession, client: Client, target: str, *, stream: bool
) -> tuple[aiohttp.ClientResponse, bytes]:
    url = client.streamed if stream and client.streamed else client.url
    body = {**client.body, "stream": True} if stream and not client.streamed else client.body
    headers = {**HEADERS, "x-target": target}
    async with asyncio.timeout(SECONDS), session.post(url, json=body, headers=headers) as response:
        return response, await response.read()


async def recorded(proxy: Proxy, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The record that is wanted, once it is written."""
    async with asyncio.timeout(SECONDS):
        while not (found := [call for call in map(json.loads, proxy._lines()) if wanted(call)]):
            await asyncio.sleep(0.01)
    record: dict[str, Any] = found[-1]
    return record


def at(tree: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        tree = tree[key]
    return tree


PAIRS = [(client, target) for client in CLIENTS for target in TARGETS if client != target]


@pytest.mark.parametrize(("client", "target"), PAIRS)
async def test_a_whole_answer_is_in_the_clients_words(
    session: aiohttp.ClientSession, client: str, target: str
) -> None:
    response, body = await ask(session, CLIENTS[client], target, stream=False)

    assert response.status == 200, body
    assert at(json.loads(body), CLIENTS[client].text) == "Good morning to you"


@pytest.mark.parametrize(("client", "target"), PAIRS)
async def test_a_stream_is_in_the_clients_words(
    session: aiohttp.ClientSession, client: str, target: str
) -> None:
    framing = FRAMINGS[CLIENTS[client].framing]
    response, body = await ask(session, CLIENTS[client], target, stream=True)

    decoder = framing.decoder()
    events = [*decoder.feed(body), *decoder.close()]
    assert response.status == 200, body
    assert response.headers["content-type"] == framing.content_type
    assert len(events) > 3
    assert b"morning" in body


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_is_in_the_clients_words(
    session: aiohttp.ClientSession, client: str, stream: bool
) -> None:
    response, body = await ask(session, CLIENTS[client], "broken", stream=stream)

    assert response.status >= 500
    assert at(json.loads(body), CLIENTS[client].error)


@pytest.mark.parametrize("client", CLIENTS)
async def test_a_provider_that_fails_is_replaced_by_one_of_another_dialect(
    session: aiohttp.ClientSession, proxy: Proxy, client: str
) -> None:
    response, body = await ask(session, CLIENTS[client], "chain", stream=True)
    record = await recorded(proxy, lambda call: call["dialect"] == client and len(call["attempts"]) == 2)

    assert response.status == 200
    assert b"morning" in body
    assert record["outcome"] == "answered"
    assert [(a["target"], a["status"], a["model"]) for a in record["attempts"]] == [
        ("broken", 529, "target-model"),
        ("openai-chat", 200, "target-model"),
    ]
    assert "of-nobody" not in str(record)


async def test_what_is_lost_is_recorded_and_told(session: aiohttp.ClientSession, proxy: Proxy) -> None:
    client = CLIENTS["openai-chat"]
    body = {**client.body, "logit_bias": {"1": 2}}
    headers = {**HEADERS, "x-target": "anthropic-messages"}
    async with asyncio.timeout(SECONDS), session.post(client.url, json=body, headers=headers) as response:
        assert response.status == 200
    record = await recorded(proxy, lambda call: "logit_bias" in str(call))

    assert "logit_bias" in response.headers["x-tollgate-loss"]
    [lost] = [verdict for verdict in record["verdicts"] if verdict["code"] == "lost"]
    assert (lost["action"], "logit_bias" in lost["reason"]) == ("warn", True)


@pytest.mark.parametrize("stream", [False, True])
async def test_codex_is_understood_where_there_is_no_responses_api(
    session: aiohttp.ClientSession, provider: Provider, stream: bool
) -> None:
    client = CLIENTS["openai-responses"]
    provider.simulator.journal.clear()

    response, body = await ask(session, client, "chat-only", stream=stream)

    [entry] = provider.simulator.journal.entries
    assert (response.status, entry.host) == (200, "vllm.test"), body
    assert entry.target == "/v1/chat/completions"
    assert json.loads(entry.body)["messages"] == [{"role": "user", "content": "hello there"}]
    assert b"response.completed" in body if stream else "hello there" in at(json.loads(body), client.text)
