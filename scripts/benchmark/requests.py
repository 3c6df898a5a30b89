"""Chat requests of a size, as an SDK sends them."""

from __future__ import annotations

import itertools
import json
import random
import time
from collections.abc import Iterator
from typing import Any

MODEL = "gpt-4o-2024-08-06"
UNKEPT_MODEL = "gpt-4o-2024-05-13"
"""As long as the other. A rule of the cache's policy has its answers not kept."""
PAUSE = b"x-pause-ms"
"""Header that has the provider wait so long between two events."""

_NUMBER = "00000000000000000000"
"""Stands where the number of a request is put in: always as long."""

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

_TEXT = (
    "the function reads a file and gives back what stands in it so that the caller can decide which of the"
    " results to keep while another test fails because the value was changed before the check ran"
)
WORDS = _TEXT.split()


def requests(
    size: int, port: int, *, stream: bool = False, pause_ms: int = 0, model: str = MODEL
) -> Iterator[bytes]:
    """Whole HTTP requests without end, with bodies of about `size` bytes. No two are the same, as no two
    turns of a conversation are: an answer that a cache remembered would measure the cache."""
    before, after = _chat(size, stream, model).split(_NUMBER.encode())
    head = _head(len(before) + len(_NUMBER) + len(after), port, pause_ms)
    numbers = itertools.count(time.time_ns())
    return (b"%b%b%020d%b" % (head, before, number, after) for number in numbers)


def request(body: bytes, port: int, pause_ms: int = 0) -> bytes:
    """A whole HTTP request."""
    return _head(len(body), port, pause_ms) + body


def _head(length: int, port: int, pause_ms: int) -> bytes:
    return (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost:{port}\r\n{_SDK_HEADERS}"
        f"{PAUSE.decode()}: {pause_ms}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def _chat(size: int, stream: bool, model: str) -> bytes:
    asked: dict[str, Any] = {"model": model, "messages": _messages(size - 300), "temperature": 0.2}
    if stream:
        asked |= {"stream": True, "stream_options": {"include_usage": True}}
    return json.dumps(asked, separators=(",", ":")).encode()


def _messages(size: int) -> list[dict[str, str]]:
    """A conversation of four turns, or of messages of 4 KB where it is a large one."""
    dice = random.Random(7)
    each = min(max(size // 5, 60), 4096)
    talk = [{"role": "system", "content": prose(dice, each)}]
    while size - each * len(talk) > each:
        talk.append({"role": ("assistant", "user")[len(talk) % 2], "content": prose(dice, each)})
    return [*talk, {"role": "user", "content": f"{prose(dice, 40)} Question {_NUMBER}?"}]


def prose(dice: random.Random, size: int) -> str:
    """Text of about so many characters."""
    return " ".join(dice.choices(WORDS, k=size // 5))[:size].capitalize() + ".\n"
