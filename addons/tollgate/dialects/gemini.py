"""Google's Gemini API, also on Vertex AI, and as the Gemini CLI wraps it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tollgate.dialects.base import Dialect
from tollgate.dialects.counts import Counts, Found, tally
from tollgate.dialects.ends import matching
from tollgate.dialects.errors import Errors
from tollgate.dialects.paths import find, number_at, objects_at
from tollgate.dialects.shapes import SCHEMA, Node, blob, skip, text, with_snake_case

_PART: Node = {
    **skip("thoughtSignature", "videoMetadata", "mediaResolution", "thought"),
    **text("text"),
    "inlineData": {**skip("mimeType"), **blob("data"), **text("displayName")},
    "fileData": {**skip("mimeType"), **blob("fileUri"), **text("displayName")},
    "functionCall": {**skip("id", "name"), **text("args")},
    "executableCode": {**skip("id", "language"), **text("code")},
    "codeExecutionResult": {**skip("id", "outcome"), **text("output")},
    "toolCall": {**skip("id", "toolType"), **text("args")},
    "toolResponse": {**skip("id", "toolType"), **text("response")},
}
_PART["functionResponse"] = {**skip("id", "name", "scheduling"), **text("response"), "parts": _PART}

_CONTENT: Node = {**skip("role"), "parts": _PART}

_FUNCTION: Node = {
    **skip("name", "behavior"),
    **text("description"),
    **dict.fromkeys(("parameters", "parametersJsonSchema", "response", "responseJsonSchema"), SCHEMA),
}

_CONFIG: Node = {
    **skip("responseMimeType", "responseModalities", "responseLogprobs", "logprobs", "thinkingConfig"),
    **skip("mediaResolution", "imageConfig", "candidateCount", "maxOutputTokens", "seed"),
    **skip("temperature", "topK", "topP", "presencePenalty", "frequencyPenalty"),
    **text("stopSequences"),
    **dict.fromkeys(("responseSchema", "responseJsonSchema"), SCHEMA),
    "speechConfig": {
        **skip("languageCode", "voiceConfig"),
        "multiSpeakerVoiceConfig": {"speakerVoiceConfigs": {**skip("voiceConfig"), **text("speaker")}},
    },
}

_REQUEST: Node = {
    **skip("model", "toolConfig", "safetySettings", "cachedContent", "serviceTier", "taskType"),
    **text("labels", "title"),
    "contents": _CONTENT,
    "content": _CONTENT,
    "systemInstruction": _CONTENT,
    "generationConfig": _CONFIG,
    "tools": {
        "functionDeclarations": _FUNCTION,
        "fileSearch": skip("fileSearchStoreNames"),
        "computerUse": skip("environment"),
    },
}
_REQUEST["requests"] = _REQUEST["generateContentRequest"] = _REQUEST  # batchEmbedContents, countTokens

SHAPE = with_snake_case(_REQUEST)

_MODALITIES = {"audio": ("AUDIO", "audio", 4), "image": ("IMAGE", "image", 2)}
"""As REST says them, as Interactions does, and by number as Vertex AI's REST does at times."""


def _beside(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """Tool prompts, which the input leaves out, audio, images, and searches."""
    if not found:
        return {}  # in a stream, Vertex AI sends usage objects without any count
    more: Found = {"input": found.get("input", 0) + (number_at(said, _TOOL_PROMPTS) or 0)}
    for name in _MODALITIES:
        more[f"input_{name}"] = max(0, _spent(said, _INPUTS, name) - _spent(said, _CACHED, name))
        more[f"output_{name}"] = _spent(said, _OUTPUTS, name)
    if requests := _requests(answer, said):
        more["requests"] = requests
    return more


_TOOL_PROMPTS = ("toolUsePromptTokenCount", "total_tool_use_tokens")
_INPUTS = ("promptTokensDetails", "input_tokens_by_modality")
_CACHED = ("cacheTokensDetails", "cached_tokens_by_modality")
_OUTPUTS = ("candidatesTokensDetails", "output_tokens_by_modality")
"""As generateContent and as Interactions name them."""


def _spent(said: dict[str, Any], paths: tuple[str, ...], modality: str) -> float:
    rows = [
        row
        for path in paths
        for row in objects_at(said, path)
        if row.get("modality") in _MODALITIES[modality]
    ]
    return sum(number_at(row, ("tokenCount", "tokens")) or 0 for row in rows)


def _requests(answer: dict[str, Any], said: dict[str, Any]) -> dict[str, int]:
    """Grounding: the web searches that were made, or Interactions' own count by tool."""
    queries = (find(row, "groundingMetadata.webSearchQueries") for row in objects_at(answer, "candidates"))
    told = {"web_search": sum(len(found) for found in queries if isinstance(found, list))}
    told |= {str(row.get("type")): row.get("count", 0) for row in objects_at(said, "grounding_tool_count")}
    return tally(told)


COUNTS = Counts(
    within=("response", ""),
    at=("usageMetadata",),
    fields={
        "input": ("promptTokenCount",),
        "cache_read": ("cachedContentTokenCount",),
        "output": ("candidatesTokenCount",),
        "reasoning": ("thoughtsTokenCount",),
    },
    parts=(
        ("cache_read", "input"),
        ("input_audio", "input"),
        ("input_image", "input"),
        ("output_audio", "output"),
        ("output_image", "output"),
    ),
    words={"tier": ("usageMetadata.serviceTier", "usageMetadata.trafficType")},
    beside=_beside,
)
"""https://ai.google.dev/api/generate-content#UsageMetadata: cumulative in every chunk. The prompt's count
contains what was cached; the candidates' leaves thoughts out."""

_ERROR = {
    "error": {
        "code": "$status",
        "message": "$message",
        "status": "$type",
        "details": [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "$CODE"}],
    }
}

ERRORS = Errors(
    types={
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        502: "UNAVAILABLE",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    },
    whole=_ERROR,
    stream=(("", _ERROR),),
    words=("status", "code"),
)
"""https://google.aip.dev/193"""

GEMINI = Dialect(
    name="gemini",
    shape=SHAPE,
    usage_marks=(b'"usageMetadata"',),
    model_marks=(b'"modelVersion"',),
    answered=("modelVersion",),
    stream_verbs=frozenset({"streamGenerateContent"}),
    stream_flag=False,
    framing_without_sse="json-array",
    counts=COUNTS,
    errors=ERRORS,
    ends=matching(rb'"(?:finish|block)Reason":\s*["\d]'),
)
"""https://ai.google.dev/api/generate-content"""

CLOUDCODE = replace(
    GEMINI,
    name="gemini-cloudcode",
    shape={**skip("model", "project", "user_prompt_id"), "request": {**SHAPE, **skip("session_id")}},
    answered=("response.modelVersion",),
)
"""The Gemini CLI with a Google login: https://github.com/google-gemini/gemini-cli"""
