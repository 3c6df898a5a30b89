"""Real clients, over TLS under the real host names: each is told the same with Tollgate as without it.

Every client makes its calls twice, once through a proxy that looks at nothing and once through Tollgate. The
simulated provider writes down what arrives, so that the two can be compared on that side as well.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support import environment
from support.forwarder import forwarding
from support.processes import run
from support.stage import Provider, Tollgate, simulated_provider, through, tollgate

pytestmark = pytest.mark.xdist_group("clients")  # the processes are started once

CLIENTS = Path(__file__).resolve().parent.parent / "clients"
TIMEOUT = 90.0

HOP_BY_HOP = {"connection", "proxy-connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
REWRITTEN = {"accept-encoding", "content-length"}
"""What Tollgate may change: it asks for plain answers, and knows the length of what came in chunks."""
EVER_NEW = {"x-amz-date", "amz-sdk-invocation-id"}
"""What a client makes anew for every request; so is a SigV4 signature."""
SECRETS = ("sk-test", "sk-ant-test", "AIzaTest", "co-test", "ducks", "Łódź", "one two three")
"""Keys and prompts of the clients."""


@dataclass(frozen=True)
class Expected:
    """What the trail has to say of a call."""

    provider: str
    dialect: str
    operation: str
    model: str
    stream: bool = False
    status: int = 200


def _chat(stream: bool = False, status: int = 200) -> Expected:
    return Expected("openai", "openai-chat", "chat", "gpt-6-mini", stream, status)


def _responses(stream: bool = False) -> Expected:
    return Expected("openai", "openai-responses", "responses", "gpt-6-mini", stream)


def _claude(model: str = "claude-sonnet-5-5", *, stream: bool = False, status: int = 200) -> Expected:
    return Expected("anthropic", "anthropic-messages", "chat", model, stream, status)


def _gemini(stream: bool = False) -> Expected:
    return Expected("gemini", "gemini", "chat", "gemini-3-flash", stream)


def _bedrock(dialect: str, stream: bool = False, status: int = 200) -> Expected:
    return Expected(
        "bedrock", f"bedrock-{dialect}", "chat", "us.anthropic.claude-sonnet-5-5-v1:0", stream, status
    )


def _cohere(stream: bool = False) -> Expected:
    return Expected("cohere", "cohere-chat", "chat", "command-a-03-2025", stream)


def _ollama(operation: str, stream: bool = False) -> Expected:
    return Expected("ollama", "ollama", operation, "llama3.3", stream)


_EMBEDDINGS = Expected("openai", "openai-embeddings", "embeddings", "text-embedding-3-small")

_PROGRAM = {
    "curl-program-whole-http1": _chat(),
    "curl-program-streamed-http1": _claude("claude-haiku-5", stream=True),
    "curl-program-whole-http2": _chat(),
    "curl-program-streamed-http2": _claude("claude-haiku-5", stream=True),
}
"""Of the curl program, on machines that have one."""

CALLS = {
    "openai-chat-whole": _chat(),
    "openai-chat-streamed": _chat(stream=True),
    "openai-chat-streamed-with-usage": _chat(stream=True),
    "openai-chat-tools": _chat(),
    "openai-chat-tools-streamed": _chat(stream=True),
    "openai-chat-async-streamed": _chat(stream=True),
    "openai-chat-refused": _chat(status=400),
    "openai-responses-whole": _responses(),
    "openai-responses-streamed": _responses(stream=True),
    "openai-responses-tools-streamed": _responses(stream=True),
    "openai-completions-streamed": Expected(
        "openai", "openai-completions", "completions", "gpt-3.5-turbo-instruct", stream=True
    ),
    "openai-embeddings": _EMBEDDINGS,
    "openai-embeddings-float": _EMBEDDINGS,
    "anthropic-whole": _claude(),
    "anthropic-streamed": _claude(stream=True),
    "anthropic-thinking-and-tools-streamed": _claude(stream=True),
    "anthropic-count-tokens": Expected(
        "anthropic", "anthropic-messages", "count_tokens", "claude-sonnet-5-5"
    ),
    "anthropic-refused": _claude(status=400),
    "anthropic-bedrock-streamed": _bedrock("invoke", stream=True),
    "gemini-whole": _gemini(),
    "gemini-streamed": _gemini(stream=True),
    "gemini-thinking-and-tools-streamed": _gemini(stream=True),
    "gemini-async-streamed": _gemini(stream=True),
    "gemini-count-tokens": Expected("gemini", "gemini", "count_tokens", "gemini-3-flash"),
    "gemini-embed": Expected("gemini", "generic", "embeddings", "gemini-embedding-001"),
    "bedrock-converse": _bedrock("converse"),
    "bedrock-converse-stream": _bedrock("converse", stream=True),
    "bedrock-converse-stream-tools": _bedrock("converse", stream=True),
    "bedrock-invoke": _bedrock("invoke"),
    "bedrock-invoke-stream": _bedrock("invoke", stream=True),
    "bedrock-badly-signed": _bedrock("converse", status=403),
    "cohere-whole": _cohere(),
    "cohere-streamed": _cohere(stream=True),
    "cohere-tools-streamed": _cohere(stream=True),
    "ollama-chat-whole": _ollama("chat"),
    "ollama-chat-streamed": _ollama("chat", stream=True),
    "ollama-generate-streamed": _ollama("completions", stream=True),
    "httpx-whole": _chat(),
    "httpx-compressed": _chat(),
    "httpx-streamed": _claude("claude-haiku-5", stream=True),
    "httpx-json-array": _gemini(stream=True),
    "httpx-unknown-path": Expected("openai", "generic", "other", "gpt-6-mini", status=404),
    "requests-whole": _chat(),
    "requests-chunked-streamed": _chat(stream=True),
    "aiohttp-streamed": _claude("claude-haiku-5", stream=True),
    "curl-whole-http1": _chat(),
    "curl-streamed-http1": _claude("claude-haiku-5", stream=True),
    "curl-whole-http2": _chat(),
    "curl-streamed-http2": _claude("claude-haiku-5", stream=True),
    **(_PROGRAM if shutil.which("curl") else {}),
    "node-whole": _chat(),
    "node-chat-streamed": _chat(stream=True),
    "node-messages-streamed": _claude("claude-haiku-5", stream=True),
}
"""In the order in which the clients make them."""


@dataclass(frozen=True)
class Run:
    """One round of all calls."""

    told: dict[str, list[Any]]
    """Call to what its client was told, event by event."""
    heard: dict[str, dict[str, Any]]
    """Call to what the provider wrote down."""


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with simulated_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Tollgate]:
    with tollgate(tmp_path_factory.mktemp("tollgate"), provider) as running:
        yield running


@pytest.fixture(scope="module")
def direct(provider: Provider) -> Run:
    with forwarding(provider.port, provider.plain_port) as proxy:
        return make_calls(provider, through(proxy, provider.ca))


@pytest.fixture(scope="module")
def proxied(direct: Run, provider: Provider, gateway: Tollgate) -> Run:
    return make_calls(provider, through(gateway.url, gateway.ca))


@pytest.fixture(scope="module")
def records(proxied: Run, gateway: Tollgate) -> dict[str, dict[str, Any]]:
    """Call to its record: the clients make one call after the other."""
    return dict(zip(proxied.told, gateway.records(len(CALLS)), strict=True))


def make_calls(provider: Provider, env: dict[str, str]) -> Run:
    provider.forget()
    python = environment.ensure()
    said = run([python, CLIENTS], TIMEOUT, env) + run(
        [environment.node(), CLIENTS / "calls.mjs"], TIMEOUT, env
    )
    told = {line["call"]: line["events"] for line in map(json.loads, said.splitlines())}
    return Run(told, dict(zip(told, provider.journal(len(told), until="arrived"), strict=True)))


def content(events: list[Any]) -> list[Any]:
    """All that was told but the HTTP version, which may be another on each side of Tollgate."""
    return [event for event in events if not (isinstance(event, dict) and "http" in event)]


def headers(entry: dict[str, Any]) -> list[tuple[str, str]]:
    """What has to arrive unchanged: all but what is of one connection, and what is made anew each time."""
    unlike = HOP_BY_HOP | REWRITTEN | EVER_NEW
    named = [(name.lower(), value) for name, value in entry["headers"]]
    return [(name, value.partition("Signature=")[0]) for name, value in named if name not in unlike]


def test_every_call_is_made(direct: Run, proxied: Run) -> None:
    assert list(direct.told) == list(proxied.told) == list(CALLS)


@pytest.mark.parametrize("call", CALLS)
def test_a_client_is_told_the_same_as_without_tollgate(call: str, direct: Run, proxied: Run) -> None:
    assert content(proxied.told[call]) == content(direct.told[call])


@pytest.mark.parametrize("call", CALLS)
def test_a_request_arrives_byte_for_byte(call: str, direct: Run, proxied: Run) -> None:
    ours, theirs = proxied.heard[call], direct.heard[call]

    for part in ("body", "method", "target", "host", "sni", "status"):
        assert ours[part] == theirs[part], part


@pytest.mark.parametrize("call", CALLS)
def test_the_headers_arrive_as_the_client_sent_them(call: str, direct: Run, proxied: Run) -> None:
    assert headers(proxied.heard[call]) == headers(direct.heard[call])


@pytest.mark.parametrize("call", CALLS)
def test_the_trail_says_what_the_call_was(call: str, records: dict[str, dict[str, Any]]) -> None:
    record = records[call]

    assert CALLS[call] == Expected(
        record["provider"],
        record["dialect"],
        record["operation"],
        record["model"],
        record["stream"],
        record["status"],
    )
    assert record["outcome"] == "answered"


@pytest.mark.parametrize("call", CALLS)
def test_the_trail_has_the_usage_that_the_provider_told(
    call: str, proxied: Run, records: dict[str, dict[str, Any]]
) -> None:
    told = proxied.heard[call]["usage"] or {}
    recorded = records[call].get("usage") or {}

    assert {name: recorded.get(name, 0) for name in told} == told
    assert bool(recorded) == bool(told)


@pytest.mark.parametrize("call", [call for call in CALLS if call.endswith("http2")])
def test_tollgate_speaks_http2_to_clients_that_offer_it(call: str, proxied: Run) -> None:
    assert {"http": "HTTP/2"} in proxied.told[call]


def test_the_trail_holds_no_key_and_no_prompt(records: dict[str, dict[str, Any]], gateway: Tollgate) -> None:
    text = gateway.trail.read_text()

    assert [secret for secret in SECRETS if secret in text] == []
