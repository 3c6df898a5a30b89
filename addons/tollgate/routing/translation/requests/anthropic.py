"""Anthropic Messages. https://platform.claude.com/docs/en/api/messages"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation import claude, settings
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.media import decoded, left_out
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Request,
    Setting,
    Text,
    Thinking,
    Tool,
    ToolResult,
    ToolUse,
)
from tollgate.routing.translation.passes import (
    arguments,
    budget_in,
    by_turns,
    called,
    each,
    json_text,
    mode_of,
    note_detail,
    restrict,
    role_of,
    split_system,
)
from tollgate.routing.translation.schemas import closed, of_arguments
from tollgate.routing.translation.settings import Place
from tollgate.routing.translation.signatures import unwrap, wrap

_FAMILY = "anthropic"

_SETTINGS = settings.places(
    max_tokens="max_tokens",
    temperature=Place("temperature", most=1),
    top_p="top_p",
    top_k="top_k",
    stop="stop_sequences",
    user="metadata.user_id",
)
_KNOWN = {place.path.partition(".")[0] for place in _SETTINGS.values()} | {
    *("model", "messages", "system", "stream", "tools", "tool_choice", "thinking", "output_config"),
    "output_format",
}
_HINTS = ("cache_control", "context_management", "diagnostics", "inference_geo", "service_tier", "speed")

# -- reading -----------------------------------------------------------------------------------------------


def read(asked: Asked, request: Request, losses: Losses) -> None:
    body = asked.body
    request.settings = settings.read(body, _SETTINGS)
    request.reasoning = _reasoning(body)
    request.format = _format(body)
    request.tools = list(_tools(body, losses))
    request.choice = _choice(body.get("tool_choice"), request)
    if body.get("system"):
        request.messages.append(Message("system", list(_blocks(body["system"], "system", losses)), "system"))
    for n, message in enumerate(objects_at(body, "messages")):
        where = f"messages[{n}]"
        parts = list(_blocks(message.get("content"), f"{where}.content", losses))
        request.messages.append(Message(role_of(message, where), parts, where))
        losses.rest(message, ("role", "content"), where, hints=("output_config",))
    losses.rest(body, _KNOWN, hints=_HINTS)


def _blocks(content: Any, where: str, losses: Losses) -> Iterator[Part]:
    if isinstance(content, str):
        yield Text(content, where=where)
        return
    for n, block in enumerate(objects_at({"content": content}, "content")):
        place = f"{where}[{n}]"
        if reader := _BLOCKS.get(text_at(block, ("type",))):
            yield reader(block, place, losses)
        else:
            losses.note("a block that only this provider knows", place)


def _cache(block: Mapping[str, Any]) -> str:
    control = block.get("cache_control")
    return (text_at(control, ("ttl",)) or "5m") if isinstance(control, dict) else ""


def _text(block: Json, where: str, losses: Losses) -> Text:
    losses.rest(block, ("type", "text", "cache_control"), where, hints=("citations",))
    return Text(text_at(block, ("text",)), _cache(block), where=where)


def _media(block: Json, where: str, losses: Losses) -> Media | Text:
    source = block.get("source")
    kind = "image" if block.get("type") == "image" else "document"
    losses.rest(block, ("type", "source", "cache_control", "title", "citations", "context"), where)
    if text_at(block, ("context",)):
        losses.note("the context of a document", where)
    if find(block, "citations.enabled") is True:
        losses.note("citations", where)
    if text_at(source, ("type",)) == "content":
        return _joined(text_at(block, ("title",)), find(source, "content"), block, where, losses)
    plain = text_at(source, ("type",)) == "text"
    data = text_at(source, ("data",))
    return Media(
        cast(Any, kind),
        text_at(source, ("media_type",)),
        data="" if plain else data,
        url=text_at(source, ("url",)),
        file=text_at(source, ("file_id",)),
        text=data if plain else "",
        name=text_at(block, ("title",)),
        cache=_cache(block),
        where=where,
    )


def _search_result(block: Json, where: str, losses: Losses) -> Text:
    """https://platform.claude.com/docs/en/build-with-claude/search-results"""
    if find(block, "citations.enabled") is True:
        losses.note("citations", where)
    head = "\n".join(filter(None, (text_at(block, (key,)) for key in ("title", "source"))))
    return _joined(head, block.get("content"), block, where, losses)


