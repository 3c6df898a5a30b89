"""OpenAI Responses. https://platform.openai.com/docs/api-reference/responses/create"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation import compaction, settings
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.ids import LONGEST, renamed
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.media import as_text, as_url, left_out, of_url, short_name
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
    Part,
    Reasoning,
    Request,
    Role,
    Text,
    Thinking,
    Tool,
    ToolKind,
    ToolResult,
    ToolUse,
)
from tollgate.routing.translation.passes import effort_of, mode_of, note_caching, role_of, split_system
from tollgate.routing.translation.reasoners import sampling
from tollgate.routing.translation.schemas import of_arguments
from tollgate.routing.translation.settings import Place
from tollgate.routing.translation.signatures import unwrap, wrap

_FAMILY = "openai"

_SETTINGS = settings.places(
    max_tokens="max_output_tokens",
    temperature="temperature",
    top_p="top_p",
    top_logprobs="top_logprobs",
    parallel_tools="parallel_tool_calls",
    user=Place("user", longest=LONGEST),
    safety_identifier=Place("safety_identifier", longest=LONGEST),
    metadata="metadata",
    store="store",
    service_tier="service_tier",
    verbosity="text.verbosity",
    prompt_cache_key="prompt_cache_key",
    prompt_cache_options="prompt_cache_options",
    prompt_cache_retention="prompt_cache_retention",
)
_KNOWN = {place.path.partition(".")[0] for place in _SETTINGS.values()} | {
    *("model", "input", "instructions", "stream", "tools", "tool_choice", "reasoning", "text", "include"),
}
_HINTS = (
    "client_metadata",
    "stream_options",
    "truncation",
    "max_tool_calls",
    "context_management",
)

_SEALS = "reasoning.encrypted_content"

_STATEFUL = ("previous_response_id", "conversation", "prompt", "background")
"""What stands at the provider, or shall stand there, cannot be had from another."""

# -- reading -----------------------------------------------------------------------------------------------


def read(asked: Asked, request: Request, losses: Losses) -> None:
    body = asked.body
    if held := [name for name in _STATEFUL if body.get(name)]:
        raise Untranslatable(f"{held[0]} refers to what only the provider itself has; send the whole input")
    request.settings = settings.read(body, _SETTINGS)
    request.reasoning = _reasoning(body.get("reasoning"))
    request.format = _format(find(body, "text.format"))
    request.tools = list(_tools(objects_at(body, "tools"), "tools", "", losses))
    request.choice = _choice(body.get("tool_choice"))
    if instructions := text_at(body, ("instructions",)):
        request.messages.append(Message("system", [Text(instructions, where="instructions")], "instructions"))
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else objects_at(body, "input")
    for n, item in enumerate(items):
        _add(request, item, f"input[{n}]", losses)
    if isinstance(wanted := body.get("include"), list) and wanted != [_SEALS]:
        losses.note("include", "include", hint=True)
    losses.rest(body, _KNOWN, hints=_HINTS)


def _add(request: Request, item: Json, where: str, losses: Losses) -> None:
    kind = text_at(item, ("type",)) or "message"
    if kind == "item_reference":
        raise Untranslatable(f"{where} refers to what only the provider itself has; send the item")
    if kind in compaction.KINDS and (summary := compaction.words(item)):
        _join(request.messages, "user", [Text(summary, where=where)], where)
    elif kind == compaction.TRIGGER:
        _join(request.messages, "user", [Text(compaction.ASK, where=where)], where)
        request.choice, request.format = Choice("none", where=where), None
    elif kind == "additional_tools":
        request.tools += _tools(objects_at(item, "tools"), f"{where}.tools", "", losses)
    elif kind == "message":
        parts: list[Part] = [*_content(item.get("content"), f"{where}.content", losses)]
        _join(request.messages, role_of(item, where), parts, where)
    elif reader := _ITEMS.get(kind):
        role, part = reader(item, where, losses)
        _join(request.messages, role, [part], where)
    else:
        losses.note("an item that only this provider knows", where, hint=kind == "configuration_update")


def _join(messages: list[Message], role: Role, parts: list[Part], where: str) -> None:
    """One answer of the model is one message: its thoughts, its words, its calls."""
    if role in ("assistant", "user") and messages and messages[-1].role == role:
        messages[-1].parts += parts
    else:
        messages.append(Message(role, parts, where))


def _content(content: Any, where: str, losses: Losses) -> Iterator[Text | Media]:
    if isinstance(content, str):
        yield Text(content, where=where)
        return
    for n, part in enumerate(objects_at({"content": content}, "content")):
        if reader := _PARTS.get(text_at(part, ("type",))):
            yield reader(part, f"{where}[{n}]")
        else:
            losses.note("a part of an unknown type", f"{where}[{n}]")


def _text(part: Json, where: str) -> Text:
    cached = "5m" if part.get("prompt_cache_breakpoint") else ""
    return Text(text_at(part, ("text",)), cached, where=where)


def _image(part: Json, where: str) -> Media:
    image = of_url(text_at(part, ("image_url",)), "image", where)
    image.detail, image.file = text_at(part, ("detail",)), text_at(part, ("file_id",))
    return image


def _file(part: Json, where: str) -> Media:
    file = of_url(text_at(part, ("file_data", "file_url")), "document", where)
    file.file, file.name = text_at(part, ("file_id",)), text_at(part, ("filename",))
    return file


def _audio(part: Json, where: str) -> Media:
    format = text_at(part, ("input_audio.format",))
    return Media("audio", f"audio/{format}", data=text_at(part, ("input_audio.data",)), where=where)


_PARTS: Mapping[str, Any] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": lambda part, where: Text(text_at(part, ("refusal",)), refusal=True, where=where),
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}


def read_call(item: Json, where: str) -> ToolUse:
    custom = item.get("type") == "custom_tool_call"
    return ToolUse(
        text_at(item, ("call_id",)),
        text_at(item, ("name",)),
        text_at(item, ("input" if custom else "arguments",)),
        "custom" if custom else "function",
        text_at(item, ("namespace",)),
        where=where,
    )


def read_thinking(item: Json, where: str) -> Thinking:
    """Its summary, or the thought itself where the provider shows it."""
    texts = [
        text_at(part, ("text",)) for part in (*objects_at(item, "summary"), *objects_at(item, "content"))
    ]
    text, seal = "\n\n".join(filter(None, texts)), text_at(item, ("encrypted_content",))
    return Thinking(text, unwrap(seal, _FAMILY) if seal else None, redacted=not text, where=where)


def _result(item: Json, where: str, losses: Losses) -> tuple[Role, Part]:
    kind: ToolKind = "custom" if item.get("type") == "custom_tool_call_output" else "function"
    parts = list(_content(item.get("output"), f"{where}.output", losses))
    return "user", ToolResult(text_at(item, ("call_id",)), parts, kind=kind, where=where)


_ITEMS: Mapping[str, Any] = {
    "function_call": lambda item, where, losses: ("assistant", read_call(item, where)),
    "custom_tool_call": lambda item, where, losses: ("assistant", read_call(item, where)),
    "reasoning": lambda item, where, losses: ("assistant", read_thinking(item, where)),
    "function_call_output": _result,
    "custom_tool_call_output": _result,
}


def _tools(tools: list[Json], where: str, namespace: str, losses: Losses) -> Iterator[Tool]:
    for n, tool in enumerate(tools):
        place, kind = f"{where}[{n}]", text_at(tool, ("type",))
        named = (text_at(tool, ("name",)), text_at(tool, ("description",)))
        if kind == "namespace":
            yield from _tools(objects_at(tool, "tools"), f"{place}.tools", named[0], losses)
        elif kind == "function":
            schema, strict = tool.get("parameters"), tool.get("strict")
            yield Tool(*named, schema, strict, namespace=namespace, where=place)
        elif kind == "custom":
            yield Tool(*named, kind="custom", format=tool.get("format"), namespace=namespace, where=place)
        else:
            losses.note("a tool that only this provider has", place)


def _choice(choice: Any) -> Choice | None:
    where = "tool_choice"
    if isinstance(choice, str):
        return Choice(mode_of(choice, where), where=where)
    if not isinstance(choice, dict):
        return None
    if choice.get("type") == "allowed_tools":
        names = [text_at(tool, ("name", "type")) for tool in objects_at(choice, "tools")]
        return Choice(mode_of(text_at(choice, ("mode",)) or "auto", where), names, where)
    name = text_at(choice, ("name", "type"))  # what the provider itself runs has no name
    return Choice("required", [name] if name else [], where)


def _reasoning(reasoning: Any) -> Reasoning:
    effort = text_at(reasoning, ("effort",))
    summary = text_at(reasoning, ("summary",))
    return Reasoning(
        effort != "none" if effort else None, effort, show=True if summary else None, where="reasoning"
    )


def _format(format: Any) -> Format | None:
    where = "text.format"
    kind = text_at(format, ("type",))
    if kind == "json_object":
        return Format(where=where)
    if kind != "json_schema":
        return None
    named = (text_at(format, ("name",)), text_at(format, ("description",)))
    return Format(format.get("schema"), *named, strict=format.get("strict"), where=where)


# -- writing -----------------------------------------------------------------------------------------------


def write(request: Request, losses: Losses) -> Json:
    """Nothing is stored unless the client says so; seals come with the answer, so that they can come back."""
    system, messages = split_system(request)
    body: Json = {"model": request.model, "store": False, "include": [_SEALS]}
    body |= {"instructions": "\n\n".join(text.text for text in system)} if system else {}
    body["input"] = [item for message in messages for item in _items(message, losses)]
    _write_settings(request, body, losses)
    effort, shown = effort_of(request.reasoning), request.reasoning.show
    reasoning = {**({"effort": effort} if effort else {}), **({"summary": "auto"} if shown else {})}
    body |= {"reasoning": reasoning} if reasoning else {}
    if request.format:
        settings.put(body, "text.format", _written_format(request.format))
    if request.tools:
        body["tools"] = list(_written_tools(request.tools))
    if request.choice:
        body["tool_choice"] = _written_choice(request.choice)
    note_caching(request, losses)
    return {**body, "stream": True} if request.stream else body


def _write_settings(request: Request, body: Json, losses: Losses) -> None:
    given = sampling(request, losses)
    if not request.tools:
        given.pop("parallel_tools", None)  # without meaning
    settings.write(given, _SETTINGS, body, losses)


def _items(message: Message, losses: Losses) -> Iterator[Json]:
    """A message's items: words that follow each other in one, calls and results each in their own."""
    words: list[Json] = []
    for part in message.parts:
        if isinstance(part, Text | Media):
            words.append(_written_part(part, message.role, losses))
            continue
        if words:
            yield {"type": "message", "role": message.role, "content": words}
            words = []
        yield _written_item(part, losses)
    if words:
        yield {"type": "message", "role": message.role, "content": words}


