"""The official Ollama client: plain HTTP, and NDJSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ollama
from report import PROMPT, TIMEOUT, Call

MODEL = "llama3.3"
MESSAGES = [{"role": "user", "content": PROMPT}]

client = ollama.Client(host="http://ollama.test:11434", timeout=TIMEOUT)


def chat_whole() -> Iterator[Any]:
    yield client.chat(model=MODEL, messages=MESSAGES)


def chat_streamed() -> Iterator[Any]:
    yield from client.chat(model=MODEL, messages=MESSAGES, stream=True)


def generate_streamed() -> Iterator[Any]:
    yield from client.generate(model=MODEL, prompt=PROMPT, stream=True)


CALLS: dict[str, Call] = {
    "ollama-chat-whole": chat_whole,
    "ollama-chat-streamed": chat_streamed,
    "ollama-generate-streamed": generate_streamed,
}
