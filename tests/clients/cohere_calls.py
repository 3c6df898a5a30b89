"""The official Cohere SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import cohere
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS, Call

MODEL = "command-a-03-2025"
MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
DECLARED: list[Any] = [
    {"type": "function", "function": {"name": name, "description": text, "parameters": SCHEMA}}
    for name, text in TOOLS.items()
]

client = cohere.ClientV2(api_key="co-test", timeout=TIMEOUT)


def whole() -> Iterator[Any]:
    yield client.chat(model=MODEL, messages=MESSAGES)


def streamed() -> Iterator[Any]:
    yield from client.chat_stream(model=MODEL, messages=MESSAGES)


def tools_streamed() -> Iterator[Any]:
    messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
    yield from client.chat_stream(model=MODEL, messages=messages, tools=DECLARED)


CALLS: dict[str, Call] = {
    "cohere-whole": whole,
    "cohere-streamed": streamed,
    "cohere-tools-streamed": tools_streamed,
}
