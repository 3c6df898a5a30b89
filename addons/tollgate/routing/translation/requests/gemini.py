"""Gemini generateContent. https://ai.google.dev/api/generate-content"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from tollgate.dialects.paths import find, objects_at, text_at
from tollgate.routing.translation import settings
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.media import as_text, kind_of, left_out, type_of_name
from tollgate.routing.translation.neutral import (
    Choice,
    Format,
    Media,
    Message,
    Mode,
    Part,
    Reasoning,
    Request,
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
    effort_of,
    json_text,
    note_caching,
    note_detail,
    split_system,
)
from tollgate.routing.translation.schemas import from_openapi
from tollgate.routing.translation.settings import Place
from tollgate.routing.translation.signatures import unwrap, wrap

_FAMILY = "gemini"

_SETTINGS = settings.places(
    max_tokens="generationConfig.maxOutputTokens",
    temperature="generationConfig.temperature",
    top_p="generationConfig.topP",
    top_k="generationConfig.topK",
    presence_penalty="generationConfig.presencePenalty",
    frequency_penalty="generationConfig.frequencyPenalty",
    seed="generationConfig.seed",
    stop=Place("generationConfig.stopSequences", items=5),
    n="generationConfig.candidateCount",
    logprobs="generationConfig.responseLogprobs",
    top_logprobs="generationConfig.logprobs",
)
_KNOWN = ("model", "contents", "systemInstruction", "tools", "toolConfig", "generationConfig")
_HINTS = ("safetySettings", "labels", "serviceTier")
_CONFIG = {place.path.partition(".")[2] for place in _SETTINGS.values()} | {
    *("responseMimeType", "responseSchema", "responseJsonSchema", "thinkingConfig", "responseModalities"),
}

# -- reading -----------------------------------------------------------------------------------------------

_FREE = frozenset(
    {"args", "parameters", "parametersJsonSchema", "response", "responseJsonSchema", "responseSchema"}
)


def camel(value: Any) -> Any:
    """With fields in camelCase: protobuf's JSON takes both spellings, and Google's SDKs mix them."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub("_([a-z])", lambda m: m[1].upper(), key): item for key, item in value.items()}
    return {key: item if key in _FREE else camel(item) for key, item in named.items()}


def read(asked: Asked, request: Request, losses: Losses) -> None:
    body = camel(dict(asked.body))
    if body.get("cachedContent"):
        raise Untranslatable("cachedContent refers to what only the provider itself has; send the contents")
    config = found if isinstance(found := body.get("generationConfig"), dict) else {}
    request.settings = settings.read(body, _SETTINGS)
    request.reasoning = _reasoning(config.get("thinkingConfig"))
    request.format = _format(config)
    request.tools = list(_tools(body, losses))
    request.choice = _choice(find(body, "toolConfig.functionCallingConfig"))
    _note_kinds(config, losses)
    reader = _Reader(losses)
    if isinstance(system := body.get("systemInstruction"), dict):
        where = "systemInstruction"
        request.messages.append(Message("system", list(reader.parts(system, where)), where))
    for n, content in enumerate(objects_at(body, "contents")):
        role = "assistant" if content.get("role") == "model" else "user"
        where = f"contents[{n}]"
        request.messages.append(Message(role, list(reader.parts(content, where)), where))  # type: ignore[arg-type]
    losses.rest(body, _KNOWN, hints=_HINTS)
    losses.rest(config, _CONFIG, "generationConfig", hints=("mediaResolution",))


