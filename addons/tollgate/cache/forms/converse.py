"""Bedrock's Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tollgate.cache.forms.form import Form, FormError, Json, documents, event_of, objects, parsed, written
from tollgate.calls import Event

_FINISHED = frozenset(("end_turn", "tool_use", "stop_sequence"))
_REASONING = ("text", "signature")
_STOP = ("stopReason", "additionalModelResponseFields")
"""What `messageStop` says; all else that is no message is said by `metadata`."""


def _fold(events: Sequence[Event]) -> Json:
    whole: Json = {}
    role = "assistant"
    blocks: dict[int, Json] = {}
    for name, told in documents(events):
        told.pop("p", None)  # padding
        match name:
            case "messageStart":
                role = told.get("role", role)
            case "contentBlockStart":
                blocks[told.get("contentBlockIndex", 0)] = told.get("start", {})
            case "contentBlockDelta":
                _grow(blocks.setdefault(told.get("contentBlockIndex", 0), {}), told.get("delta", {}))
            case "messageStop" | "metadata":
                whole |= told
    if "stopReason" not in whole or "usage" not in whole:
        raise FormError("a stream that was not completed")
    content = [_closed(blocks[index]) for index in sorted(blocks)]
    return {"output": {"message": {"role": role, "content": content}}, **whole}


def _grow(block: Json, delta: Json) -> None:
    for kind, piece in delta.items():
        if kind == "text":
            block["text"] = block.get("text", "") + piece
        elif kind == "toolUse":
            tool = block.setdefault("toolUse", {})
            tool["input"] = tool.get("input", "") + piece.get("input", "")
        elif kind == "reasoningContent":
            _think(block.setdefault("reasoningContent", {}), piece)
        else:
            raise FormError("a delta of a kind that is not known")


def _think(held: Json, piece: Json) -> None:
    for name, value in piece.items():
        if name in _REASONING:
            text = held.setdefault("reasoningText", {})
            text[name] = text.get(name, "") + value
        else:
            held[name] = held.get(name, "") + value


def _closed(block: Json) -> Json:
    if "toolUse" in block:
        block["toolUse"]["input"] = parsed(block["toolUse"].get("input", ""))
    return block


def _unfold(whole: Json, body: Json) -> list[Event]:
    return [event_of(told, name) for name, told in _events(whole)]


def _events(whole: Json) -> Iterator[tuple[str, Json]]:
    message = whole.get("output", {}).get("message", {})
    stop: Json = {name: whole[name] for name in _STOP if name in whole}
    yield "messageStart", {"role": message.get("role", "assistant")}
    for index, block in enumerate(objects(message.get("content"))):
        place = {"contentBlockIndex": index}
        if tool := block.get("toolUse"):
            start = {name: value for name, value in tool.items() if name != "input"}
            yield "contentBlockStart", {**place, "start": {"toolUse": start}}
        for delta in _deltas(block):
            yield "contentBlockDelta", {**place, "delta": delta}
        yield "contentBlockStop", place
    yield "messageStop", stop
    yield "metadata", {name: value for name, value in whole.items() if name not in ("output", *stop)}


def _deltas(block: Json) -> Iterator[Json]:
    for kind, value in block.items():
        if kind == "text":
            yield {"text": value}
        elif kind == "toolUse":
            yield {"toolUse": {"input": written(value.get("input", {}))}}
        elif kind == "reasoningContent":
            pieces = {
                **value.get("reasoningText", {}),
                **{n: v for n, v in value.items() if n != "reasoningText"},
            }
            yield from ({"reasoningContent": {name: piece}} for name, piece in pieces.items())
        else:
            raise FormError("a block of a kind that is not known")


def _complete(whole: Json) -> bool:
    return whole.get("stopReason") in _FINISHED and isinstance(whole.get("output"), dict)


CONVERSE = Form(fold=_fold, unfold=_unfold, complete=_complete)
