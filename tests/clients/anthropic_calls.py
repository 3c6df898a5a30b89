"""The official Anthropic SDK, for Anthropic itself and for Bedrock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
from bedrock_calls import ACCESS_KEY, REGION, SECRET_KEY
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS, Call

MODEL = "claude-sonnet-5-5"
BEDROCK_MODEL = "us.anthropic.claude-sonnet-5-5-v1:0"

MESSAGES: list[Any] = [{"role": "user", "content": PROMPT}]
CACHED: list[Any] = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
DECLARED: list[Any] = [
    {"name": name, "description": text, "input_schema": SCHEMA} for name, text in TOOLS.items()
]

client = anthropic.Anthropic(api_key="sk-ant-test", timeout=TIMEOUT, max_retries=0)


def whole() -> Iterator[Any]:
    yield client.messages.create(model=MODEL, max_tokens=64, system=CACHED, messages=MESSAGES)


def streamed() -> Iterator[Any]:
    yield from client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES, stream=True)


def thinking_and_tools_streamed() -> Iterator[Any]:
    """Through the SDK's own accumulator, which raises where pieces are missing."""
    messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
    thinking: Any = {"type": "adaptive"}
    with client.messages.stream(
        model=MODEL, max_tokens=4096, messages=messages, tools=DECLARED, thinking=thinking
    ) as stream:
        yield from stream
        yield stream.get_final_message()


def count_tokens() -> Iterator[Any]:
    yield client.messages.count_tokens(model=MODEL, messages=MESSAGES)


def refused() -> Iterator[Any]:
    """The newest API version takes no sampling parameters."""
    try:
        client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES, extra_body={"temperature": 0.5})
    except anthropic.BadRequestError as e:
        yield {"status": e.status_code, "body": e.body, "request_id": e.request_id}


def bedrock_streamed() -> Iterator[Any]:
    """Signs more headers than boto3 does, accept-encoding among them."""
    with anthropic.AnthropicBedrock(
        aws_access_key=ACCESS_KEY,
        aws_secret_key=SECRET_KEY,
        aws_region=REGION,
        timeout=TIMEOUT,
        max_retries=0,
    ) as own:
        yield from own.messages.create(model=BEDROCK_MODEL, max_tokens=64, messages=MESSAGES, stream=True)


CALLS: dict[str, Call] = {
    "anthropic-whole": whole,
    "anthropic-streamed": streamed,
    "anthropic-thinking-and-tools-streamed": thinking_and_tools_streamed,
    "anthropic-count-tokens": count_tokens,
    "anthropic-refused": refused,
    "anthropic-bedrock-streamed": bedrock_streamed,
}