class _Reader:
    """Reads parts in order: calls and results may come without ids, and belong together by name and order."""

    def __init__(self, losses: Losses) -> None:
        self._losses = losses
        self._calls = 0
        self._open: dict[str, deque[str]] = {}

    def parts(self, content: Json, where: str) -> Iterator[Part]:
        for n, part in enumerate(objects_at(content, "parts")):
            place = f"{where}.parts[{n}]"
            kind = next((key for key in self._READERS if key in part), None)
            if kind is None:
                self._losses.note("a part that only this provider knows", place)
            else:
                yield self._READERS[kind](self, part, place)

    def _text(self, part: Json, where: str) -> Part:
        if part.get("thought") is True:
            seal = text_at(part, ("thoughtSignature",))
            return Thinking(text_at(part, ("text",)), unwrap(seal, _FAMILY) if seal else None, where=where)
        return self._plain(part, where)

    def _plain(self, part: Json, where: str) -> Part:
        """The seal of a thought stands on the words that follow it; without it they are still understood."""
        seal = text_at(part, ("thoughtSignature",))
        if seal and not (text := text_at(part, ("text",))):
            return Thinking(signature=unwrap(seal, _FAMILY), redacted=True, where=where)
        if seal:
            self._losses.note("the signature of a text", where, hint=True)
            return Text(text, where=where)
        return Text(text_at(part, ("text",)), where=where)

    def _inline(self, part: Json, where: str) -> Media:
        type = text_at(part, ("inlineData.mimeType",))
        data, name = (text_at(part, (f"inlineData.{key}",)) for key in ("data", "displayName"))
        return Media(kind_of(type), type, data=data.translate(_STANDARD), name=name, where=where)

    def _file(self, part: Json, where: str) -> Media:
        uri = text_at(part, ("fileData.fileUri",))
        type = text_at(part, ("fileData.mimeType",)) or type_of_name(uri)
        if uri.startswith("gs:") or "generativelanguage.googleapis.com" in uri:
            return Media(kind_of(type), type, file=uri, where=where)
        return Media(kind_of(type), type, url=uri, where=where)

    def _call(self, part: Json, where: str) -> ToolUse:
        call = part["functionCall"] if isinstance(part["functionCall"], dict) else {}
        name = text_at(call, ("name",))
        id = text_at(call, ("id",)) or self._new_id(name)
        self._open.setdefault(name, deque()).append(id)
        seal = text_at(part, ("thoughtSignature",))
        signature = unwrap(seal, _FAMILY) if seal else None
        return ToolUse(id, name, json_text(call.get("args") or {}), signature=signature, where=where)

    def _new_id(self, name: str) -> str:
        self._calls += 1
        return f"call_{self._calls}_{name}"

    def _result(self, part: Json, where: str) -> ToolResult:
        node = part["functionResponse"] if isinstance(part["functionResponse"], dict) else {}
        name = text_at(node, ("name",))
        waiting = self._open.get(name) or deque()
        id = text_at(node, ("id",)) or (waiting[0] if waiting else self._new_id(name))
        if id in waiting:
            waiting.remove(id)
        text, failed = _said(node.get("response"))
        shown = [p for p in self.parts(node, where) if isinstance(p, Media)]
        return ToolResult(id, [Text(text, where=where), *shown], failed, name, where=where)

    _READERS: Mapping[str, Any] = {
        "functionCall": _call,
        "functionResponse": _result,
        "inlineData": _inline,
        "fileData": _file,
        "text": _text,
        "thoughtSignature": _plain,
    }


_STANDARD = str.maketrans("-_", "+/")
"""Google's SDK writes base64 in its other alphabet, which others do not take."""


def _said(response: Any) -> tuple[str, bool]:
    """A tool's result as text, and whether it failed. Google advises the keys `output` and `error`."""
    if isinstance(response, dict) and len(response) == 1:
        for key, failed in (("output", False), ("error", True)):
            if isinstance(text := response.get(key), str):
                return text, failed
    return orjson.dumps(response if response is not None else {}).decode(), False


def _tools(body: Json, losses: Losses) -> Iterator[Tool]:
    for n, tool in enumerate(objects_at(body, "tools")):
        where = f"tools[{n}]"
        for m, one in enumerate(objects_at(tool, "functionDeclarations")):
            schema = one.get("parametersJsonSchema") or from_openapi(one.get("parameters"))
            named = (text_at(one, ("name",)), text_at(one, ("description",)))
            yield Tool(*named, schema, where=f"{where}.functionDeclarations[{m}]")
        losses.rest(tool, ("functionDeclarations",), where)


