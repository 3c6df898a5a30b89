"""OpenAI Chat Completions. https://platform.openai.com/docs/api-reference/chat"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from simulator.exchange import Answer, Ask, Mistake, sse, stream, whole
from simulator.reply import Prompt, Reply, Tool, Usage
from simulator.shapes import Choice, Shape

CREATED = 1_700_000_000
FINGERPRINT = "fp_50cad350e4"

TEXT_PART: dict[str, Shape] = {"text": str, "prompt_cache_breakpoint?": object}
PARTS: Shape = (
    str,
    [
        Choice(
            "type",
            {
                "text": TEXT_PART,
                "image_url": {"image_url": {"url": str, "detail?": str}},
                "input_audio": {"input_audio": {"data": str, "format": str}},
                "file": {"file": dict},
                "refusal": {"refusal": str},
            },
        )
    ],
)
TOOL_CALL: Shape = Choice(
    "type",
    {
        "function": {"id": str, "function": {"name": str, "arguments": str}},
        "custom": {"id": str, "custom": {"name": str, "input": str}},
    },
)
MESSAGE: Shape = Choice(
    "role",
    {
        "system": {"content": PARTS, "name?": str},
        "developer": {"content": PARTS, "name?": str},
        "user": {"content": PARTS, "name?": str},
        "assistant": {
            "content?": PARTS,
            "tool_calls?": [TOOL_CALL],
            "name?": str,
            "refusal?": str,
            "audio?": dict,
            "annotations?": list,
        },
        "tool": {"content": PARTS, "tool_call_id": str},
    },
)
TOOL: Shape = Choice(
    "type",
    {
        "function": {"function": {"name": str, "description?": str, "parameters?": dict, "strict?": bool}},
        "custom": {"custom": dict},
    },
)
SAMPLING: dict[str, Shape] = {
    "frequency_penalty?": int | float,
    "logit_bias?": dict,
    "max_tokens?": int,
    "n?": int,
    "presence_penalty?": int | float,
    "seed?": int,
    "stop?": (str, [str]),
    "stream?": bool,
    "stream_options?": {"include_usage?": bool, "include_obfuscation?": bool},
    "temperature?": int | float,
    "top_p?": int | float,
    "user?": str,
}
REQUEST: dict[str, Shape] = {
    **SAMPLING,
    "model": str,
    "messages": [MESSAGE],
    "audio?": dict,
    "function_call?": object,
    "functions?": list,
    "logprobs?": bool,
    "max_completion_tokens?": int,
    "metadata?": dict,
    "modalities?": [str],
    "moderation?": dict,
    "parallel_tool_calls?": bool,
    "prediction?": dict,
    "prompt_cache_key?": str,
    "prompt_cache_options?": dict,
    "prompt_cache_retention?": str,
    "reasoning_effort?": str,
    "response_format?": dict,
    "safety_identifier?": str,
    "service_tier?": str,
    "store?": bool,
    "tool_choice?": (str, dict),
    "tools?": [TOOL],
    "top_logprobs?": int,
    "verbosity?": str,
    "web_search_options?": dict,
}


def chat(ask: Ask) -> Answer:
    request = ask.json(REQUEST)
    if not request["messages"]:
        raise Mistake(400, "Invalid 'messages': empty array.", "messages", "empty_array")
    if request.get("stream_options") and not request.get("stream"):
        raise Mistake(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
    reply = ask.reply(_prompt(request))
    choices = request.get("n") or 1
    if not request.get("stream"):
        return whole(_whole(reply, choices), reply.usage)
    options = request.get("stream_options") or {}
    return stream(_stream(reply, choices, options), reply.usage if options.get("include_usage") else None)


def _prompt(request: Any) -> Prompt:
    return Prompt(
        model=request["model"],
        texts=[text for message in request["messages"] for text in texts(message.get("content"))],
        tools=_tools(request),
        must_call=request.get("tool_choice") not in (None, "auto", "none"),
        think=request.get("reasoning_effort") not in (None, "none"),
    )


def _tools(request: Any) -> list[Tool]:
    functions = [tool["function"] for tool in request.get("tools") or [] if tool["type"] == "function"]
    return [Tool(function["name"], function.get("parameters")) for function in functions]


def texts(content: Any) -> list[str]:
    if content is None or isinstance(content, str):
        return [content] if content else []
    return [part["text"] for part in content if "text" in part]


def usage(used: Usage) -> dict[str, Any]:
    """Cached tokens are part of the prompt's, reasoning tokens part of the completion's."""
    return {
        "prompt_tokens": used.all_input,
        "completion_tokens": used.all_output,
        "total_tokens": used.total,
        "prompt_tokens_details": {"cached_tokens": used.cache_read, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def _head(reply: Reply, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{reply.id}", "object": kind, "created": CREATED, "model": reply.model}


def _whole(reply: Reply, choices: int) -> dict[str, Any]:
    message: dict[str, Any] = {"role": "assistant", "content": reply.text, "refusal": None, "annotations": []}
    if reply.calls:
        message["tool_calls"] = [
            {"id": f"call_{c.id}", "type": "function", "function": {"name": c.name, "arguments": c.json}}
            for c in reply.calls
        ]
    choice = {"message": message, "logprobs": None, "finish_reason": _finish(reply)}
    return {
        **_head(reply, "chat.completion"),
        "choices": [{"index": index, **choice} for index in range(choices)],
        "usage": usage(reply.usage),
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }


def _finish(reply: Reply) -> str:
    return "tool_calls" if reply.calls else "stop"


def _stream(reply: Reply, choices: int, options: dict[str, bool]) -> Iterator[bytes]:
    head = {
        **_head(reply, "chat.completion.chunk"),
        "service_tier": "default",
        "system_fingerprint": FINGERPRINT,
    }
    counted = {"usage": None} if options.get("include_usage") else {}
    for number, (delta, finish) in enumerate(_deltas(reply)):
        padding = (
            {} if options.get("include_obfuscation") is False else {"obfuscation": "x" * (number * 5 % 11)}
        )
        for index in range(choices):
            choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
            yield sse({**head, "choices": [choice], **counted, **padding})
    if counted:
        yield sse({**head, "choices": [], "usage": usage(reply.usage)})
    yield sse("[DONE]")


def _deltas(reply: Reply) -> Iterator[tuple[dict[str, Any], str | None]]:
    yield {"role": "assistant", "content": "", "refusal": None}, None
    for piece in reply.pieces:
        yield {"content": piece}, None
    for index, call in enumerate(reply.calls):
        first, *rest = call.fragments()
        function = {"name": call.name, "arguments": first}
        yield (
            {
                "tool_calls": [
                    {"index": index, "id": f"call_{call.id}", "type": "function", "function": function}
                ]
            },
            None,
        )
        for fragment in rest:
            yield {"tool_calls": [{"index": index, "function": {"arguments": fragment}}]}, None
    yield {}, _finish(reply)
