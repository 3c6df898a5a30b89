"""Amazon Bedrock: Converse and InvokeModel. https://docs.aws.amazon.com/bedrock/latest/APIReference"""

from __future__ import annotations

import base64
import string
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import orjson

from simulator import anthropic, eventstream
from simulator.exchange import Answer, Ask, Mistake, stream, whole
from simulator.reply import Prompt, Reply, Tool, Usage, count
from simulator.shapes import Shape

VERSIONS = ("bedrock-2023-05-31", anthropic.VERSIONS[-1])

BLOCK: Shape = (
    {"toolUse": {"toolUseId": str, "name": str, "input": dict}},
    {"toolResult": {"toolUseId": str, "content": list, "status?": str}},
    {"image": dict},
    {"document": dict},
    {"audio": dict},
    {"video": dict},
    {"reasoningContent": dict},
    {"cachePoint": {"type": str, "ttl?": str}},
    {"text": str},
)
TOOL: Shape = (
    {"cachePoint": {"type": str, "ttl?": str}},
    {"toolSpec": {"name": str, "inputSchema": {"json": dict}, "description?": str, "strict?": bool}},
)
CONVERSED: dict[str, Shape] = {
    "messages": [{"role": str, "content": [BLOCK]}],
    "additionalModelRequestFields?": dict,
    "system?": [BLOCK],
    "toolConfig?": {"tools": [TOOL], "toolChoice?": dict},
}
CONVERSE: dict[str, Shape] = {
    **CONVERSED,
    "additionalModelResponseFieldPaths?": [str],
    "guardrailConfig?": dict,
    "inferenceConfig?": {
        "maxTokens?": int,
        "stopSequences?": [str],
        "temperature?": int | float,
        "topP?": int | float,
    },
    "outputConfig?": dict,
    "performanceConfig?": dict,
    "promptVariables?": dict,
    "requestMetadata?": dict,
    "serviceTier?": dict,
}
INVOKE: dict[str, Shape] = {
    **{key: shape for key, shape in anthropic.COUNTED.items() if key != "model"},
    **anthropic.OPTIONS,
    "anthropic_version": str,
    "anthropic_beta?": [str],
}


def converse(ask: Ask) -> Answer:
    reply = ask.reply(_prompt(ask.json(CONVERSE), ask.params["model"]))
    message = {"role": "assistant", "content": _blocks(reply)}
    answer = {"metrics": {"latencyMs": 12}, "output": {"message": message}, "stopReason": _stop(reply)}
    return whole({**answer, "usage": _usage(reply.usage)}, _told(reply.usage))


def converse_stream(ask: Ask) -> Answer:
    reply = ask.reply(_prompt(ask.json(CONVERSE), ask.params["model"]))
    pieces = (_event(name, payload, number) for number, (name, payload) in enumerate(_events(reply)))
    return stream(pieces, _told(reply.usage), eventstream.CONTENT_TYPE)


def count_tokens(ask: Ask) -> Answer:
    request = ask.json({"input": {"converse": CONVERSED}})["input"]["converse"]
    return whole({"inputTokens": count(_prompt(request, ask.params["model"])).all_input})


def invoke(ask: Ask) -> Answer:
    """Claude's own dialect; the model stands in the path, and the counts in headers as well."""
    reply = _invoked(ask)
    counts = {
        "x-amzn-bedrock-input-token-count": str(reply.usage.input),
        "x-amzn-bedrock-output-token-count": str(reply.usage.all_output),
    }
    return whole(anthropic.message(reply), reply.usage, headers=counts)


def invoke_stream(ask: Ask) -> Answer:
    reply = _invoked(ask)
    chunks = (_event("chunk", _wrapped(event, reply), n) for n, event in enumerate(anthropic.events(reply)))
    return stream(chunks, reply.usage, eventstream.CONTENT_TYPE)


