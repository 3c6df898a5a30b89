"""Gemini generateContent. https://ai.google.dev/api/generate-content"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import orjson

from simulator.exchange import Answer, Ask, sse, stream, whole
from simulator.openai_other import vector
from simulator.reply import OVERHEAD, Prompt, Reply, Tool, Usage, count, tokens
from simulator.shapes import Shape

JSON_ARRAY = "application/json; charset=UTF-8"

SIGNED: dict[str, Shape] = {"thought?": bool, "thoughtSignature?": str}
PART: Shape = (
    {"functionCall": {"name": str, "args?": dict, "id?": str}, **SIGNED},
    {"functionResponse": {"name": str, "response": dict, "id?": str, "parts?": [dict]}, **SIGNED},
    {"inlineData": {"mimeType": str, "data": str, "displayName?": str}, **SIGNED},
    {"fileData": {"fileUri": str, "mimeType?": str}, **SIGNED},
    {"text": str, **SIGNED},
)
CONTENT: dict[str, Shape] = {"parts": [PART], "role?": str}
DECLARATION: dict[str, Shape] = {
    "name": str,
    "description?": str,
    "parameters?": dict,
    "parametersJsonSchema?": dict,
    "response?": dict,
    "behavior?": str,
}
REQUEST: dict[str, Shape] = {
    "contents": [CONTENT],
    "cachedContent?": str,
    "generationConfig?": {
        "candidateCount?": int,
        "frequencyPenalty?": int | float,
        "maxOutputTokens?": int,
        "presencePenalty?": int | float,
        "logprobs?": int,
        "responseJsonSchema?": object,
        "responseLogprobs?": bool,
        "responseMimeType?": str,
        "responseSchema?": dict,
        "seed?": int,
        "stopSequences?": [str],
        "temperature?": int | float,
        "thinkingConfig?": {"includeThoughts?": bool, "thinkingBudget?": int, "thinkingLevel?": str},
        "topK?": int | float,
        "topP?": int | float,
    },
    "labels?": dict,
    "safetySettings?": list,
    "serviceTier?": str,
    "systemInstruction?": CONTENT,
    "toolConfig?": {"functionCallingConfig?": {"mode?": str, "allowedFunctionNames?": [str]}},
    "tools?": [{"functionDeclarations?": [DECLARATION], "googleSearch?": dict, "codeExecution?": dict}],
}
COUNTED: Shape = ({"generateContentRequest": {"model": str, **REQUEST}}, {"contents": [CONTENT]})
EMBEDDED: dict[str, Shape] = {
    "content": CONTENT,
    "model?": str,
    "outputDimensionality?": int,
    "taskType?": str,
    "title?": str,
}


FREE = frozenset({"args", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"})
"""Fields whose content is the client's own."""


def camel(value: Any) -> Any:
    """With the names of fields in camelCase: protobuf's JSON takes both spellings, and the SDK mixes them."""
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    named = {re.sub("_([a-z])", lambda m: m[1].upper(), key): item for key, item in value.items()}
    return {key: item if key in FREE else camel(item) for key, item in named.items()}


def generate(ask: Ask) -> Answer:
    reply = ask.reply(_prompt(ask.json(REQUEST, camel), ask.params["model"]))
    return whole(_chunk(reply, _parts(reply), reply.usage, last=True), reply.usage, content_type=JSON_ARRAY)


def stream_generate(ask: Ask) -> Answer:
    """Server-sent events where `alt=sse` asks for them; else one JSON array, an element at a time."""
    reply = ask.reply(_prompt(ask.json(REQUEST, camel), ask.params["model"]))
    if ask.query.get("alt") == "sse":
        return stream((sse(chunk, eol="\r\n") for chunk in _chunks(reply)), reply.usage, "text/event-stream")
    return stream(_array(_chunks(reply)), reply.usage, JSON_ARRAY)


