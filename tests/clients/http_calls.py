"""Plain HTTP clients: httpx, requests, aiohttp. What they are told is compared line by line."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator
from typing import Any

import aiohttp
import httpx
import requests
from report import TIMEOUT, Call

CHAT = "https://api.openai.com/v1/chat/completions"
MESSAGES = "https://api.anthropic.com/v1/messages"
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash:streamGenerateContent"

JSON = {"content-type": "application/json"}
OPENAI = {**JSON, "authorization": "Bearer sk-test"}
ANTHROPIC = {**JSON, "x-api-key": "sk-ant-test", "anthropic-version": "2023-06-01"}

ODD = (
    b'{ "model" :"gpt-6-mini",\r\n\t"temperature": 1.50e0, "seed": 12345678901234567890,\n'
    b'"messages":[{"role":"user","content":"\\u0041 \\ud83e\\udd86 \\/ caf\\u00e9 caf\xc3\xa9"}] }\n'
)
"""Valid, but no JSON library would write it so."""
STREAM = b'{"model":"gpt-6-mini","stream":true,"messages":[{"role":"user","content":"one two three"}]}'
CLAUDE = (
    b'{"model":"claude-haiku-5","max_tokens":64,"stream":true,'
    b'"messages":[{"role":"user","content":"one two three"}]}'
)
CONTENTS = b'{"contents":[{"role":"user","parts":[{"text":"one two three"}]}]}'


def _told(status: int, headers: Any, *more: Any) -> Iterator[Any]:
    yield {"status": status, "type": headers["content-type"], "request_id": headers.get("x-request-id")}
    yield from more


def httpx_whole() -> Iterator[Any]:
    answer = httpx.post(CHAT, content=ODD, headers=OPENAI, timeout=TIMEOUT)
    yield from _told(answer.status_code, answer.headers, answer.content)


def httpx_compressed() -> Iterator[Any]:
    headers = {**OPENAI, "content-encoding": "gzip"}
    answer = httpx.post(CHAT, content=gzip.compress(ODD, mtime=0), headers=headers, timeout=TIMEOUT)
    yield from _told(answer.status_code, answer.headers, answer.content)


def httpx_streamed() -> Iterator[Any]:
    with httpx.stream("POST", MESSAGES, content=CLAUDE, headers=ANTHROPIC, timeout=TIMEOUT) as answer:
        yield from _told(answer.status_code, answer.headers, *answer.iter_lines())


def httpx_json_array() -> Iterator[Any]:
    """Gemini streams a JSON array where `alt=sse` is not asked for; the key may stand in the query."""
    with httpx.stream(
        "POST", f"{GEMINI}?key=AIzaTest", content=CONTENTS, headers=JSON, timeout=TIMEOUT
    ) as answer:
        yield from _told(answer.status_code, answer.headers, *answer.iter_lines())


def httpx_unknown_path() -> Iterator[Any]:
    answer = httpx.post("https://api.openai.com/v1/unheard-of", content=ODD, headers=OPENAI, timeout=TIMEOUT)
    yield from _told(answer.status_code, answer.headers, answer.content)


def requests_whole() -> Iterator[Any]:
    answer = requests.post(CHAT, data=ODD, headers=OPENAI, timeout=TIMEOUT)
    yield from _told(answer.status_code, answer.headers, answer.content)


def requests_chunked_streamed() -> Iterator[Any]:
    """An iterator as the body makes requests send it in chunks, without content-length."""
    with requests.post(
        CHAT, data=iter([STREAM[:9], STREAM[9:]]), headers=OPENAI, timeout=TIMEOUT, stream=True
    ) as answer:
        yield from _told(answer.status_code, answer.headers, *answer.iter_lines())


def aiohttp_streamed() -> list[Any]:
    async def events() -> list[Any]:
        timeout = aiohttp.ClientTimeout(TIMEOUT)
        async with (
            aiohttp.ClientSession(trust_env=True, timeout=timeout) as session,
            session.post(MESSAGES, data=CLAUDE, headers=ANTHROPIC) as answer,
        ):
            return list(_told(answer.status, answer.headers, *[line async for line in answer.content]))

    return asyncio.run(events())


CALLS: dict[str, Call] = {
    "httpx-whole": httpx_whole,
    "httpx-compressed": httpx_compressed,
    "httpx-streamed": httpx_streamed,
    "httpx-json-array": httpx_json_array,
    "httpx-unknown-path": httpx_unknown_path,
    "requests-whole": requests_whole,
    "requests-chunked-streamed": requests_chunked_streamed,
    "aiohttp-streamed": aiohttp_streamed,
}
