"""OpenAI Chat Completions. https://platform.openai.com/docs/api-reference/chat/create"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation import settings
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.ids import LONGEST
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.media import as_text, as_url, left_out, of_url, short_name
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Request,
    Signature,
    Text,
    Thinking,
    Tool,
    ToolKind,
    ToolResult,
    ToolUse,
)
from tollgate.routing.translation.passes import (
    budget_in,
    effort_of,
    mode_of,
    note_caching,
    role_of,
    text_result,
)
from tollgate.routing.translation.reasoners import sampling
from tollgate.routing.translation.schemas import of_arguments
from tollgate.routing.translation.settings import Place

_SHARED = settings.places(
    temperature="temperature",
    top_p="top_p",
    presence_penalty="presence_penalty",
    frequency_penalty="frequency_penalty",
    seed="seed",
    stop=Place("stop", items=4),
    n="n",
    logprobs="logprobs",
    top_logprobs="top_logprobs",
    logit_bias="logit_bias",
    parallel_tools="parallel_tool_calls",
    user=Place("user", longest=LONGEST),
    safety_identifier=Place("safety_identifier", longest=LONGEST),
    metadata="metadata",
    store="store",
    service_tier="service_tier",
    verbosity="verbosity",
    prompt_cache_key="prompt_cache_key",
    prompt_cache_options="prompt_cache_options",
    prompt_cache_retention="prompt_cache_retention",
)
_OLDER = {"max_tokens": Place("max_tokens"), **_SHARED}
_NEWER = {"max_tokens": Place("max_completion_tokens"), **_SHARED}
"""Reasoning models of OpenAI refuse `max_tokens`; many others know no other name."""
_READ = {**_OLDER, "top_k": Place("top_k")}
"""`top_k` is no field of OpenAI's own, but of many who speak like it."""
_TAKES_NEWER = re.compile(r"(?:.*/)?(?:gpt-[5-9]|o\d)")

_KNOWN = {place.path for place in (*_READ.values(), *_NEWER.values())} | {
    *("model", "messages", "stream", "stream_options", "tools", "tool_choice", "response_format"),
    *("reasoning_effort", "reasoning", "thinking"),
}

# -- reading -----------------------------------------------------------------------------------------------


def read(asked: Asked, request: Request, losses: Losses) -> None:
    body = asked.body
    request.settings = settings.read(body, _READ) | settings.read(body, _NEWER)
    request.counted = find(body, "stream_options.include_usage") is True
    request.reasoning = _reasoning(body, losses)
    request.format = _format(body.get("response_format"))
    request.tools = list(_tools(body, losses))
    request.choice = _choice(body.get("tool_choice"))
    for n, message in enumerate(objects_at(body, "messages")):
        _add(request.messages, message, f"messages[{n}]", losses)
    losses.rest(body, _KNOWN)


def _reasoning(body: Mapping[str, Any], losses: Losses) -> Reasoning:
    """OpenAI's field, OpenRouter's object, or the switch of DeepSeek and Z.ai.

    https://openrouter.ai/docs/use-cases/reasoning-tokens, https://api-docs.deepseek.com/guides/thinking_mode
    """
    effort, budget = (
        text_at(body, ("reasoning_effort", "reasoning.effort")),
        budget_in(find(body, "reasoning.max_tokens")),
    )
    switch = text_at(body, ("thinking.type",))
    switched = _SWITCH.get(switch, find(body, "reasoning.enabled"))
    losses.rest(body.get("thinking"), ("type",) if switch in _SWITCH else (), "thinking")
    on = effort != "none" if effort else True if budget else switched
    fields = ("reasoning_effort", "reasoning", "thinking")
    where = next((field for field in fields if field in body), "reasoning")
    return Reasoning(on, effort, budget, where=where)


_SWITCH = {"enabled": True, "disabled": False}


def _add(messages: list[Message], node: Json, where: str, losses: Losses) -> None:
    """A message; results of tools stand in one message, as those of one turn do elsewhere."""
    if node.get("role") != "tool":
        role = role_of(node, where)
        messages.append(Message(role, list(_parts(node, where, losses)), where))
        return
    parts = [part for part in _content(node.get("content"), where, losses) if isinstance(part, Text | Media)]
    result = ToolResult(text_at(node, ("tool_call_id",)), parts, where=where)
    if messages and messages[-1].parts and isinstance(messages[-1].parts[-1], ToolResult):
        messages[-1].parts.append(result)
    else:
        messages.append(Message("user", [result], where))


def _parts(node: Json, where: str, losses: Losses) -> Iterator[Part]:
    if thought := text_at(node, ("reasoning_content", "reasoning")):
        yield Thinking(thought, where=f"{where}.reasoning_content")
    yield from _content(node.get("content"), where, losses)
    if refusal := text_at(node, ("refusal",)):
        yield Text(refusal, refusal=True, where=f"{where}.refusal")
    for n, call in enumerate(objects_at(node, "tool_calls")):
        yield read_call(call, f"{where}.tool_calls[{n}]")
    known = ("role", "content", "refusal", "tool_calls", "reasoning_content", "reasoning", "annotations")
    losses.rest(node, known, where, hints=("name",))


