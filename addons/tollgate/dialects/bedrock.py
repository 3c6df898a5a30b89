"""Amazon Bedrock's runtime: Converse, one form for all models, and InvokeModel, each model's own."""

from __future__ import annotations

import re
from base64 import b64decode
from typing import Any

import orjson

from tollgate.calls import Event
from tollgate.dialects import anthropic
from tollgate.dialects.base import Dialect
from tollgate.dialects.counts import Counts, Found
from tollgate.dialects.ends import named
from tollgate.dialects.errors import Errors
from tollgate.dialects.paths import number_at, objects_at
from tollgate.dialects.shapes import SCHEMA, Node, blob, skip, text

_BLOCK: Node = {**skip("cachePoint", "toolAddition", "toolRemoval"), **text("text", "json")}
_SOURCE: Node = {**text("text"), **blob("bytes", "s3Location"), "content": _BLOCK}
_MEDIA: Node = {**skip("format"), "source": _SOURCE}
_BLOCK |= {
    **dict.fromkeys(("image", "video", "audio"), _MEDIA),
    "document": {**_MEDIA, **text("name", "context")},
    "toolUse": {**skip("toolUseId", "name", "type"), **text("input")},
    "toolResult": {**skip("toolUseId", "status", "type"), "content": _BLOCK},
    "guardContent": {"text": {**skip("qualifiers"), **text("text")}, "image": _MEDIA},
    "reasoningContent": {
        **skip("redactedContent"),
        "reasoningText": {**skip("signature"), **text("text")},
    },
    "citationsContent": {
        "content": _BLOCK,
        "citations": {**text("title", "source"), "sourceContent": _BLOCK},
    },
    "searchResult": {**text("source", "title"), "content": _BLOCK},
}

_TOOL: Node = {
    **skip("systemTool", "cachePoint"),
    "toolSpec": {**skip("name", "strict"), **text("description"), "inputSchema": {"json": SCHEMA}},
}

_JSON_SCHEMA: Node = {**skip("name"), **text("description"), "schema": "json"}

_CONVERSE: Node = {
    **skip("guardrailConfig", "performanceConfig", "serviceTier", "additionalModelResponseFieldPaths"),
    "messages": {**skip("role"), "content": _BLOCK},
    "system": _BLOCK,
    "inferenceConfig": {**skip("maxTokens", "temperature", "topP", "topK"), **text("stopSequences")},
    "toolConfig": {**skip("toolChoice"), "tools": _TOOL},
    "additionalModelRequestFields": {
        **skip("thinking", "anthropic_beta", "tool_choice"),
        "tools": anthropic.TOOL,
    },
    "outputConfig": {
        **skip("effort"),
        "textFormat": {**skip("type"), "structure": {"jsonSchema": _JSON_SCHEMA}},
    },
}

_ERROR = {"message": "$message"}

ERRORS = Errors(
    types={
        400: "ValidationException",
        401: "AccessDeniedException",
        403: "AccessDeniedException",
        404: "ResourceNotFoundException",
        408: "ModelTimeoutException",
        424: "ModelErrorException",
        429: "ThrottlingException",
        500: "InternalServerException",
        502: "ServiceUnavailableException",
        503: "ServiceUnavailableException",
        504: "ServiceUnavailableException",
    },
    whole=_ERROR,
    stream=(("internalServerException", _ERROR),),
    type_header="x-amzn-errortype",
    names=frozenset(
        {
            "internalServerException",
            "modelStreamErrorException",
            "modelTimeoutException",
            "serviceUnavailableException",
            "throttlingException",
            "validationException",
        }
    ),
    at=(),
)
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html#API_runtime_ConverseStream_Errors

