"""What goes over the wire: chat requests of a size, and the answers of a provider."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

MODEL = "gpt-4o-2024-08-06"
EVENTS = 200
"""Of a streamed answer, `[DONE]` included."""
PAUSE = b"x-pause-ms"
"""Header that has the provider wait so long between two events."""

_STAMP = "00000000000000000000"
"""Stands where the number of a request, or the time of an event, is put in: always as long."""

_SDK_HEADERS = """\
Accept-Encoding: gzip, deflate\r
Connection: keep-alive\r
Accept: application/json\r
Content-Type: application/json\r
User-Agent: OpenAI/Python 2.8.0\r
X-Stainless-Lang: python\r
X-Stainless-Package-Version: 2.8.0\r
X-Stainless-OS: Linux\r
X-Stainless-Arch: x64\r
X-Stainless-Runtime: CPython\r
X-Stainless-Runtime-Version: 3.13.0\r
X-Stainless-Async: false\r
x-stainless-retry-count: 0\r
x-stainless-read-timeout: 600\r
Authorization: Bearer sk-proj-0000000000000000000000000000000000000000\r
"""

_WORDS = [
    "the",
    "function",
    "reads",
    "a",
    "file",
    "and",
    "gives",
    "back",
    "what",
    "stands",
    "in",
    "it",
    "so",
    "that",
    "the",
    "caller",
    "can",
    "decide",
    "which",
    "of",
    "the",
    "results",
    "to",
    "keep",
    "while",
    "another",
    "test",
    "fails",
    "because",
    "the",
    "value",
    "was",
    "changed",
    "before",
    "the",
    "check",
    "ran",
]


def requests(size: int, port: int, *, stream: bool = False, pause_ms: int = 0) -> Iterator[bytes]:
    """Whole HTTP requests without end, with bodies of about `size` bytes. No two are the same, as no two
    turns of a conversation are: an answer that a cache remembered would measure the cache."""
    before, after = _chat(size, stream).split(_STAMP.encode())
    length = len(before) + len(_STAMP) + len(after)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{port}\r\n{_SDK_HEADERS}"
        f"{PAUSE.decode()}: {pause_ms}\r\nContent-Length: {length}\r\n\r\n"
    )
    return (b"%b%b%020d%b" % (head.encode(), before, number, after) for number in itertools.count())


def _chat(size: int, stream: bool) -> bytes:
    asked: dict[str, Any] = {"model": MODEL, "messages": _messages(size - 300), "temperature": 0.2}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked, separators=(",", ":")).encode()


def _messages(size: int) -> list[dict[str, str]]:
    """A conversation of four turns, or of messages of 4 KB where it is a large one."""
    dice = random.Random(7)
    each = min(max(size // 5, 60), 4096)
    talk = [{"role": "system", "content": _prose(dice, each)}]
    while size - each * len(talk) > each:
        talk.append({"role": ("assistant", "user")[len(talk) % 2], "content": _prose(dice, each)})
    return [*talk, {"role": "user", "content": f"{_prose(dice, 40)} Question {_STAMP}?"}]


def _prose(dice: random.Random, size: int) -> str:
    return " ".join(dice.choices(_WORDS, k=size // 5))[:size].capitalize() + ".\n"


# -- answers -------------------------------------------------------------------------------------------------

_USAGE = {
    "prompt_tokens": 412,
    "completion_tokens": 105,
    "total_tokens": 517,
    "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
    "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
}
_PROVIDER_HEADERS = """\
Date: Sun, 22 Nov 2026 12:00:00 GMT\r
Connection: keep-alive\r
openai-organization: example\r
openai-processing-ms: 213\r
openai-version: 2020-10-01\r
x-ratelimit-limit-requests: 10000\r
x-ratelimit-limit-tokens: 30000000\r
x-ratelimit-remaining-requests: 9999\r
x-ratelimit-remaining-tokens: 29999588\r
x-request-id: req_00000000000000000000000000000000\r
strict-transport-security: max-age=31536000; includeSubDomains; preload\r
cf-cache-status: DYNAMIC\r
Server: cloudflare\r
"""


def whole_answer() -> bytes:
    """A response with 1 KB of JSON."""
    message = {
        "role": "assistant",
        "content": _prose(random.Random(8), 460),
        "refusal": None,
        "annotations": [],
    }
    body = json.dumps(_answer("chat.completion", {"message": message}, "stop", _USAGE), indent=1).encode()
    return _head(f"Content-Type: application/json\r\nContent-Length: {len(body)}") + body


def stream_head() -> bytes:
    return _head("Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked")


def stream_events() -> list[bytes]:
    """The events as chunks, all but the last with the place of a time: `event % nanoseconds` fills it in."""
    told = [_delta({"role": "assistant", "content": ""})]
    told += [
        _delta({"content": f" {word}"}) for word in itertools.islice(itertools.cycle(_WORDS), EVENTS - 4)
    ]
    told += [_delta({}, "stop"), _delta({}, None, _USAGE)]
    filled = [json.dumps(event, separators=(",", ":")).replace(_STAMP, "%020d") for event in told]
    return [_chunk(f"data: {event}\n\n") for event in filled] + [_chunk("data: [DONE]\n\n") + b"0\r\n\r\n"]


def _delta(
    delta: dict[str, Any], reason: str | None = None, usage: dict[str, Any] | None = None
) -> dict[str, Any]:
    return {**_answer("chat.completion.chunk", {"delta": delta}, reason, usage), "obfuscation": _STAMP}


def _answer(
    kind: str, choice: dict[str, Any], reason: str | None, usage: dict[str, Any] | None
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
        "object": kind,
        "created": 1795348800,
        "model": MODEL,
        "service_tier": "default",
        "system_fingerprint": "fp_50cad350e4",
        "choices": [{"index": 0, **choice, "logprobs": None, "finish_reason": reason}],
        "usage": usage,
    }


def _head(special: str) -> bytes:
    return f"HTTP/1.1 200 OK\r\n{_PROVIDER_HEADERS}{special}\r\n\r\n".encode()


def _chunk(data: str) -> bytes:
    size = len(data) + (len(_STAMP) - len("%020d") if "%020d" in data else 0)
    return f"{size:x}\r\n{data}\r\n".encode()
