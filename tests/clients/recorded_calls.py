"""What test suites ask: python tests/clients/recorded_calls.py

The last calls hold values that must not leave. The simulated provider says them again; so must a recording.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import anthropic_calls
import bedrock_calls
import cohere_calls
import gemini_calls
import openai_calls
from report import report

PLANTED = "I am Jane, jane.planted@acme-mail.com, and my token is ghp_n0rT3aLt0k3nOfAnybodyAtAllReally7777."
MESSAGES: list[Any] = [{"role": "user", "content": PLANTED}]


def planted_chat() -> Iterable[Any]:
    yield openai_calls.client.chat.completions.create(model=openai_calls.CHAT_MODEL, messages=MESSAGES)


def planted_chat_streamed() -> Iterable[Any]:
    yield from openai_calls.client.chat.completions.create(
        model=openai_calls.CHAT_MODEL, messages=MESSAGES, stream=True
    )


def planted_messages_streamed() -> Iterable[Any]:
    with anthropic_calls.client.messages.stream(
        model=anthropic_calls.MODEL, max_tokens=64, messages=MESSAGES
    ) as stream:
        yield stream.get_final_message()


if __name__ == "__main__":
    for module in (openai_calls, anthropic_calls, gemini_calls, bedrock_calls, cohere_calls):
        report(module.CALLS)
    report(
        {
            "planted-chat": planted_chat,
            "planted-chat-streamed": planted_chat_streamed,
            "planted-messages-streamed": planted_messages_streamed,
        }
    )