def _content(content: Any, where: str, losses: Losses) -> Iterator[Text | Media]:
    if isinstance(content, str):
        yield Text(content, where=f"{where}.content")
        return
    for n, part in enumerate(objects_at({"content": content}, "content")):
        place = f"{where}.content[{n}]"
        if reader := _PARTS.get(text_at(part, ("type",))):
            yield reader(part, place)
        else:
            losses.note("a part of an unknown type", place)


def _image(part: Json, where: str) -> Media:
    image = of_url(text_at(part, ("image_url.url", "image_url")), "image", where)
    image.detail = text_at(part, ("image_url.detail",))
    return image


def _audio(part: Json, where: str) -> Media:
    format = text_at(part, ("input_audio.format",))
    return Media("audio", f"audio/{format}", data=text_at(part, ("input_audio.data",)), where=where)


def _file(part: Json, where: str) -> Media:
    file = of_url(text_at(part, ("file.file_data",)), "document", where)
    file.file, file.name = text_at(part, ("file.file_id",)), text_at(part, ("file.filename",))
    return file


def _text(part: Json, where: str) -> Text:
    cached = "5m" if part.get("prompt_cache_breakpoint") or part.get("cache_control") else ""
    return Text(text_at(part, ("text",)), cached, where=where)


_PARTS: Mapping[str, Any] = {
    "text": _text,
    "refusal": lambda part, where: Text(text_at(part, ("refusal",)), refusal=True, where=where),
    "image_url": _image,
    "input_audio": _audio,
    "file": _file,
}


def read_call(call: Json, where: str) -> ToolUse:
    seal = text_at(call, ("extra_content.google.thought_signature",))
    return ToolUse(
        text_at(call, ("id",)),
        text_at(call, ("function.name", "custom.name")),
        text_at(call, ("function.arguments", "custom.input")),
        kind="custom" if "custom" in call else "function",
        signature=Signature("gemini", seal) if seal else None,
        where=where,
    )


def _tools(body: Mapping[str, Any], losses: Losses) -> Iterator[Tool]:
    for n, tool in enumerate(objects_at(body, "tools")):
        where = f"tools[{n}]"
        for kind in _KINDS:
            if isinstance(node := tool.get(kind), dict):
                yield _tool(node, kind, where)
                break
        else:
            losses.note("a tool that only this provider has", where)


_KINDS: tuple[ToolKind, ...] = ("function", "custom")


def _tool(node: Json, kind: ToolKind, where: str) -> Tool:
    return Tool(
        text_at(node, ("name",)),
        text_at(node, ("description",)),
        node.get("parameters"),
        node.get("strict"),
        kind,
        _grammar(node.get("format")),
        where=where,
    )


def _grammar(format: Any) -> Any:
    """As Responses writes it: flat."""
    grammar = format.get("grammar") if isinstance(format, dict) else None
    return {"type": "grammar", **grammar} if isinstance(grammar, dict) else format


def _choice(choice: Any) -> Choice | None:
    where = "tool_choice"
    if isinstance(choice, str):
        said = "required" if choice == "any" else choice  # Mistral's word for it
        return Choice(mode_of(said, where), where=where)
    if not isinstance(choice, dict):
        return None
    if name := text_at(choice, ("function.name", "custom.name")):
        return Choice("required", [name], where)
    tools = objects_at(choice, "allowed_tools.tools")
    names = [text_at(tool, ("function.name", "custom.name")) for tool in tools]
    return Choice(mode_of(text_at(choice, ("allowed_tools.mode",)) or "auto", where), names, where)


def _format(format: Any) -> Format | None:
    where = "response_format"
    kind = text_at(format, ("type",))
    if kind == "json_object":
        return Format(where=where)
    node = format.get("json_schema") if kind == "json_schema" else None
    if not isinstance(node, dict):
        return None
    named = (text_at(node, ("name",)), text_at(node, ("description",)))
    return Format(node.get("schema"), *named, strict=node.get("strict"), where=where)


# -- writing -----------------------------------------------------------------------------------------------


def write(request: Request, losses: Losses) -> Json:
    messages = results_first(_messages(request, losses))
    body: Json = {"model": request.model, "messages": messages}
    _write_settings(request, body, losses)
    if effort := effort_of(request.reasoning):
        body["reasoning_effort"] = effort
    if request.format:
        body["response_format"] = _written_format(request.format)
    if request.tools:
        body["tools"] = [_written_tool(tool) for tool in request.tools]
    if request.choice:
        body["tool_choice"] = _written_choice(request.choice)
    if request.stream:
        body |= {"stream": True, "stream_options": {"include_usage": True}}
    note_caching(request, losses)
    return body


