"""Cohere v2. https://docs.cohere.com/reference/chat"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.exchange import Answer, Ask, sse, stream, whole
from simulator.openai_other import vector
from simulator.reply import OVERHEAD, Prompt, Reply, Tool, ToolCall, Usage, tokens
from simulator.shapes import Choice, Shape

SSE = "text/event-stream"

CONTENT: Shape = (
    str,
    [
        Choice(
            "type",
            {"text": {"text": str}, "image_url": {"image_url": dict}, "document": {"document": dict}},
        )
    ],
)
CALL: dict[str, Shape] = {"id": str, "type": str, "function": {"name": str, "arguments": str}}
MESSAGE: Shape = Choice(
    "role",
    {
        "user": {"content": CONTENT},
        "system": {"content": CONTENT},
        "assistant": {"content?": CONTENT, "tool_calls?": [CALL], "tool_plan?": str, "citations?": list},
        "tool": {"content": CONTENT, "tool_call_id": str},
    },
)
FUNCTION: dict[str, Shape] = {"name": str, "description?": str, "parameters": dict}
REQUEST: dict[str, Shape] = {
    "model": str,
    "messages": [MESSAGE],
    "stream?": bool,
    "citation_options?": dict,
    "documents?": list,
    "frequency_penalty?": int | float,
    "k?": int,
    "logprobs?": bool,
    "max_tokens?": int,
    "p?": int | float,
    "presence_penalty?": int | float,
    "priority?": int,
    "response_format?": dict,
    "safety_mode?": str,
    "seed?": int,
    "stop_sequences?": [str],
    "strict_tools?": bool,
    "temperature?": int | float,
    "thinking?": dict,
    "tool_choice?": str,
    "tools?": [{"type": str, "function": FUNCTION}],
}
EMBED: dict[str, Shape] = {
    "model": str,
    "input_type": str,
    "texts": [str],
    "embedding_types?": [str],
    "max_tokens?": int,
    "output_dimension?": int,
    "truncate?": str,
}


def chat(ask: Ask) -> Answer:
    request = ask.json(REQUEST)
    reply = ask.reply(_prompt(request))
    if request.get("stream"):
        return stream(_stream(reply), reply.usage.unparted(), SSE)
    message = {"role": "assistant", "content": [{"type": "text", "text": reply.text}]}
    if reply.calls:
        message |= {
            "tool_plan": "I will call.",
            "tool_calls": [_call(call, call.json) for call in reply.calls],
        }
    end = {"finish_reason": _finish(reply), "usage": _usage(reply.usage)}
    return whole({"id": reply.id, "message": message, **end}, reply.usage.unparted())


def embed(ask: Ask) -> Answer:
    request = ask.json(EMBED)
    used = Usage(input=OVERHEAD + tokens(request["texts"]))
    vectors = [vector(text, request.get("output_dimension") or 16) for text in request["texts"]]
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": used.input}}
    head = {"id": ask.digest[:24], "embeddings": {"float": vectors}, "texts": request["texts"]}
    return whole({**head, "meta": meta, "response_type": "embeddings_by_type"}, used)


def _prompt(request: Any) -> Prompt:
    functions = [tool["function"] for tool in request.get("tools") or []]
    return Prompt(
        model=request["model"],
        texts=[text for message in request["messages"] for text in _texts(message.get("content"))],
        tools=[Tool(function["name"], function["parameters"]) for function in functions],
        must_call=request.get("tool_choice") == "REQUIRED",
    )


def _texts(content: Any) -> list[str]:
    if content is None or isinstance(content, str):
        return [content] if content else []
    return [part["text"] for part in content if "text" in part]


def _usage(used: Usage) -> dict[str, Any]:
    counts = {"input_tokens": used.all_input, "output_tokens": used.all_output}
    return {"billed_units": counts, "tokens": counts}


def _finish(reply: Reply) -> str:
    return "TOOL_CALL" if reply.calls else "COMPLETE"


def _call(call: ToolCall, arguments: str) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def _stream(reply: Reply) -> Iterator[bytes]:
    for name, fields in _events(reply):
        yield sse({"type": name, **fields}, name)
    yield sse("[DONE]")


def _events(reply: Reply) -> Iterator[tuple[str, dict[str, Any]]]:
    opening = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    yield "message-start", {"id": reply.id, **_delta(opening)}
    yield "content-start", {"index": 0, **_delta({"content": {"type": "text", "text": ""}})}
    for piece in reply.pieces:
        yield "content-delta", {"index": 0, **_delta({"content": {"text": piece}})}
    yield "content-end", {"index": 0}
    for index, call in enumerate(reply.calls):
        first, *rest = call.fragments()
        yield "tool-call-start", {"index": index, **_delta({"tool_calls": _call(call, first)})}
        for fragment in rest:
            yield (
                "tool-call-delta",
                {"index": index, **_delta({"tool_calls": {"function": {"arguments": fragment}}})},
            )
        yield "tool-call-end", {"index": index}
    yield "message-end", {"delta": {"finish_reason": _finish(reply), "usage": _usage(reply.usage)}}


def _delta(message: dict[str, Any]) -> dict[str, Any]:
    return {"delta": {"message": message}}
