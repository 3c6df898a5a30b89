"""OpenAI's smaller endpoints: legacy completions, embeddings, models."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from simulator.exchange import Answer, Ask, Mistake, sse, stream, whole
from simulator.openai_chat import CREATED, FINGERPRINT, SAMPLING, usage
from simulator.reply import OVERHEAD, Prompt, Reply, Usage, tokens
from simulator.shapes import Shape

MODELS = ("gpt-6-mini", "gpt-6", "text-embedding-3-small", "gpt-3.5-turbo-instruct")
INPUT: Shape = (str, [str], [int], [[int]])
COMPLETION: dict[str, Shape] = {
    **SAMPLING,
    "model": str,
    "prompt": INPUT,
    "best_of?": int,
    "echo?": bool,
    "logprobs?": int,
    "suffix?": str,
}
EMBEDDING: dict[str, Shape] = {
    "model": str,
    "input": INPUT,
    "dimensions?": int,
    "encoding_format?": str,
    "user?": str,
}


def completions(ask: Ask) -> Answer:
    request = ask.json(COMPLETION)
    texts = [text for text in _inputs(request["prompt"]) if isinstance(text, str)]
    reply = ask.reply(Prompt(request["model"], texts))
    if not request.get("stream"):
        return whole({**_completion(reply, reply.text, "stop"), "usage": usage(reply.usage)}, reply.usage)
    counted = bool((request.get("stream_options") or {}).get("include_usage"))
    return stream(_stream(reply, counted), reply.usage if counted else None)


def _completion(reply: Reply, text: str, finish: str | None) -> dict[str, Any]:
    head = {"id": f"cmpl-{reply.id}", "object": "text_completion", "created": CREATED, "model": reply.model}
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish}
    return {**head, "choices": [choice], "system_fingerprint": FINGERPRINT}


def _stream(reply: Reply, counted: bool) -> Iterator[bytes]:
    null = {"usage": None} if counted else {}
    for piece in reply.pieces:
        yield sse({**_completion(reply, piece, None), **null})
    yield sse({**_completion(reply, "", "stop"), **null})
    if counted:
        yield sse({**_completion(reply, "", None), "choices": [], "usage": usage(reply.usage)})
    yield sse("[DONE]")


def embeddings(ask: Ask) -> Answer:
    request = ask.json(EMBEDDING)
    encoding = request.get("encoding_format") or "float"
    if encoding not in ("float", "base64"):
        raise Mistake(400, f"Invalid value: {encoding!r}.", "encoding_format", "invalid_value")
    inputs = _inputs(request["input"])
    vectors = [vector(text, request.get("dimensions") or 16) for text in inputs]
    written = [_packed(values) if encoding == "base64" else values for values in vectors]
    data = [{"object": "embedding", "index": n, "embedding": values} for n, values in enumerate(written)]
    used = Usage(input=OVERHEAD + sum(tokens([i]) if isinstance(i, str) else len(i) for i in inputs))
    counted = {"prompt_tokens": used.input, "total_tokens": used.input}
    return whole({"object": "list", "data": data, "model": request["model"], "usage": counted}, used)


def _inputs(given: Any) -> list[Any]:
    """One text or list of tokens, or several of them, as a list."""
    return [given] if isinstance(given, str) or (given and isinstance(given[0], int)) else given


def vector(text: Any, dimensions: int) -> list[float]:
    """The same for the same text; each number is exact in 32 bits."""
    digest = hashlib.shake_128(repr(text).encode()).digest(dimensions)
    return [byte / 256 - 0.5 for byte in digest]


def _packed(values: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def models(ask: Ask) -> Answer:
    return whole({"object": "list", "data": [_model(name) for name in MODELS]})


def model(ask: Ask) -> Answer:
    name = ask.params["model"]
    if name not in MODELS:
        raise Mistake(404, f"The model '{name}' does not exist", "model", "model_not_found")
    return whole(_model(name))


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "system"}