_MODES: dict[str, Mode] = {"AUTO": "auto", "NONE": "none", "ANY": "required", "VALIDATED": "auto"}


def _choice(config: Any) -> Choice | None:
    mode = _MODES.get(text_at(config, ("mode",)).upper())
    if mode is None:
        return None
    names = find(config, "allowedFunctionNames")
    only = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    return Choice(mode, only, "toolConfig")


def _reasoning(config: Any) -> Reasoning:
    budget, level = budget_in(find(config, "thinkingBudget")), text_at(config, ("thinkingLevel",)).lower()
    shown = find(config, "includeThoughts")
    on = False if budget == 0 else True if level or budget else None
    return Reasoning(on, level, budget, shown, where="generationConfig.thinkingConfig")


def _note_kinds(config: Json, losses: Losses) -> None:
    """Answers in others than words and JSON are this provider's own."""
    if (kind := text_at(config, ("responseMimeType",))) not in ("", "text/plain", "application/json"):
        losses.note(f"answers of the type {kind}", "generationConfig.responseMimeType")
    wanted = config.get("responseModalities")
    if isinstance(wanted, list) and any(str(one).upper() != "TEXT" for one in wanted):
        losses.note("answers other than text", "generationConfig.responseModalities")


def _format(config: Json) -> Format | None:
    if text_at(config, ("responseMimeType",)) != "application/json":
        return None
    schema = config.get("responseJsonSchema") or from_openapi(config.get("responseSchema"))
    return Format(schema, where="generationConfig.responseMimeType")


# -- writing -----------------------------------------------------------------------------------------------


def write(request: Request, losses: Losses) -> Json:
    system, messages = split_system(request)
    body: Json = {"contents": _Writer(request, losses).contents(by_turns(messages, losses))}
    if system:
        body["systemInstruction"] = {"parts": [{"text": text.text} for text in system]}
    given = dict(request.settings)
    if not request.tools:
        given.pop("parallel_tools", None)
    settings.write(given, _SETTINGS, body, losses)
    if request.tools:
        body["tools"] = [{"functionDeclarations": [_written_tool(tool) for tool in request.tools]}]
    if request.choice:
        body["toolConfig"] = {"functionCallingConfig": _written_choice(request.choice)}
    if request.format:
        schema = {"responseJsonSchema": request.format.schema} if request.format.schema is not None else {}
        body.setdefault("generationConfig", {}).update(responseMimeType="application/json", **schema)
    if thinking := _written_reasoning(request):
        settings.put(body, "generationConfig.thinkingConfig", thinking)
    note_caching(request, losses)
    note_detail(request, losses)
    return body


_UNSIGNED = "skip_thought_signature_validator"
"""What Google wants on calls that its model did not make, of other models and of hands.

https://ai.google.dev/gemini-api/docs/thought-signatures#faqs
"""


