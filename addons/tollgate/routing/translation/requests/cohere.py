"""Cohere's chat, version 2. https://docs.cohere.com/reference/chat"""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.routing.translation import settings
from tollgate.routing.translation.codec import Json
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.media import as_text, as_url, left_out
from tollgate.routing.translation.neutral import Media, Message, Request, Text, Tool, ToolResult, ToolUse
from tollgate.routing.translation.passes import (
    budget_of,
    effort_of,
    note_caching,
    note_detail,
    restrict,
    text_result,
)
from tollgate.routing.translation.requests.openai_chat import results_first
from tollgate.routing.translation.settings import Place

_SETTINGS = settings.places(
    max_tokens="max_tokens",
    temperature=Place("temperature", most=1),
    top_p=Place("p", most=0.99),
    top_k=Place("k", most=500),
    presence_penalty=Place("presence_penalty", most=1),
    frequency_penalty=Place("frequency_penalty", most=1),
    seed="seed",
    stop=Place("stop_sequences", items=5),
    logprobs="logprobs",
)
_TYPICAL_LIMIT = 8192
"""Tokens of an answer that an effort is a share of, where the client names no limit."""


def write(request: Request, losses: Losses) -> Json:
    messages = results_first(row for message in request.messages for row in _messages(message, losses))
    body: Json = {"model": request.model, "messages": messages, "stream": request.stream}
    given = dict(request.settings)
    if not request.tools:
        given.pop("parallel_tools", None)
    settings.write(given, _SETTINGS, body, losses)
    tools, choice = restrict(request)
    if choice and choice.only:
        tools = [tool for tool in tools if tool.name in choice.only]
    if tools:
        body["tools"] = [_written_tool(tool) for tool in tools]
        if choice and choice.mode != "auto":
            body["tool_choice"] = choice.mode.upper()
    if request.format:
        schema = {} if request.format.schema is None else {"json_schema": request.format.schema}
        body["response_format"] = {"type": "json_object", **schema}
    if effort := effort_of(request.reasoning):
        budget = {"token_budget": budget_of(request.reasoning, body.get("max_tokens", _TYPICAL_LIMIT))}
        body["thinking"] = {"type": "disabled"} if effort == "none" else {"type": "enabled", **budget}
    note_caching(request, losses)
    note_detail(request, losses)
    return body


def _messages(message: Message, losses: Losses) -> Iterator[Json]:
    shown: list[Text | Media] = []
    calls: list[Json] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            text, media = text_result(part, losses)
            yield {"role": "tool", "tool_call_id": part.id, "content": text}
            shown += media
        elif isinstance(part, ToolUse):
            function = {"name": part.name, "arguments": part.arguments or "{}"}
            calls.append({"id": part.id, "type": "function", "function": function})
        elif isinstance(part, Text | Media):
            shown.append(part)
    role = "system" if message.role == "developer" else message.role
    content = [_part(part, losses) for part in shown if not isinstance(part, Text) or part.text]
    if content or calls:
        yield {
            "role": role,
            **({"content": content} if content else {}),
            **({"tool_calls": calls} if calls else {}),
        }


def _part(part: Text | Media, losses: Losses) -> Json:
    if isinstance(part, Media):
        if part.kind == "image" and (url := as_url(part)):
            return {"type": "image_url", "image_url": {"url": url}}
        part = as_text(part) or left_out(part, losses, "in this form")
    return {"type": "text", "text": part.text}


def _written_tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    schema = tool.schema or {"type": "object", "properties": {}}
    return {"type": "function", "function": {"name": tool.name, **described, "parameters": schema}}