def _written_item(part: Thinking | ToolUse | ToolResult, losses: Losses) -> Json:
    if isinstance(part, Thinking):
        return write_thinking(part)
    if isinstance(part, ToolUse):
        return write_call(part)
    if part.error:
        losses.note("the mark that a tool failed", part.where, hint=True)
    kind = "custom_tool_call_output" if part.kind == "custom" else "function_call_output"
    return {"type": kind, "call_id": part.id, "output": _written_output(part.parts, losses)}


def _written_output(parts: list[Text | Media], losses: Losses) -> str | list[Json]:
    if all(isinstance(part, Text) for part in parts):
        return "\n".join(part.text for part in parts)
    return [_written_part(part, "user", losses) for part in parts]


def write_call(call: ToolUse) -> Json:
    custom = call.kind == "custom"
    given = {"input": call.arguments} if custom else {"arguments": call.arguments or "{}"}
    grouped = {"namespace": call.namespace} if call.namespace else {}
    kind = "custom_tool_call" if custom else "function_call"
    return {"type": kind, "call_id": call.id, "name": call.name, **grouped, **given}


def write_thinking(thinking: Thinking) -> Json:
    seal = wrap(thinking.signature, _FAMILY) if thinking.signature else ""
    summary = [{"type": "summary_text", "text": thinking.text}] if thinking.text else []
    sealed = {"encrypted_content": seal} if seal else {}
    return {"type": "reasoning", "id": renamed(f"{seal}{thinking.text}", "rs_"), "summary": summary, **sealed}