def _joined(head: str, content: Any, block: Json, where: str, losses: Losses) -> Text:
    """The words of a block that holds others."""
    parts = list(_blocks(content, where, losses))
    for part in parts:
        if isinstance(part, Media):
            losses.note(f"{part.kind} in a block of this kind", where)
    texts = [head, *(part.text for part in parts if isinstance(part, Text))]
    return Text("\n".join(filter(None, texts)), _cache(block), where=where)


def _thinking(block: Json, where: str, losses: Losses) -> Thinking:
    redacted = block.get("type") == "redacted_thinking"
    seal = text_at(block, ("data" if redacted else "signature",))
    return Thinking(
        text_at(block, ("thinking",)), unwrap(seal, _FAMILY) if seal else None, redacted, where=where
    )


def _use(block: Json, where: str, losses: Losses) -> ToolUse:
    given = json_text(block.get("input") or {})
    return ToolUse(
        text_at(block, ("id",)), text_at(block, ("name",)), given, cache=_cache(block), where=where
    )


def _result(block: Json, where: str, losses: Losses) -> ToolResult:
    parts = _blocks(block.get("content"), f"{where}.content", losses)
    return ToolResult(
        text_at(block, ("tool_use_id",)),
        [part for part in parts if isinstance(part, Text | Media)],
        block.get("is_error") is True,
        cache=_cache(block),
        where=where,
    )


_BLOCKS: Mapping[str, Any] = {
    "text": _text,
    "image": _media,
    "document": _media,
    "search_result": _search_result,
    "thinking": _thinking,
    "redacted_thinking": _thinking,
    "tool_use": _use,
    "tool_result": _result,
}


def _tools(body: Mapping[str, Any], losses: Losses) -> Iterator[Tool]:
    for n, tool in enumerate(objects_at(body, "tools")):
        where = f"tools[{n}]"
        if tool.get("type") not in (None, "custom"):
            losses.note("a tool that only this provider has", where)
            continue
        named = (text_at(tool, ("name",)), text_at(tool, ("description",)))
        yield Tool(*named, tool.get("input_schema"), tool.get("strict"), cache=_cache(tool), where=where)
        known = ("type", "name", "description", "input_schema", "strict", "cache_control")
        losses.rest(tool, known, where, hints=("eager_input_streaming", "defer_loading"))


def _choice(choice: Any, request: Request) -> Choice | None:
    where = "tool_choice"
    if not isinstance(choice, dict):
        return None
    if choice.get("disable_parallel_tool_use") is True:
        request.settings["parallel_tools"] = Setting(False, f"{where}.disable_parallel_tool_use")
    named = [text_at(choice, ("name",))] if choice.get("type") == "tool" else []
    mode = {"any": "required", "tool": "required"}.get(text_at(choice, ("type",)), choice.get("type"))
    return Choice(mode_of(mode, where), named, where)


def _reasoning(body: Mapping[str, Any]) -> Reasoning:
    thinking = body.get("thinking")
    kind = text_at(thinking, ("type",))
    display = text_at(thinking, ("display",))
    return Reasoning(
        None if not kind else kind != "disabled",
        "none" if kind == "disabled" else text_at(body, ("output_config.effort",)),
        budget_in(find(thinking, "budget_tokens")),
        display != "omitted" if display else None,
        where="thinking" if kind else "output_config.effort",
    )


def _format(body: Mapping[str, Any]) -> Format | None:
    path = "output_config.format" if find(body, "output_config.format") else "output_format"
    found = find(body, path)
    return Format(found.get("schema"), where=path) if isinstance(found, dict) else None


# -- writing -----------------------------------------------------------------------------------------------


def write(request: Request, losses: Losses) -> Json:
    system, messages = split_system(request)
    tools, choice = restrict(request)
    if not tools and (tools := called(request)):  # refused else, where tools were called before
        choice = Choice("none")
    body: Json = {"model": request.model, "max_tokens": claude.max_tokens(request.model)}
    body |= {"system": [_written_text(text) for text in system]} if system else {}
    turns = by_turns(messages, losses)
    if turns and turns[-1].role == "assistant":
        _trim(turns[-1].parts)
    body["messages"] = [{"role": turn.role, "content": _content(turn.parts, losses)} for turn in turns]
    thinking = claude.thinking(request, choice, losses)
    given = claude.sampling(request, claude.thinks(thinking), losses)
    parallel = given.pop("parallel_tools", None)
    most = Place("max_tokens", most=claude.claude(request.model).most)
    settings.write(given, _SETTINGS | {"max_tokens": most}, body, losses)
    if tools:
        body["tools"] = [_written_tool(tool) for tool in tools]
        body |= _written_choice(choice, parallel is not None and parallel.value is False)
    _write_format(request, body, losses)
    body |= {"thinking": thinking} if thinking else {}
    if effort := claude.effort(request):
        settings.put(body, "output_config.effort", effort)
    note_detail(request, losses)
    return {**body, "stream": True} if request.stream else body


