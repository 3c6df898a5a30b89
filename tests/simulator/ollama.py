"""Ollama's own API. https://docs.ollama.com/api"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import orjson

from simulator.exchange import Answer, Ask, stream, whole
from simulator.openai_other import vector
from simulator.reply import OVERHEAD, Prompt, Reply, Tool, Usage, tokens
from simulator.shapes import Shape

NDJSON = "application/x-ndjson"
CREATED = "2026-01-01T00:00:00.000000Z"

FUNCTION: dict[str, Shape] = {"name": str, "description?": str, "parameters?": dict}
MESSAGE: dict[str, Shape] = {
    "role": str,
    "content?": str,
    "images?": [str],
    "thinking?": str,
    "tool_calls?": list,
    "tool_name?": str,
}
OPTIONS: dict[str, Shape] = {
    "model": str,
    "stream?": bool,
    "format?": (str, dict),
    "keep_alive?": (str, int | float),
    "logprobs?": bool,
    "options?": dict,
    "think?": (bool, str),
    "top_logprobs?": int,
}
CHAT: dict[str, Shape] = {
    **OPTIONS,
    "messages": [MESSAGE],
    "tools?": [{"type": str, "function": FUNCTION}],
}
GENERATE: dict[str, Shape] = {
    **OPTIONS,
    "prompt?": str,
    "suffix?": str,
    "system?": str,
    "template?": str,
    "context?": [int],
    "raw?": bool,
    "images?": [str],
}
EMBED: dict[str, Shape] = {
    "model": str,
    "input": (str, [str]),
    "dimensions?": int,
    "keep_alive?": (str, int | float),
    "options?": dict,
    "truncate?": bool,
}

type Say = Callable[[str, list[Any]], dict[str, Any]]
"""Text and tool calls as a line of that endpoint holds them."""


def chat(ask: Ask) -> Answer:
    request = ask.json(CHAT)
    functions = [tool["function"] for tool in request.get("tools") or []]
    prompt = Prompt(
        model=request["model"],
        texts=[message["content"] for message in request["messages"] if message.get("content")],
        tools=[Tool(function["name"], function.get("parameters")) for function in functions],
    )
    return _answer(request, ask.reply(prompt), _message)


def generate(ask: Ask) -> Answer:
    request = ask.json(GENERATE)
    texts = [text for text in (request.get("system"), request.get("prompt")) if text]
    return _answer(request, ask.reply(Prompt(request["model"], texts)), _response)


def _message(text: str, calls: list[Any]) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": text, **({"tool_calls": calls} if calls else {})}}


def _response(text: str, calls: list[Any]) -> dict[str, Any]:
    return {"response": text}


def _answer(request: Any, reply: Reply, say: Say) -> Answer:
    """Streamed unless the client says otherwise."""
    if request.get("stream") is False:
        return whole(
            {**_head(reply), **say(reply.text, _calls(reply)), **_end(reply)}, reply.usage.unparted()
        )
    return stream(_lines(reply, say), reply.usage.unparted(), NDJSON)


def _head(reply: Reply) -> dict[str, Any]:
    return {"model": reply.model, "created_at": CREATED}


def _end(reply: Reply) -> dict[str, Any]:
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": 9_000_000,
        "load_duration": 1_000_000,
        "prompt_eval_count": reply.usage.all_input,
        "prompt_eval_duration": 2_000_000,
        "eval_count": reply.usage.all_output,
        "eval_duration": 6_000_000,
    }


def _calls(reply: Reply) -> list[Any]:
    return [
        {"function": {"index": n, "name": c.name, "arguments": c.arguments}}
        for n, c in enumerate(reply.calls)
    ]


def _lines(reply: Reply, say: Say) -> Iterator[bytes]:
    for piece in reply.pieces:
        yield _line({**_head(reply), **say(piece, []), "done": False})
    for call in _calls(reply):
        yield _line({**_head(reply), **say("", [call]), "done": False})
    yield _line({**_head(reply), **say("", []), **_end(reply)})


def _line(value: Any) -> bytes:
    return orjson.dumps(value) + b"\n"


def embed(ask: Ask) -> Answer:
    request = ask.json(EMBED)
    texts = [request["input"]] if isinstance(request["input"], str) else request["input"]
    used = Usage(input=OVERHEAD + tokens(texts))
    vectors = [vector(text, request.get("dimensions") or 16) for text in texts]
    return whole({"model": request["model"], "embeddings": vectors, "prompt_eval_count": used.input}, used)


def tags(ask: Ask) -> Answer:
    return whole({"models": [{"name": "llama3.3:latest", "model": "llama3.3:latest", "size": 1}]})


def version(ask: Ask) -> Answer:
    return whole({"version": "0.14.2"})
