"""Amazon Bedrock's Converse. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from typing import Any, cast

import orjson

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation import claude, settings
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.media import left_out, short_name, type_of_name
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
    ToolResult,
    ToolUse,
)
from tollgate.routing.translation.passes import (
    arguments,
    budget_in,
    by_turns,
    called,
    effort_of,
    json_text,
    note_detail,
    restrict,
    role_of,
    split_system,
)
from tollgate.routing.translation.schemas import closed, of_arguments
from tollgate.routing.translation.settings import Place, put
from tollgate.routing.translation.signatures import unwrap, wrap

_FAMILY = "anthropic"
"""Of the models that Converse serves, Claude signs, and its seals are good on all platforms."""

_SETTINGS = settings.places(
    max_tokens="inferenceConfig.maxTokens",
    temperature=Place("inferenceConfig.temperature", most=1),
    top_p="inferenceConfig.topP",
    top_k="additionalModelRequestFields.top_k",
    stop="inferenceConfig.stopSequences",
    metadata="requestMetadata",
)
_KNOWN = ("messages", "system", "inferenceConfig", "toolConfig", "outputConfig", "requestMetadata")
_HINTS = ("performanceConfig", "serviceTier", "additionalModelResponseFieldPaths")

# -- reading -----------------------------------------------------------------------------------------------


def read(asked: Asked, request: Request, losses: Losses) -> None:
    body = asked.body
    more = body.get("additionalModelRequestFields")
    request.settings = settings.read(body, _SETTINGS)
    request.reasoning = _reasoning(body)
    request.format = _format(find(body, "outputConfig.textFormat"))
    request.tools = list(_tools(body, losses))
    request.choice = _choice(find(body, "toolConfig.toolChoice"))
    if objects_at(body, "system"):
        parts = list(_blocks(objects_at(body, "system"), "system", losses))
        request.messages.append(Message("system", parts, "system"))
    for n, message in enumerate(objects_at(body, "messages")):
        where = f"messages[{n}]"
        parts = list(_blocks(objects_at(message, "content"), f"{where}.content", losses))
        request.messages.append(Message(role_of(message, where), parts, where))
    losses.rest(body, (*_KNOWN, "additionalModelRequestFields"), hints=_HINTS)
    losses.rest(more, ("top_k", "thinking", "output_config"), "additionalModelRequestFields")


def _blocks(blocks: list[Json], where: str, losses: Losses) -> Iterator[Part]:
    """A cache point is a mark on the block before it."""
    for n, block in enumerate(blocks):
        part = read_block(block, f"{where}[{n}]", losses)
        if part is None:
            continue
        if not isinstance(part, Thinking) and n + 1 < len(blocks) and "cachePoint" in blocks[n + 1]:
            part.cache = text_at(blocks[n + 1], ("cachePoint.ttl",)) or "5m"
        yield part


def read_block(block: Json, where: str, losses: Losses) -> Part | None:
    """A block of a request or an answer; None for a cache point, and for what nobody else knows."""
    kind = next((key for key in _BLOCKS if key in block), None)
    if of_its_own_tool(block):
        kind = None
    if kind is not None and (kind == "json" or isinstance(block[kind], str if kind == "text" else dict)):
        part: Part = _BLOCKS[kind](block[kind], where, losses)
        return part
    if "cachePoint" not in block:
        losses.note("a block that only this provider knows", where)
    return None


def of_its_own_tool(block: Json) -> bool:
    """Whether the provider itself ran a tool here. Its calls are named so, its results have a type at all.
    https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolUseBlock.html"""
    return text_at(block, ("toolUse.type",)) == "server_tool_use" or bool(
        text_at(block, ("toolResult.type",))
    )


def _media(kind: str) -> Any:
    def read_media(node: Json, where: str, losses: Losses) -> Media:
        format, name = text_at(node, ("format",)), text_at(node, ("name",))
        type = type_of_name(format) or f"{kind}/{format}"
        data, text, file = (text_at(node, (f"source.{key}",)) for key in ("bytes", "text", "s3Location.uri"))
        losses.rest(node, ("format", "name", "source", "context", "citations"), where)
        if text_at(node, ("context",)):
            losses.note("the context of a document", where)
        return Media(cast(Any, kind), type, data=data, text=text, file=file, name=name, where=where)

    return read_media


def _thinking(node: Json, where: str, losses: Losses) -> Thinking:
    if redacted := text_at(node, ("redactedContent",)):
        return Thinking(signature=unpacked(redacted), redacted=True, where=where)
    seal = text_at(node, ("reasoningText.signature",))
    return Thinking(
        text_at(node, ("reasoningText.text",)), unwrap(seal, _FAMILY) if seal else None, where=where
    )


def unpacked(redacted: str) -> Signature:
    """Anthropic's own string, as Bedrock wraps it once more in base64."""
    try:
        return unwrap(b64decode(redacted, validate=True).decode(), _FAMILY)
    except ValueError:
        return Signature(_FAMILY, redacted)