class _Writer:
    """Writes turns; results name the tool that was called, which other dialects know by its id only."""

    def __init__(self, request: Request, losses: Losses) -> None:
        self._losses = losses
        self._names: dict[str, str] = {}
        self._third = re.search(r"gemini-(?:[3-9]|\d\d)", request.model) is not None
        """Of the third generation or later: calls have to be signed, and results may hold images."""

    def contents(self, turns: list[Message]) -> list[Json]:
        written = ((turn.role, list(self._parts(turn.parts))) for turn in turns)
        roles = {"assistant": "model"}
        return [{"role": roles.get(role, "user"), "parts": parts} for role, parts in written if parts]

    def _parts(self, parts: list[Part]) -> Iterator[Json]:
        first = True
        for part in parts:
            if isinstance(part, ToolUse):
                yield self._call(part, first)
                first = False
            elif isinstance(part, ToolResult):
                yield from self._result(part)
            elif isinstance(part, Thinking):
                yield _written_thinking(part)
            elif isinstance(part, Media):
                yield self._media(part)
            elif part.text:
                yield {"text": part.text}

    def _call(self, call: ToolUse, first: bool) -> Json:
        """The first call of a step has to be signed."""
        self._names[call.id] = call.name
        written: Json = {
            "functionCall": {"id": call.id, "name": call.name, "args": arguments(call, self._losses)}
        }
        if call.signature:
            written["thoughtSignature"] = wrap(call.signature, _FAMILY)
        elif first and self._third:
            self._losses.note("the signature of a tool call", call.where, hint=True)
            written["thoughtSignature"] = _UNSIGNED
        return written

    def _result(self, result: ToolResult) -> Iterator[Json]:
        text = "\n".join(part.text for part in result.parts if isinstance(part, Text))
        name = self._names.get(result.id) or result.name or result.id
        shown = [self._media(part) for part in result.parts if isinstance(part, Media)]
        response = {"error": text} if result.error else _as_response(text)
        within = {"parts": shown} if shown and self._third else {}
        yield {"functionResponse": {"id": result.id, "name": name, "response": response, **within}}
        if not within:
            yield from shown

    def _media(self, media: Media) -> Json:
        if media.data:
            if media.name:  # the Gemini API refuses a displayName, Vertex wants it for its own tools only
                self._losses.note("the name of a file", media.where, hint=True)
            return {"inlineData": {"mimeType": media.type, "data": media.data}}
        if uri := media.url or media.file:
            return {"fileData": {"fileUri": uri, **({"mimeType": media.type} if media.type else {})}}
        return {"text": (as_text(media) or left_out(media, self._losses, "in this form")).text}


def _as_response(text: str) -> Any:
    """An object as it is; anything else as the `output` of one."""
    try:
        tree = orjson.loads(text)
    except ValueError:
        tree = None
    return orjson.Fragment(text.encode()) if isinstance(tree, dict) else {"output": text}


def _written_thinking(thinking: Thinking) -> Json:
    seal = {"thoughtSignature": wrap(thinking.signature, _FAMILY)} if thinking.signature else {}
    return {"text": "", **seal} if thinking.redacted else {"text": thinking.text, "thought": True, **seal}


def _written_tool(tool: Tool) -> Json:
    described = {"description": tool.description} if tool.description else {}
    schema = {"parametersJsonSchema": tool.schema} if tool.schema is not None else {}
    return {"name": tool.name, **described, **schema}


def _written_choice(choice: Choice) -> Json:
    mode = {"auto": "AUTO", "none": "NONE", "required": "ANY"}.get(choice.mode, "AUTO")
    if not choice.only:
        return {"mode": mode}
    return {"mode": "ANY" if mode == "ANY" else "VALIDATED", "allowedFunctionNames": choice.only}


_LEVELS = {"minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM"}
_BUDGETS = {"minimal": 512, "low": 1024, "medium": 8192, "high": 24576, "xhigh": 24576, "max": 24576}
"""https://ai.google.dev/gemini-api/docs/openai#thinking: what Google's own translation gives Gemini 2.5."""


def _written_reasoning(request: Request) -> Json:
    """Gemini 3 takes a level, those before it a budget."""
    reasoning, effort = request.reasoning, effort_of(request.reasoning)
    shown = {"includeThoughts": reasoning.show} if reasoning.show is not None else {}
    if "gemini-2" in request.model:
        budget = 0 if effort == "none" else reasoning.budget or _BUDGETS.get(effort)
        return {**({"thinkingBudget": budget} if budget is not None else {}), **shown}
    level = "MINIMAL" if effort == "none" else _LEVELS.get(effort, "HIGH" if effort else "")
    return {**({"thinkingLevel": level} if level else {}), **shown}