def _written_part(part: Text | Media, role: Role, losses: Losses) -> Json:
    if isinstance(part, Media):
        if written := _written_media(part):
            return written
        part = as_text(part) or left_out(part, losses, "in this form")
    if part.refusal:
        return {"type": "refusal", "refusal": part.text}
    return {"type": "output_text" if role == "assistant" else "input_text", "text": part.text}


def _written_media(media: Media) -> Json | None:
    url = as_url(media)
    if media.kind == "image" and (url or media.file):
        source = {"image_url": url} if url else {"file_id": media.file}
        return {"type": "input_image", **source, "detail": media.detail or "auto"}
    if media.kind == "document" and (url or media.file):
        if media.url:
            return {"type": "input_file", "file_url": media.url}
        if media.file:
            return {"type": "input_file", "file_id": media.file}
        name = media.name or f"document.{short_name(media.type) or 'bin'}"
        return {"type": "input_file", "filename": name, "file_data": url}
    return None


def _written_tools(tools: list[Tool]) -> Iterator[Json]:
    """Tools of one namespace together, where the first of them stands."""
    groups: dict[str, list[Json]] = {}
    for tool in tools:
        if not tool.namespace:
            yield _written_tool(tool)
            continue
        if tool.namespace not in groups:
            groups[tool.namespace] = []
            yield {"type": "namespace", "name": tool.namespace, "tools": groups[tool.namespace]}
        groups[tool.namespace].append(_written_tool(tool))


def _written_tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    if tool.kind == "custom":
        return {
            "type": "custom",
            "name": tool.name,
            **described,
            **({"format": tool.format} if tool.format else {}),
        }
    schema = of_arguments(tool.schema)
    # Strict is the default here, and refuses most schemas that were not written for it.
    return {
        "type": "function",
        "name": tool.name,
        **described,
        "parameters": schema,
        "strict": tool.strict is True,
    }


def _written_choice(choice: Choice) -> str | Json:
    if not choice.only:
        return choice.mode
    named = [{"type": "function", "name": name} for name in choice.only]
    if len(named) == 1 and choice.mode == "required":
        return named[0]
    return {"type": "allowed_tools", "mode": choice.mode, "tools": named}


def _written_format(format: Format) -> Json:
    if format.schema is None:
        return {"type": "json_object"}
    described = {"description": format.description} if format.description else {}
    named = {"name": format.name or "answer", **described, "schema": format.schema}
    return {"type": "json_schema", **named, "strict": format.strict is True}