def _use(node: Json, where: str, losses: Losses) -> ToolUse:
    given = json_text(node.get("input") or {})
    return ToolUse(text_at(node, ("toolUseId",)), text_at(node, ("name",)), given, where=where)


def _result(node: Json, where: str, losses: Losses) -> ToolResult:
    parts = _blocks(objects_at(node, "content"), f"{where}.toolResult.content", losses)
    return ToolResult(
        text_at(node, ("toolUseId",)),
        [part for part in parts if isinstance(part, Text | Media)],
        node.get("status") == "error",
        where=where,
    )


_BLOCKS: Mapping[str, Any] = {
    "text": lambda node, where, losses: Text(node, where=where),
    "json": lambda node, where, losses: Text(orjson.dumps(node).decode(), where=where),
    "image": _media("image"),
    "document": _media("document"),
    "audio": _media("audio"),
    "video": _media("video"),
    "toolUse": _use,
    "toolResult": _result,
    "reasoningContent": _thinking,
}


def _tools(body: Mapping[str, Any], losses: Losses) -> Iterator[Tool]:
    tools = objects_at(body, "toolConfig.tools")
    for n, tool in enumerate(tools):
        where = f"toolConfig.tools[{n}]"
        if isinstance(spec := tool.get("toolSpec"), dict):
            after = tools[n + 1] if n + 1 < len(tools) else {}
            cached = (text_at(after, ("cachePoint.ttl",)) or "5m") if "cachePoint" in after else ""
            named = (text_at(spec, ("name",)), text_at(spec, ("description",)))
            schema = find(spec, "inputSchema.json")
            yield Tool(*named, schema, spec.get("strict"), cache=cached, where=where)
        elif "cachePoint" not in tool:
            losses.note("a tool that only this provider has", where)


def _choice(choice: Any) -> Choice | None:
    where = "toolConfig.toolChoice"
    if not isinstance(choice, dict):
        return None
    name = text_at(choice, ("tool.name",))
    return Choice("required" if name or "any" in choice else "auto", [name] if name else [], where)


def _reasoning(body: Mapping[str, Any]) -> Reasoning:
    path = "additionalModelRequestFields"
    kind = text_at(body, (f"{path}.thinking.type",))
    effort = text_at(body, ("outputConfig.effort", f"{path}.output_config.effort"))
    budget = budget_in(find(body, f"{path}.thinking.budget_tokens"))
    where = f"{path}.thinking" if kind else "outputConfig.effort"
    on = kind != "disabled" if kind else None
    return Reasoning(on, "none" if on is False else effort, budget, where=where)


def _format(format: Any) -> Format | None:
    node = find(format, "structure.jsonSchema")
    if not isinstance(node, dict):
        return None
    try:
        schema = orjson.loads(text_at(node, ("schema",)) or "{}")
    except ValueError as e:
        raise Untranslatable("the schema in outputConfig.textFormat is no JSON") from e
    named = (text_at(node, ("name",)), text_at(node, ("description",)))
    return Format(schema, *named, where="outputConfig.textFormat")


# -- writing -----------------------------------------------------------------------------------------------


def write(request: Request, losses: Losses) -> Json:
    """The model stands in the path, and what is asked of a stream as well."""
    system, messages = split_system(request)
    turns = by_turns(messages, losses)
    body: Json = {
        "messages": [{"role": turn.role, "content": list(_content(turn.parts, losses))} for turn in turns]
    }
    if system:
        body["system"] = list(_content([*system], losses))
    tools, choice = restrict(request)
    tools = tools or called(request)  # refused else, where tools were called before
    _write_settings(request, choice, body, losses)
    if tools:
        body["toolConfig"] = {"tools": list(_written_tools(tools)), **_written_choice(choice, losses)}
    if request.format:
        _write_format(request.format, body, losses)
    note_detail(request, losses)
    return body