def _array(chunks: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    start = b"["
    for chunk in chunks:
        yield start + orjson.dumps(chunk, option=orjson.OPT_INDENT_2)
        start = b",\r\n"
    yield b"]\n"


def count_tokens(ask: Ask) -> Answer:
    request = ask.json(COUNTED, camel)
    used = count(_prompt(request.get("generateContentRequest", request), ask.params["model"]))
    details = [{"modality": "TEXT", "tokenCount": used.all_input}]
    return whole({"totalTokens": used.all_input, "promptTokensDetails": details})


def embed(ask: Ask) -> Answer:
    return whole({"embedding": _embedding(ask.json(EMBEDDED, camel))})


def embed_batch(ask: Ask) -> Answer:
    requests = ask.json({"requests": [EMBEDDED]}, camel)["requests"]
    return whole({"embeddings": [_embedding(request) for request in requests]})


def _embedding(request: Any) -> dict[str, Any]:
    texts = [part["text"] for part in request["content"]["parts"] if "text" in part]
    values = vector("".join(texts), request.get("outputDimensionality") or 16)
    return {"values": values, "statistics": {"tokenCount": OVERHEAD + tokens(texts)}}


def models(ask: Ask) -> Answer:
    methods = ["generateContent", "countTokens"]
    return whole({"models": [{"name": "models/gemini-3-flash", "supportedGenerationMethods": methods}]})


def _prompt(request: Any, model: str) -> Prompt:
    contents = [content for content in (request.get("systemInstruction"), *request["contents"]) if content]
    declared = [one for tool in request.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    calling = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    config = request.get("generationConfig") or {}
    return Prompt(
        model=model,
        texts=[text for content in contents for text in _texts(content)],
        tools=[
            Tool(one["name"], one.get("parameters") or one.get("parametersJsonSchema")) for one in declared
        ],
        must_call=calling.get("mode") == "ANY",
        think=bool((config.get("thinkingConfig") or {}).get("includeThoughts")),
    )


def _texts(content: Any) -> Iterator[str]:
    for part in content["parts"]:
        if "text" in part:
            yield part["text"]
        elif "functionResponse" in part:
            yield from (str(value) for value in part["functionResponse"]["response"].values())


def _usage(used: Usage) -> dict[str, Any]:
    """The prompt's tokens contain the cached ones; those of the candidates leave out the thoughts."""
    counts = {
        "promptTokenCount": used.all_input,
        "cachedContentTokenCount": used.cache_read,
        "candidatesTokenCount": used.output,
        "thoughtsTokenCount": used.reasoning,
        "totalTokenCount": used.total,
    }
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": used.all_input}]}
    return {**{name: number for name, number in counts.items() if number}, **details}


def _chunk(reply: Reply, parts: list[Any], used: Usage, last: bool) -> dict[str, Any]:
    finish = {"finishReason": "STOP"} if last else {}
    candidate = {"content": {"parts": parts, "role": "model"}, **finish, "index": 0}
    head = {"modelVersion": reply.model, "responseId": reply.id}
    return {"candidates": [candidate], "usageMetadata": _usage(used), **head}


def _parts(reply: Reply) -> list[dict[str, Any]]:
    thought = [{"text": reply.thought, "thought": True}] if reply.thoughts else []
    return [*thought, {"text": reply.text}, *_calls(reply)]


def _calls(reply: Reply) -> list[dict[str, Any]]:
    """Only the first call of an answer is signed: https://ai.google.dev/gemini-api/docs/thought-signatures"""
    signature = {"thoughtSignature": base64.b64encode(reply.id.encode()).decode()}
    return [
        {
            "functionCall": {"name": call.name, "args": call.arguments, "id": call.id},
            **({} if number else signature),
        }
        for number, call in enumerate(reply.calls)
    ]


def _chunks(reply: Reply) -> Iterator[dict[str, Any]]:
    """Each chunk has the whole usage as it stands by then; the last one ends the candidate."""
    steps: list[list[Any]] = [
        *([{"text": piece, "thought": True}] for piece in reply.thoughts),
        *([{"text": piece}] for piece in reply.pieces),
        *([call] for call in _calls(reply)),
    ]
    asked = Usage(reply.usage.input, reply.usage.cache_read)
    for parts in steps:
        yield _chunk(reply, parts, asked, last=False)
    yield _chunk(reply, [{"text": ""}], reply.usage, last=True)
