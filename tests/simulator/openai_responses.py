"""OpenAI Responses. https://platform.openai.com/docs/api-reference/responses"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count as numbers
from typing import Any

from simulator.exchange import Answer, Ask, sse, stream, whole
from simulator.openai_chat import CREATED
from simulator.reply import Prompt, Reply, Tool, ToolCall, Usage, count
from simulator.shapes import Choice, Shape

type Item = dict[str, Any]
type Named = tuple[str, dict[str, Any]]

CONTENT: Shape = (
    str,
    [
        Choice(
            "type",
            {
                "input_text": {"text": str, "prompt_cache_breakpoint?": object},
                "output_text": {"text": str, "annotations?": list, "logprobs?": list},
                "input_image": {"image_url?": str, "file_id?": str, "detail?": str},
                "input_file": {"file_id?": str, "file_data?": str, "filename?": str, "file_url?": str},
                "refusal": {"refusal": str},
            },
        )
    ],
)
CODEX: dict[str, Shape] = {"internal_chat_message_metadata_passthrough?": object}
"""What Codex adds to items of every kind."""
ITEM: Shape = Choice(
    "type",
    {
        "message": {
            "role": str,
            "content": CONTENT,
            "id?": str,
            "status?": str,
            "phase?": str,
            **CODEX,
        },
        "additional_tools": {"role": str, "tools": list, "id?": str, **CODEX},
        "function_call": {
            "call_id": str,
            "name": str,
            "arguments": str,
            "id?": str,
            "status?": str,
            **CODEX,
        },
        "function_call_output": {"call_id": str, "output": CONTENT, "id?": str, "status?": str, **CODEX},
        "reasoning": {
            "id?": str,
            "summary": list,
            "content?": list,
            "encrypted_content?": str,
            "status?": str,
            **CODEX,
        },
        "item_reference": {"id": str},
    },
    default="message",
)
TOOL: Shape = Choice(
    "type",
    {
        "function": {"name": str, "parameters?": dict, "strict?": bool, "description?": str},
        "web_search": {
            "filters?": dict,
            "search_context_size?": str,
            "user_location?": dict,
            "external_web_access?": bool,
        },
        "namespace": {"name": str, "description?": str, "tools?": list},
        "custom": {"name": str, "description?": str, "format?": dict},
    },
)
COUNTED: dict[str, Shape] = {
    "model": str,
    "input?": (str, [ITEM]),
    "conversation?": (str, dict),
    "instructions?": str,
    "parallel_tool_calls?": bool,
    "previous_response_id?": str,
    "reasoning?": dict,
    "text?": dict,
    "tool_choice?": (str, dict),
    "tools?": [TOOL],
    "truncation?": str,
}
REQUEST: dict[str, Shape] = {
    **COUNTED,
    "background?": bool,
    "client_metadata?": dict,
    "include?": [str],
    "max_output_tokens?": int,
    "max_tool_calls?": int,
    "metadata?": dict,
    "prompt?": dict,
    "prompt_cache_key?": str,
    "prompt_cache_options?": dict,
    "prompt_cache_retention?": str,
    "safety_identifier?": str,
    "service_tier?": str,
    "store?": bool,
    "stream?": bool,
    "stream_options?": {"include_obfuscation?": bool},
    "temperature?": int | float,
    "top_logprobs?": int,
    "top_p?": int | float,
    "user?": str,
}


def responses(ask: Ask) -> Answer:
    request = ask.json(REQUEST)
    reply = ask.reply(_prompt(request))
    if not request.get("stream"):
        return whole(_response(reply, request, "completed"), reply.usage)
    return stream(_stream(reply, request), reply.usage)


def input_tokens(ask: Ask) -> Answer:
    used = count(_prompt(ask.json(COUNTED)))
    return whole({"object": "response.input_tokens", "input_tokens": used.all_input})


def _prompt(request: Any) -> Prompt:
    given = request.get("input") or []
    items = [{"content": given}] if isinstance(given, str) else given
    functions = [tool for tool in request.get("tools") or [] if tool["type"] == "function"]
    return Prompt(
        model=request["model"],
        texts=[text for text in (request.get("instructions"), *_texts(items)) if text],
        tools=[Tool(function["name"], function.get("parameters")) for function in functions],
        must_call=request.get("tool_choice") not in (None, "auto", "none"),
        think=bool(request.get("reasoning")),
    )


def _texts(items: list[Item]) -> Iterator[str]:
    for item in items:
        content = item.get("content") or item.get("output") or ""
        if isinstance(content, str):
            yield content
        else:
            yield from (part["text"] for part in content if "text" in part)


def _usage(used: Usage) -> dict[str, Any]:
    return {
        "input_tokens": used.all_input,
        "input_tokens_details": {"cached_tokens": used.cache_read, "cache_write_tokens": 0},
        "output_tokens": used.all_output,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.total,
    }


def _response(reply: Reply, request: Any, status: str) -> dict[str, Any]:
    done = status == "completed"
    return {
        "id": f"resp_{reply.id}",
        "object": "response",
        "created_at": CREATED,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": request.get("instructions"),
        "max_output_tokens": request.get("max_output_tokens"),
        "model": reply.model,
        "output": _items(reply) if done else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "service_tier": "default" if done else "auto",
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": request.get("tool_choice") or "auto",
        "tools": request.get("tools") or [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": _usage(reply.usage) if done else None,
        "user": None,
        "metadata": request.get("metadata") or {},
    }


def _items(reply: Reply) -> list[Item]:
    thought = [_reasoning(reply)] if reply.thoughts else []
    return [*thought, _message(reply, "completed"), *(_call(call, "completed") for call in reply.calls)]


def _reasoning(reply: Reply) -> Item:
    return {
        "id": f"rs_{reply.id}",
        "type": "reasoning",
        "summary": [],
        "encrypted_content": f"gAAAAA{reply.id}",
    }


def _message(reply: Reply, status: str) -> Item:
    content = [_text(reply.text)] if status == "completed" else []
    return {
        "id": f"msg_{reply.id}",
        "type": "message",
        "status": status,
        "role": "assistant",
        "content": content,
    }


def _text(text: str) -> Item:
    return {"type": "output_text", "annotations": [], "logprobs": [], "text": text}


def _call(call: ToolCall, status: str) -> Item:
    arguments = call.json if status == "completed" else ""
    head = {"id": f"fc_{call.id}", "type": "function_call", "status": status}
    return {**head, "arguments": arguments, "call_id": f"call_{call.id}", "name": call.name}


def _stream(reply: Reply, request: Any) -> Iterator[bytes]:
    for number, (name, fields) in zip(numbers(), _events(reply, request), strict=False):
        yield sse({"type": name, **fields, "sequence_number": number}, name)


def _events(reply: Reply, request: Any) -> Iterator[Named]:
    for name in ("created", "in_progress"):
        yield f"response.{name}", {"response": _response(reply, request, "in_progress")}
    for index, item in enumerate(_items(reply)):
        for name, fields in _STREAMS[item["type"]](reply, item):
            yield name, {"output_index": index, **fields}
    yield "response.completed", {"response": _response(reply, request, "completed")}


def _reasoning_events(reply: Reply, item: Item) -> Iterator[Named]:
    yield "response.output_item.added", {"item": {**item, "encrypted_content": ""}}
    yield "response.output_item.done", {"item": item}


def _message_events(reply: Reply, item: Item) -> Iterator[Named]:
    place = {"item_id": item["id"], "content_index": 0}
    yield "response.output_item.added", {"item": _message(reply, "in_progress")}
    yield "response.content_part.added", {**place, "part": _text("")}
    for number, piece in enumerate(reply.pieces):
        delta = {"delta": piece, "logprobs": [], "obfuscation": "x" * (number * 5 % 11)}
        yield "response.output_text.delta", {**place, **delta}
    yield "response.output_text.done", {**place, "logprobs": [], "text": reply.text}
    yield "response.content_part.done", {**place, "part": _text(reply.text)}
    yield "response.output_item.done", {"item": item}


def _call_events(reply: Reply, item: Item) -> Iterator[Named]:
    call = next(call for call in reply.calls if item["id"] == f"fc_{call.id}")
    place = {"item_id": item["id"]}
    yield "response.output_item.added", {"item": _call(call, "in_progress")}
    for fragment in call.fragments():
        if fragment:
            yield "response.function_call_arguments.delta", {**place, "delta": fragment}
    yield "response.function_call_arguments.done", {**place, "name": call.name, "arguments": call.json}
    yield "response.output_item.done", {"item": item}


_STREAMS = {"reasoning": _reasoning_events, "message": _message_events, "function_call": _call_events}