def _trim(parts: list[Part]) -> None:
    """What the model shall go on with must not end with white space."""
    if isinstance(last := parts[-1], Text):
        parts[-1] = replace(last, text=last.text.rstrip())


def _content(parts: list[Part], losses: Losses) -> list[Json]:
    table: dict[type, Any] = {
        Text: _written_text,
        Media: lambda media: _written_media(media, losses),
        Thinking: _written_thinking,
        ToolUse: lambda call: _written_use(call, losses),
        ToolResult: lambda result: _written_result(result, losses),
    }
    return each((part for part in parts if not isinstance(part, Text) or part.text.strip()), table)


def _control(cache: str) -> Json:
    ttl = {"ttl": "1h"} if cache == "1h" else {}
    return {"cache_control": {"type": "ephemeral", **ttl}} if cache else {}


def _written_text(text: Text) -> Json:
    return {"type": "text", "text": text.text, **_control(text.cache)}


_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})


def _written_media(media: Media, losses: Losses) -> Json:
    source = _source(media)
    if source is None:
        return _written_text(left_out(media, losses, "in this form"))
    title = {"title": media.name} if media.name and media.kind == "document" else {}
    return {"type": media.kind, "source": source, **title, **_control(media.cache)}


def _source(media: Media) -> Json | None:
    fits = media.type in _IMAGES if media.kind == "image" else media.type == "application/pdf"
    if media.kind not in ("image", "document"):
        return None
    if media.text:
        return {"type": "text", "media_type": "text/plain", "data": media.text}
    if media.data and media.kind == "document" and media.type.startswith("text/"):
        return {"type": "text", "media_type": "text/plain", "data": decoded(media.data)}
    if media.data:
        return {"type": "base64", "media_type": media.type, "data": media.data} if fits else None
    return {"type": "url", "url": media.url} if media.url else None


def _written_thinking(thinking: Thinking) -> Json:
    seal = wrap(thinking.signature, _FAMILY) if thinking.signature else ""
    if thinking.redacted:
        return {"type": "redacted_thinking", "data": seal}
    return {"type": "thinking", "thinking": thinking.text, "signature": seal}


def _written_use(call: ToolUse, losses: Losses) -> Json:
    given = {"input": arguments(call, losses)}
    return {"type": "tool_use", "id": call.id, "name": call.name, **given, **_control(call.cache)}


def _written_result(result: ToolResult, losses: Losses) -> Json:
    failed = {"is_error": True} if result.error else {}
    content = {"content": _content([*result.parts], losses)}
    return {"type": "tool_result", "tool_use_id": result.id, **content, **failed, **_control(result.cache)}


def _written_tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    strict = {"strict": tool.strict} if tool.strict else {}
    schema = {"input_schema": of_arguments(tool.schema)}
    return {"name": tool.name, **described, **schema, **strict, **_control(tool.cache)}


def _written_choice(choice: Choice | None, one_at_a_time: bool) -> Json:
    single = {"disable_parallel_tool_use": True} if one_at_a_time else {}
    if choice is None:
        return {"tool_choice": {"type": "auto", **single}} if single else {}
    if choice.mode == "none":
        return {"tool_choice": {"type": "none"}}
    named = {"type": "tool", "name": choice.only[0]} if choice.only else {"type": "any"}
    return {"tool_choice": {**(named if choice.mode == "required" else {"type": "auto"}), **single}}


def _write_format(request: Request, body: Json, losses: Losses) -> None:
    if request.format is None:
        return
    if request.format.schema is None:
        losses.note("JSON without a schema", request.format.where)
        return
    format = {"type": "json_schema", "schema": closed(request.format.schema, losses, request.format.where)}
    settings.put(body, "output_config.format", format)
