"""What the provider answers: 1 KB of JSON, or a stream of events."""

from __future__ import annotations

import itertools
import json
import random
from typing import Any

from benchmark.requests import MODEL, WORDS, prose

EVENTS = 200
"""Of a streamed answer, `[DONE]` included."""

_STAMP = "00000000000000000000"
"""Stands where the time of an event is put in: always as long."""

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
    message: dict[str, Any] = {
        "role": "assistant",
        "content": prose(random.Random(8), 460),
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
    told += [_delta({"content": f" {word}"}) for word in itertools.islice(itertools.cycle(WORDS), EVENTS - 4)]
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
