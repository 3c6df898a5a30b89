"""Anthropic Messages. https://platform.claude.com/docs/en/api/messages"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from simulator.exchange import Answer, Ask, Mistake, sse, stream, whole
from simulator.reply import Prompt, Reply, Tool, Usage, count
from simulator.shapes import Choice, Shape

type Event = dict[str, Any]

VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")
"""The newest refuses sampling parameters: https://platform.claude.com/docs/en/api/migration-2026-10-21"""
SAMPLING = ("temperature", "top_p", "top_k")

TEXT: dict[str, Shape] = {"text": str, "cache_control?": dict, "citations?": list}
SOURCE: dict[str, Shape] = {
    "source": dict,
    "cache_control?": dict,
    "title?": str,
    "context?": str,
    "citations?": dict,
}
TEXTS: Shape = (str, [Choice("type", {"text": TEXT})])
BLOCKS: Shape = (
    str,
    [
        Choice(
            "type",
            {
                "text": TEXT,
                "image": SOURCE,
                "document": SOURCE,
                "thinking": {"thinking": str, "signature": str},
                "redacted_thinking": {"data": str},
                "tool_use": {"id": str, "name": str, "input": dict, "cache_control?": dict},
                "tool_result": {
                    "tool_use_id": str,
                    "content?": (str, list),
                    "is_error?": bool,
                    "cache_control?": dict,
                },
            },
        )
    ],
)
TURN: dict[str, Shape] = {"content": BLOCKS}
MESSAGE: Shape = Choice("role", {"user": TURN, "assistant": TURN, "system": TURN})
TOOL: dict[str, Shape] = {
    "name": str,
    "input_schema": dict,
    "description?": str,
    "type?": str,
    "cache_control?": dict,
    "strict?": bool,
    "defer_loading?": bool,
    "eager_input_streaming?": bool,
}
COUNTED: dict[str, Shape] = {
    "model": str,
    "messages": [MESSAGE],
    "cache_control?": dict,
    "context_management?": dict,
    "output_config?": dict,
    "speed?": str,
    "system?": TEXTS,
    "thinking?": dict,
    "tool_choice?": dict,
    "tools?": [TOOL],
}
OPTIONS: dict[str, Shape] = {
    "max_tokens": int,
    "container?": (str, dict),
    "diagnostics?": dict,
    "inference_geo?": str,
    "metadata?": {"user_id?": str},
    "service_tier?": str,
    "stop_sequences?": [str],
    "temperature?": int | float,
    "top_k?": int,
    "top_p?": int | float,
}
REQUEST: dict[str, Shape] = {**COUNTED, **OPTIONS, "stream?": bool}


def messages(ask: Ask) -> Answer:
    request = ask.json(REQUEST)
    if ask.headers["anthropic-version"] == VERSIONS[-1]:
        _refuse_sampling(request)
    reply = ask.reply(prompt(request, request["model"]))
    if not request.get("stream"):
        return whole(message(reply), reply.usage)
    return stream((sse(event, event["type"]) for event in events(reply)), reply.usage)


def _refuse_sampling(request: Any) -> None:
    for name in SAMPLING:
        if name in request:
            raise Mistake(400, f"{name}: not supported in this version of the API", name)


def count_tokens(ask: Ask) -> Answer:
    request = ask.json(COUNTED)
    return whole({"input_tokens": count(prompt(request, request["model"])).all_input})


def prompt(request: Any, model: str) -> Prompt:
    contents = [request.get("system"), *(message["content"] for message in request["messages"])]
    thinking = (request.get("thinking") or {}).get("type", "disabled")
    return Prompt(
        model=model,
        texts=[text for content in contents for text in _texts(content)],
        tools=[Tool(tool["name"], tool["input_schema"]) for tool in request.get("tools") or []],
        must_call=(request.get("tool_choice") or {}).get("type") in ("any", "tool"),
        think=thinking != "disabled",
        cache=b'"cache_control"' in orjson.dumps(request),
    )


def _texts(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for block in content if isinstance(content, list) else ():
        yield from _texts(block.get("text") or block.get("content"))


def _usage(used: Usage) -> dict[str, Any]:
    """What was read from or written to the cache is no part of `input_tokens`."""
    return {
        "input_tokens": used.input,
        "cache_creation_input_tokens": used.cache_write,
        "cache_read_input_tokens": used.cache_read,
        "cache_creation": {"ephemeral_5m_input_tokens": used.cache_write, "ephemeral_1h_input_tokens": 0},
        "output_tokens": used.all_output,
        "output_tokens_details": {"thinking_tokens": used.reasoning},
        "service_tier": "standard",
    }


def _stop(reply: Reply) -> str:
    return "tool_use" if reply.calls else "end_turn"


def _head(reply: Reply) -> dict[str, Any]:
    return {"model": reply.model, "id": f"msg_{reply.id}", "type": "message", "role": "assistant"}


def message(reply: Reply) -> dict[str, Any]:
    blocks = [opened | _filled(deltas) for opened, deltas in _blocks(reply)]
    end = {"stop_reason": _stop(reply), "stop_sequence": None, "stop_details": None}
    return {**_head(reply), "content": blocks, **end, "usage": _usage(reply.usage)}


def _blocks(reply: Reply) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Each content block as it is opened, and the deltas that fill it."""
    if reply.thoughts:
        deltas = [{"type": "thinking_delta", "thinking": piece} for piece in reply.thoughts]
        signature = {"type": "signature_delta", "signature": f"EqQB{reply.id}=="}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*deltas, signature]
    yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in reply.pieces]
    for call in reply.calls:
        opened = {"type": "tool_use", "id": f"toolu_{call.id}", "name": call.name, "input": {}}
        yield opened, [{"type": "input_json_delta", "partial_json": piece} for piece in call.fragments()]


def _filled(deltas: list[dict[str, Any]]) -> dict[str, Any]:
    """What a block holds once all its deltas came."""
    held: dict[str, Any] = {}
    for delta in deltas:
        for key, piece in delta.items():
            if key != "type":
                held[key] = held.get(key, "") + piece
    return {"input": orjson.loads(held["partial_json"])} if "partial_json" in held else held


def events(reply: Reply) -> Iterator[Event]:
    used = _usage(reply.usage)
    opening = {
        **_head(reply),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "stop_details": None,
    }
    yield {"type": "message_start", "message": {**opening, "usage": {**used, "output_tokens": 1}}}
    for index, (opened, deltas) in enumerate(_blocks(reply)):
        yield {"type": "content_block_start", "index": index, "content_block": opened}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    end = {"stop_reason": _stop(reply), "stop_sequence": None, "stop_details": None}
    cumulative = {key: value for key, value in used.items() if key not in ("cache_creation", "service_tier")}
    yield {"type": "message_delta", "delta": end, "usage": cumulative}
    yield {"type": "message_stop"}


def models(ask: Ask) -> Answer:
    names = ("claude-sonnet-5-5", "claude-haiku-5")
    data = [
        {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}
        for name in names
    ]
    return whole({"data": data, "has_more": False, "first_id": names[0], "last_id": names[-1]})
