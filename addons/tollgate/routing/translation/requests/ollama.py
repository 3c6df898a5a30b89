"""Ollama's own chat. https://github.com/ollama/ollama/blob/main/docs/api.md#generate-a-chat-completion"""

from __future__ import annotations

from collections.abc import Iterator

from tollgate.routing.translation import settings
from tollgate.routing.translation.codec import Json
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.media import as_text, left_out
from tollgate.routing.translation.neutral import Media, Message, Request, Text, ToolResult, ToolUse
from tollgate.routing.translation.passes import (
    arguments,
    effort_of,
    note_caching,
    note_detail,
    restrict,
    text_result,
)

_SETTINGS = settings.places(
    max_tokens="options.num_predict",
    temperature="options.temperature",
    top_p="options.top_p",
    top_k="options.top_k",
    presence_penalty="options.presence_penalty",
    frequency_penalty="options.frequency_penalty",
    seed="options.seed",
    stop="options.stop",
    logprobs="logprobs",
    top_logprobs="top_logprobs",
)


def write(request: Request, losses: Losses) -> Json:
    names: dict[str, str] = {}
    messages = [row for message in request.messages for row in _messages(message, names, losses)]
    body: Json = {"model": request.model, "messages": messages, "stream": request.stream}
    given = dict(request.settings)
    if not request.tools:
        given.pop("parallel_tools", None)
    settings.write(given, _SETTINGS, body, losses)
    tools, choice = restrict(request)
    if choice and choice.mode == "required":
        losses.note("that a tool has to be called", choice.where)
    if tools and not (choice and choice.mode == "none"):
        body["tools"] = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.description, "parameters": t.schema or {}},
            }
            for t in tools
        ]
    if request.format:
        body["format"] = "json" if request.format.schema is None else request.format.schema
    if effort := effort_of(request.reasoning):
        body["think"] = effort != "none"
    note_caching(request, losses)
    note_detail(request, losses)
    return body


def _messages(message: Message, names: dict[str, str], losses: Losses) -> Iterator[Json]:
    """Results of tools each in a message of its own, under the name of the tool."""
    shown: list[Text | Media] = []
    calls: list[Json] = []
    for part in message.parts:
        if isinstance(part, ToolResult):
            text, media = text_result(part, losses)
            yield {"role": "tool", "tool_name": names.get(part.id, part.name), "content": text}
            shown += media
        elif isinstance(part, ToolUse):
            names[part.id] = part.name
            calls.append({"function": {"name": part.name, "arguments": arguments(part, losses)}})
        elif isinstance(part, Text | Media):
            shown.append(part)
    if not (shown or calls):
        return
    role = "system" if message.role == "developer" else message.role
    images = [part.data for part in shown if isinstance(part, Media) and _is_image(part)]
    texts = [_text(part, losses) for part in shown if not _is_image(part)]
    row: Json = {"role": role, "content": "\n".join(texts)}
    yield {**row, **({"images": images} if images else {}), **({"tool_calls": calls} if calls else {})}


def _is_image(part: Text | Media) -> bool:
    return isinstance(part, Media) and part.kind == "image" and bool(part.data)


def _text(part: Text | Media, losses: Losses) -> str:
    if isinstance(part, Media):
        part = as_text(part) or left_out(part, losses, "in this form")
    return part.text