def _write_settings(request: Request, choice: Choice | None, body: Json, losses: Losses) -> None:
    """Claude's models think in their own words; how others do, Converse has no word for."""
    given = dict(request.settings)
    if "claude" in request.model:
        thinking = claude.thinking(request, choice, losses)
        given = claude.sampling(request, claude.thinks(thinking), losses)
        more = {"thinking": thinking, "output_config.effort": claude.effort(request)}
        for path, value in more.items():
            if value:
                put(body, f"additionalModelRequestFields.{path}", value)
    elif effort_of(request.reasoning):
        losses.note("how much to think", request.reasoning.where)
    if not request.tools:
        given.pop("parallel_tools", None)
    settings.write(given, _SETTINGS, body, losses)


def _content(parts: list[Part], losses: Losses) -> Iterator[Json]:
    for part in parts:
        if isinstance(part, Text):
            if part.text:
                yield {"text": part.text}
        elif isinstance(part, Media):
            yield _written_media(part, losses)
        elif isinstance(part, Thinking):
            yield {"reasoningContent": _written_thinking(part)}
        elif isinstance(part, ToolUse):
            given = {"input": arguments(part, losses)}
            yield {"toolUse": {"toolUseId": part.id, "name": part.name, **given}}
        else:
            content = list(_content([*part.parts], losses)) or [{"text": ""}]
            status = {"status": "error"} if part.error else {}
            yield {"toolResult": {"toolUseId": part.id, "content": content, **status}}
        if not isinstance(part, Thinking) and part.cache:
            yield _point(part.cache)


def _point(cache: str) -> Json:
    return {"cachePoint": {"type": "default", **({"ttl": "1h"} if cache == "1h" else {})}}


_IMAGES = frozenset({"png", "jpeg", "gif", "webp"})
_DOCUMENTS = frozenset({"pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md"})
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_DocumentBlock.html"""


def _written_media(media: Media, losses: Losses) -> Json:
    format = short_name(media.type) or ("txt" if media.text else "")
    known = {"image": _IMAGES, "document": _DOCUMENTS}.get(media.kind)
    data = media.data or b64encode(media.text.encode()).decode()
    source: Json = {"bytes": data} if data else {"s3Location": {"uri": media.file}}
    if not (data or media.file.startswith("s3:")) or (known is not None and format not in known):
        return {"text": left_out(media, losses, "in this form").text}
    name = {"name": _document_name(media.name)} if media.kind == "document" else {}
    return {media.kind: {"format": format, **name, "source": source}}


def _document_name(name: str) -> str:
    """Letters, digits, spaces, hyphens, parentheses and brackets, no two spaces: no other is taken."""
    stem = name.rpartition(".")[0] or name or "document"
    legal = "".join(c if c.isascii() and (c.isalnum() or c in " -()[]") else "-" for c in stem)
    return " ".join(legal.split())[:200] or "document"


def _written_thinking(thinking: Thinking) -> Json:
    seal = wrap(thinking.signature, _FAMILY) if thinking.signature else ""
    if thinking.redacted:
        return {"redactedContent": b64encode(seal.encode()).decode()}
    return {"reasoningText": {"text": thinking.text, **({"signature": seal} if seal else {})}}


def _written_tools(tools: list[Tool]) -> Iterator[Json]:
    for tool in tools:
        described = {"description": tool.description} if tool.description else {}
        schema = {"inputSchema": {"json": of_arguments(tool.schema)}}
        strict = {"strict": True} if tool.strict else {}
        yield {"toolSpec": {"name": tool.name, **described, **schema, **strict}}
        if tool.cache:
            yield _point(tool.cache)


def _written_choice(choice: Choice | None, losses: Losses) -> Json:
    """Tools that were called before have to be declared, even if none may be called any more."""
    if choice is None:
        return {}
    if choice.mode == "none":
        losses.note("that no tool may be called", choice.where)
    named: Json = {"tool": {"name": choice.only[0]}} if choice.only else {"any": {}}
    return {"toolChoice": named if choice.mode == "required" else {"auto": {}}}


def _write_format(format: Format, body: Json, losses: Losses) -> None:
    if format.schema is None:
        losses.note("JSON without a schema", format.where)
        return
    described = {"description": format.description} if format.description else {}
    inner = closed(format.schema, losses, format.where)
    schema = {"schema": orjson.dumps(inner).decode(), "name": format.name or "answer", **described}
    put(body, "outputConfig.textFormat", {"type": "json_schema", "structure": {"jsonSchema": schema}})
