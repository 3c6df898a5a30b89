"""The official Google Gen AI SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from google import genai
from google.genai import types
from report import PROMPT, SCHEMA, TIMEOUT, TOOL_PROMPT, TOOLS, Call

MODEL = "gemini-3-flash"
KEY = "AIzaTest"
HTTP = types.HttpOptions(timeout=int(TIMEOUT * 1000))
DECLARED = [
    types.FunctionDeclaration(name=name, description=text, parameters_json_schema=SCHEMA)
    for name, text in TOOLS.items()
]

client = genai.Client(api_key=KEY, http_options=HTTP)


def whole() -> Iterator[Any]:
    config = types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.5)
    yield client.models.generate_content(model=MODEL, contents=PROMPT, config=config).model_dump(
        mode="json", exclude={"sdk_http_response"}
    )


def streamed() -> Iterator[Any]:
    for chunk in client.models.generate_content_stream(model=MODEL, contents=PROMPT):
        yield chunk.model_dump(mode="json", exclude={"sdk_http_response"})


def thinking_and_tools_streamed() -> Iterator[Any]:
    config = types.GenerateContentConfig(
        tools=[types.Tool(function_declarations=DECLARED)],
        thinking_config=types.ThinkingConfig(include_thoughts=True),
    )
    for chunk in client.models.generate_content_stream(model=MODEL, contents=TOOL_PROMPT, config=config):
        yield chunk.model_dump(mode="json", exclude={"sdk_http_response"})


def async_streamed() -> list[Any]:
    """The SDK's asynchronous half is another HTTP client: aiohttp."""

    async def events() -> list[Any]:
        own = genai.Client(api_key=KEY, http_options=HTTP)
        try:
            stream = await own.aio.models.generate_content_stream(model=MODEL, contents=PROMPT)
            return [chunk.model_dump(mode="json", exclude={"sdk_http_response"}) async for chunk in stream]
        finally:
            await own.aio.aclose()

    return asyncio.run(events())


def count_tokens() -> Iterator[Any]:
    answer = client.models.count_tokens(model=MODEL, contents=PROMPT)
    yield answer.model_dump(mode="json", exclude={"sdk_http_response"})


def embed() -> Iterator[Any]:
    answer = client.models.embed_content(model="gemini-embedding-001", contents=PROMPT)
    yield answer.model_dump(mode="json", exclude={"sdk_http_response"})


CALLS: dict[str, Call] = {
    "gemini-whole": whole,
    "gemini-streamed": streamed,
    "gemini-thinking-and-tools-streamed": thinking_and_tools_streamed,
    "gemini-async-streamed": async_streamed,
    "gemini-count-tokens": count_tokens,
    "gemini-embed": embed,
}