def _invoked(ask: Ask) -> Reply:
    request = ask.json(INVOKE)
    if request["anthropic_version"] not in VERSIONS:
        raise Mistake(400, f"anthropic_version: must be one of {', '.join(VERSIONS)}")
    return ask.reply(anthropic.prompt(request, ask.params["model"]))


def _wrapped(event: dict[str, Any], reply: Reply) -> dict[str, Any]:
    if event["type"] == "message_stop":
        counts = {"inputTokenCount": reply.usage.input, "outputTokenCount": reply.usage.all_output}
        event = {**event, "amazon-bedrock-invocationMetrics": counts}
    return {"bytes": base64.b64encode(orjson.dumps(event)).decode()}


def _event(name: str, payload: dict[str, Any], number: int) -> bytes:
    padding = (string.ascii_letters * 2)[: number * 7 % 60]
    return eventstream.event(name, orjson.dumps({**payload, "p": padding}))


def _prompt(request: Any, model: str) -> Prompt:
    contents = [request.get("system") or [], *(message["content"] for message in request["messages"])]
    config = request.get("toolConfig") or {}
    specs = [tool["toolSpec"] for tool in config.get("tools") or [] if "toolSpec" in tool]
    return Prompt(
        model=model,
        texts=[text for blocks in contents for block in blocks for text in _texts(block)],
        tools=[Tool(spec["name"], spec["inputSchema"]["json"]) for spec in specs],
        must_call=bool({"any", "tool"} & set(config.get("toolChoice") or {})),
        think="thinking" in (request.get("additionalModelRequestFields") or {}),
        cache=any("cachePoint" in block for blocks in contents for block in blocks),
    )


def _texts(block: dict[str, Any]) -> Iterator[str]:
    if "text" in block:
        yield block["text"]
    for inner in block.get("toolResult", {}).get("content", []):
        yield from _texts(inner)


def _usage(used: Usage) -> dict[str, int]:
    """What was read from or written to the cache is no part of `inputTokens`, but of the total."""
    return {
        "inputTokens": used.input,
        "outputTokens": used.all_output,
        "totalTokens": used.total,
        "cacheReadInputTokens": used.cache_read,
        "cacheWriteInputTokens": used.cache_write,
    }


def _told(used: Usage) -> Usage:
    """Reasoning is not told apart from the rest of the output."""
    return replace(used, output=used.all_output, reasoning=0)


def _stop(reply: Reply) -> str:
    return "tool_use" if reply.calls else "end_turn"


def _signature(reply: Reply) -> str:
    return f"EqQB{reply.id}=="


def _blocks(reply: Reply) -> list[dict[str, Any]]:
    thought = {"reasoningText": {"text": reply.thought, "signature": _signature(reply)}}
    return [
        *([{"reasoningContent": thought}] if reply.thoughts else []),
        {"text": reply.text},
        *({"toolUse": {"toolUseId": c.id, "name": c.name, "input": c.arguments}} for c in reply.calls),
    ]


def _events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    """Only a block of tool use is announced by a start."""
    yield "messageStart", {"role": "assistant"}
    for index, (start, deltas) in enumerate(_streams(reply)):
        if start:
            yield "contentBlockStart", {"contentBlockIndex": index, "start": start}
        for delta in deltas:
            yield "contentBlockDelta", {"contentBlockIndex": index, "delta": delta}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": _stop(reply)}
    yield "metadata", {"metrics": {"latencyMs": 12}, "usage": _usage(reply.usage)}


def _streams(reply: Reply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    if reply.thoughts:
        thoughts = [{"text": piece} for piece in reply.thoughts] + [{"signature": _signature(reply)}]
        yield {}, [{"reasoningContent": thought} for thought in thoughts]
    yield {}, [{"text": piece} for piece in reply.pieces]
    for call in reply.calls:
        start = {"toolUse": {"toolUseId": call.id, "name": call.name}}
        yield start, [{"toolUse": {"input": fragment}} for fragment in call.fragments()]