In a stream an error is a message of its own, called an exception."""


def _long_writes(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """What was written to the cache for an hour, of the whole that `cacheWriteInputTokens` is."""
    rows = [row for row in objects_at(said, "cacheDetails") if row.get("ttl") == "1h"]
    return {"cache_write_long": sum(number_at(row, ("inputTokens",)) or 0 for row in rows)} if rows else {}


CONVERSE = Dialect(
    name="bedrock-converse",
    shape=_CONVERSE,
    framing="eventstream",
    usage_marks=(b'"inputTokens"',),
    model_marks=(b'"invokedModelId"',),
    answered=("trace.promptRouter.invokedModelId",),
    stream_verbs=frozenset({"converse-stream"}),
    stream_flag=False,
    counts=Counts(
        fields={
            "input": ("inputTokens",),
            "output": ("outputTokens",),
            "cache_read": ("cacheReadInputTokens",),
            "cache_write": ("cacheWriteInputTokens",),
        },
        parts=(("cache_write_long", "cache_write"),),
        words={"tier": ("serviceTier.type",)},
        beside=_long_writes,
    ),
    errors=ERRORS,
    ends=named("messageStop", "metadata"),
)
"""https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html: `inputTokens` leaves out
what the cache read or wrote."""

_BYTES = re.compile(rb'"bytes":\s*"([^"]*)"').search
_LAST = re.compile(rb'"amazon-bedrock-invocationMetrics"|"totalOutputTextTokenCount":\s*\d').search


def _chunk(event: Event) -> bytes:
    """The model's own event within a `chunk` event; empty for any other."""
    found = _BYTES(event.data) if event.data is not None else None
    try:
        return b64decode(found[1]) if found else b""
    except ValueError:
        return b""


def _read_chunk(event: Event) -> Any:
    """The chunk as JSON; None where it cannot say a count or a model, as most do not."""
    chunk = _chunk(event)
    if b"oken" not in chunk and b'"model"' not in chunk:
        return None
    try:
        return orjson.loads(chunk)
    except ValueError:
        return None


def _is_last_chunk(event: Event) -> bool:
    """Bedrock adds its metrics to the last chunk, but not where a guardrail has blocked the request."""
    return _LAST(_chunk(event)) is not None


def _titan_output(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """Titan counts the output of each of its results."""
    results = objects_at(answer, "results")
    return {"output": sum(number_at(row, ("tokenCount",)) or 0 for row in results)} if results else {}


_EITHER: Node = {**anthropic.BLOCK, **_BLOCK}

INVOKE = Dialect(
    name="bedrock-invoke",
    shape={
        **anthropic.SHAPE,
        **_CONVERSE,  # Nova's requests are Converse's
        **skip("schemaVersion"),
        **text("prompt", "inputText"),
        "system": _EITHER,
        "messages": {**skip("role"), "content": _EITHER},
        "input": {"converse": _CONVERSE, "invokeModel": blob("body")},  # CountTokens
    },
    framing="eventstream",
    usage_marks=(b'"bytes"', b'"usage"', b'TokenCount"', b'_token_count"'),
    model_marks=(b'"bytes"', b'"model"'),
    answered=("message.model", "model"),
    stream_verbs=frozenset({"invoke-with-response-stream"}),
    stream_flag=False,
    counts=Counts(
        within=("message", "metadata", ""),
        at=("",),
        fields={
            "input": (
                "usage.input_tokens",
                "usage.inputTokens",
                "usage.prompt_tokens",
                "prompt_token_count",
                "inputTextTokenCount",
                "amazon-bedrock-invocationMetrics.inputTokenCount",
            ),
            "output": (
                "usage.output_tokens",
                "usage.outputTokens",
                "usage.completion_tokens",
                "generation_token_count",
                "totalOutputTextTokenCount",
                "amazon-bedrock-invocationMetrics.outputTokenCount",
            ),
            "cache_read": (
                "usage.cache_read_input_tokens",
                "usage.cacheReadInputTokenCount",
                "amazon-bedrock-invocationMetrics.cacheReadInputTokenCount",
            ),
            "cache_write": (
                "usage.cache_creation_input_tokens",
                "usage.cacheWriteInputTokenCount",
                "amazon-bedrock-invocationMetrics.cacheWriteInputTokenCount",
            ),
            "cache_write_long": ("usage.cache_creation.ephemeral_1h_input_tokens",),
            "reasoning": ("usage.output_tokens_details.thinking_tokens",),
        },
        parts=anthropic.PARTS,
        words=anthropic.WORDS,
        beside=_titan_output,
        updates=True,
    ),
    errors=ERRORS,
    ends=_is_last_chunk,
    read=_read_chunk,
    header_usage={
        "x-amzn-bedrock-input-token-count": "input",
        "x-amzn-bedrock-output-token-count": "output",
        "x-amzn-bedrock-cache-read-input-token-count": "cache_read",
        "x-amzn-bedrock-cache-write-input-token-count": "cache_write",
    },
)
"""https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html: counts as Claude, Nova,
OpenAI's models, Llama and Titan say them; the last chunk of a stream has Bedrock's own besides."""
