"""Anthropic's Messages: https://platform.claude.com/docs/en/build-with-claude/streaming"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from tollgate.cache.forms.form import Form, FormError, Json, documents, event_of, objects, parsed, written
from tollgate.calls import Event

_TEXTS = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
"""Deltas whose text grows the block's field of that name."""
_EMPTY: dict[str, Json] = {
    "text": {"text": ""},
    "thinking": {"thinking": "", "signature": ""},
    "tool_use": {"input": {}},
    "server_tool_use": {"input": {}},
    "mcp_tool_use": {"input": {}},
}
"""Blocks as they are opened; others come at once."""
_FINISHED = frozenset(("end_turn", "stop_sequence", "tool_use"))
_OF_DELTA = ("type", "delta", "usage")


def _fold(events: Sequence[Event]) -> Json:
    whole: Json = {}
    blocks: dict[int, Json] = {}
    for _, told in documents(events):
        match told.get("type"):
            case "message_start":
                whole = told.get("message", {})
            case "content_block_start":
                blocks[told.get("index", 0)] = told.get("content_block", {})
            case "content_block_delta":
                _grow(blocks.get(told.get("index", 0)), told.get("delta", {}))
            case "message_delta":
                more = {name: value for name, value in told.items() if name not in _OF_DELTA}
                usage = {**whole.get("usage", {}), **told.get("usage", {})}
                whole |= {**told.get("delta", {}), **more, "usage": usage}
            case "message_stop":
                return {**whole, "content": [_closed(blocks[index]) for index in sorted(blocks)]}
    raise FormError("a stream that was not completed")


def _grow(block: Json | None, delta: Json) -> None:
    kind = str(delta.get("type"))
    if block is None:
        raise FormError("a delta of a block that was not opened")
    if field := _TEXTS.get(kind):
        block[field] = block.get(field, "") + delta.get(field, "")
    elif kind == "input_json_delta":
        block["partial_json"] = block.get("partial_json", "") + delta.get("partial_json", "")
    elif kind == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]
    else:
        raise FormError("a delta of a kind that is not known")


def _closed(block: Json) -> Json:
    if "partial_json" in block:
        text = block.pop("partial_json")
        block["input"] = parsed(text) if text else block.get("input", {})
    return block


def _unfold(whole: Json, body: Json) -> list[Event]:
    return [event_of(told, told["type"]) for told in _events(whole)]


def _events(whole: Json) -> Iterator[Json]:
    usage = whole.get("usage") or {}
    ended = {name: whole.get(name) for name in ("stop_reason", "stop_sequence")}
    begun = {**whole, "content": [], **dict.fromkeys(ended), "usage": {**usage, "output_tokens": 0}}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(objects(whole.get("content"))):
        yield {"type": "content_block_start", "index": index, "content_block": _opened(block)}
        for delta in _deltas(block):
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": ended, "usage": usage}
    yield {"type": "message_stop"}


def _opened(block: Json) -> Json:
    cited: Json = {"citations": []} if block.get("citations") else {}
    return {**block, **_EMPTY.get(str(block.get("type")), {}), **cited}


def _deltas(block: Json) -> Iterator[Json]:
    empty = _EMPTY.get(str(block.get("type")), {})
    for citation in objects(block.get("citations")) if empty else ():
        yield {"type": "citations_delta", "citation": citation}
    for kind, field in _TEXTS.items():
        if field in empty and block.get(field):
            yield {"type": kind, field: block[field]}
    if "input" in empty:
        yield {"type": "input_json_delta", "partial_json": written(block.get("input", {}))}


def _complete(whole: Json) -> bool:
    return whole.get("type") == "message" and whole.get("stop_reason") in _FINISHED


MESSAGES = Form(fold=_fold, unfold=_unfold, complete=_complete, ids=("id",))


# -- Claude in Bedrock's InvokeModel: the same events, each within another ---------------------------------


def _fold_chunks(events: Sequence[Event]) -> Json:
    return _fold([Event(_bytes_of(told)) for _, told in documents(events)])


def _bytes_of(chunk: Json) -> bytes:
    try:
        return b64decode(chunk.get("bytes", ""))
    except ValueError as e:
        raise FormError("a chunk is no base64") from e


def _unfold_chunks(whole: Json, body: Json) -> list[Event]:
    if whole.get("type") != "message":
        raise FormError("not Claude's")
    usage = whole.get("usage") or {}
    counts = {"inputTokenCount": usage.get("input_tokens"), "outputTokenCount": usage.get("output_tokens")}
    *told, last = _events(whole)
    return [*map(_chunk, told), _chunk({**last, "amazon-bedrock-invocationMetrics": counts})]


def _chunk(told: Any) -> Event:
    return event_of({"bytes": b64encode(orjson.dumps(told)).decode()}, "chunk")


INVOKE = Form(fold=_fold_chunks, unfold=_unfold_chunks, complete=_complete)
"""Of other models than Claude nothing is kept. An id stays as it was: in a stream it is encoded."""