def _write_settings(request: Request, body: Json, losses: Losses) -> None:
    table = _NEWER if _TAKES_NEWER.match(request.model) else _OLDER
    given = sampling(request, losses)
    if not request.tools:
        given.pop("parallel_tools", None)  # refused without tools, and without meaning
    settings.write(given, table, body, losses)


def results_first(messages: Iterable[Json]) -> list[Json]:
    """The results of tools right behind their calls: Responses lets others speak between."""
    rows: list[Json] = []
    for row in messages:
        place = len(rows)
        if row["role"] == "tool":
            before = (n for n in range(place, 0, -1) if rows[n - 1].keys() & {"tool_calls", "tool_call_id"})
            place = next(before, place)
        rows.insert(place, row)
    return rows


def _messages(request: Request, losses: Losses) -> Iterator[Json]:
    for message in request.messages:
        shown: list[Part] = []
        for part in message.parts:
            if isinstance(part, ToolResult):
                text, media = text_result(part, losses)
                yield {"role": "tool", "tool_call_id": part.id, "content": text}
                if media:
                    shown += [Text(f"Attached to the result of {part.id}:", where=part.where), *media]
            else:
                shown.append(part)
        if message.role == "assistant":
            yield _assistant(shown, losses)
        elif shown:
            yield {"role": message.role, "content": _written_content(shown, losses)}


def _assistant(parts: list[Part], losses: Losses) -> Json:
    texts = [part.text for part in parts if isinstance(part, Text) and not part.refusal]
    refusals = [part.text for part in parts if isinstance(part, Text) and part.refusal]
    calls = [write_call(part) for part in parts if isinstance(part, ToolUse)]
    for part in parts:
        if isinstance(part, Media):
            left_out(part, losses, "in an assistant's message")
    message: Json = {"role": "assistant", "content": "".join(texts) if texts else None}
    message |= {"refusal": "".join(refusals)} if refusals else {}
    message |= {"tool_calls": calls} if calls else {}
    return message if texts or refusals or calls else {**message, "content": ""}


def write_call(call: ToolUse) -> Json:
    if call.kind == "custom":
        return {"id": call.id, "type": "custom", "custom": {"name": call.name, "input": call.arguments}}
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function, **seal_of(call)}


def seal_of(call: ToolUse) -> Json:
    """Google's own place for it: https://ai.google.dev/gemini-api/docs/thought-signatures"""
    if not call.signature or call.signature.family != "gemini":
        return {}
    return {"extra_content": {"google": {"thought_signature": call.signature.value}}}


def _written_content(parts: list[Part], losses: Losses) -> str | list[Json]:
    """A single text as a string, which every server takes."""
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [_written_part(part, losses) for part in parts if isinstance(part, Text | Media)]


def _written_part(part: Text | Media, losses: Losses) -> Json:
    if isinstance(part, Media):
        written = _written_media(part)
        if written:
            return written
        part = as_text(part) or left_out(part, losses, "in this form")
    return {"type": "text", "text": part.text}


def _written_media(media: Media) -> Json | None:
    url = as_url(media)
    if media.kind == "image" and url:
        return {
            "type": "image_url",
            "image_url": {"url": url, **({"detail": media.detail} if media.detail else {})},
        }
    if media.kind == "audio" and media.data:
        return {"type": "input_audio", "input_audio": {"data": media.data, "format": short_name(media.type)}}
    if media.kind == "document" and (media.data or media.file):
        name = media.name or f"document.{short_name(media.type) or 'bin'}"
        file = {"filename": name, "file_data": url} if media.data else {"file_id": media.file}
        return {"type": "file", "file": file}
    return None


def _written_tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    if tool.kind == "custom":
        format = tool.format
        if isinstance(format, dict) and format.get("type") == "grammar" and "grammar" not in format:
            inner = {key: value for key, value in format.items() if key != "type"}
            format = {"type": "grammar", "grammar": inner}
        return {
            "type": "custom",
            "custom": {"name": tool.name, **described, **({"format": format} if format else {})},
        }
    schema = {"parameters": of_arguments(tool.schema)} if tool.schema is not None else {}
    strict = {"strict": tool.strict} if tool.strict is not None else {}
    return {"type": "function", "function": {"name": tool.name, **described, **schema, **strict}}


def _written_choice(choice: Choice) -> str | Json:
    if not choice.only:
        return choice.mode
    named = [{"type": "function", "function": {"name": name}} for name in choice.only]
    if len(named) == 1 and choice.mode == "required":
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _written_format(format: Format) -> Json:
    if format.schema is None:
        return {"type": "json_object"}
    described = {"description": format.description} if format.description else {}
    strict = {"strict": format.strict} if format.strict is not None else {}
    named = {"name": format.name or "answer", **described, "schema": format.schema, **strict}
    return {"type": "json_schema", "json_schema": named}
