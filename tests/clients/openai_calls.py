"""The official OpenAI SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS, Call

CHAT_MODEL = "gpt-6-mini"
OPTIONS: dict[str, Any] = {"api_key": "sk-test", "timeout": TIMEOUT, "max_retries": 0}

MESSAGES: list[Any] = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": PROMPT}]
CHAT_TOOLS: list[Any] = [
    {"type": "function", "function": {"name": name, "description": text, "parameters": SCHEMA}}
    for name, text in TOOLS.items()
]
RESPONSE_TOOLS: list[Any] = [
    {"type": "function", "name": name, "description": text, "parameters": SCHEMA, "strict": False}
    for name, text in TOOLS.items()
]

client = openai.OpenAI(**OPTIONS)


def chat_whole() -> Iterator[Any]:
    yield client.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES, temperature=0.5)


def chat_streamed() -> Iterator[Any]:
    yield from client.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES, stream=True)


def chat_streamed_with_usage() -> Iterator[Any]:
    yield from client.chat.completions.create(
        model=CHAT_MODEL, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )


def chat_tools() -> Iterator[Any]:
    messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
    yield client.chat.completions.create(model=CHAT_MODEL, messages=messages, tools=CHAT_TOOLS)


def chat_tools_streamed() -> Iterator[Any]:
    """Through the SDK's own accumulator, which raises where pieces are missing."""
    messages: list[Any] = [{"role": "user", "content": TOOL_PROMPT}]
    usage: Any = {"include_usage": True}
    with client.chat.completions.stream(
        model=CHAT_MODEL, messages=messages, tools=CHAT_TOOLS, stream_options=usage
    ) as stream:
        yield from ({"type": event.type} for event in stream)
        yield stream.get_final_completion()


def chat_async_streamed() -> list[Any]:
    async def events() -> list[Any]:
        async with openai.AsyncOpenAI(**OPTIONS) as own:
            stream = await own.chat.completions.create(model=CHAT_MODEL, messages=MESSAGES, stream=True)
            return [event async for event in stream]

    return asyncio.run(events())


def chat_refused() -> Iterator[Any]:
    """The provider's own error, status and all."""
    try:
        client.chat.completions.create(model=CHAT_MODEL, messages=[])
    except openai.BadRequestError as e:
        yield {"status": e.status_code, "body": e.body, "request_id": e.request_id}


def responses_whole() -> Iterator[Any]:
    yield client.responses.create(model=CHAT_MODEL, instructions="Be brief.", input=PROMPT)


def responses_streamed() -> Iterator[Any]:
    yield from client.responses.create(model=CHAT_MODEL, input=PROMPT, stream=True)


def responses_tools_streamed() -> Iterator[Any]:
    reasoning: Any = {"effort": "low"}
    with client.responses.stream(
        model=CHAT_MODEL, input=TOOL_PROMPT, tools=RESPONSE_TOOLS, reasoning=reasoning
    ) as stream:
        yield from stream
        yield stream.get_final_response()


def completions_streamed() -> Iterator[Any]:
    yield from client.completions.create(model="gpt-3.5-turbo-instruct", prompt=PROMPT, stream=True)


def embeddings() -> Iterator[Any]:
    """The SDK asks for base64 by itself."""
    yield client.embeddings.create(model="text-embedding-3-small", input=[PROMPT, "second"])


def embeddings_float() -> Iterator[Any]:
    yield client.embeddings.create(model="text-embedding-3-small", input=PROMPT, encoding_format="float")


CALLS: dict[str, Call] = {
    "openai-chat-whole": chat_whole,
    "openai-chat-streamed": chat_streamed,
    "openai-chat-streamed-with-usage": chat_streamed_with_usage,
    "openai-chat-tools": chat_tools,
    "openai-chat-tools-streamed": chat_tools_streamed,
    "openai-chat-async-streamed": chat_async_streamed,
    "openai-chat-refused": chat_refused,
    "openai-responses-whole": responses_whole,
    "openai-responses-streamed": responses_streamed,
    "openai-responses-tools-streamed": responses_tools_streamed,
    "openai-completions-streamed": completions_streamed,
    "openai-embeddings": embeddings,
    "openai-embeddings-float": embeddings_float,
}
