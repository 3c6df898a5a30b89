"""OpenAI's Responses: https://platform.openai.com/docs/api-reference/responses-streaming"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tollgate.cache.forms.form import Form, FormError, Json, documents, event_of, objects
from tollgate.calls import Event

type Named = tuple[str, Json]


def _fold(events: Sequence[Event]) -> Json:
    """The last event repeats everything, but for the items at ChatGPT's own backend."""
    items: dict[int, Json] = {}
    for name, document in documents(events):
        if name == "response.output_item.done":
            items[int(document.get("output_index", len(items)))] = document.get("item", {})
        elif name == "response.completed":
            whole: Json = document.get("response", {})
            return whole if whole.get("output") else {**whole, "output": [items[n] for n in sorted(items)]}
    raise FormError("a stream that was not completed")


def _unfold(whole: Json, body: Json) -> list[Event]:
    events = enumerate(_events(whole))
    return [event_of({"type": name, **told, "sequence_number": n}, name) for n, (name, told) in events]


def _events(whole: Json) -> Iterator[Named]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    for name in ("created", "in_progress"):
        yield f"response.{name}", {"response": begun}
    for index, item in enumerate(objects(whole.get("output"))):
        place = {"output_index": index}
        yield "response.output_item.added", {**place, "item": _begun(item)}
        for name, told in _inside(item):
            yield name, {"item_id": item.get("id", ""), **place, **told}
        yield "response.output_item.done", {**place, "item": item}
    yield "response.completed", {"response": whole}


_EMPTY: dict[str, Json] = {
    "message": {"content": [], "status": "in_progress"},
    "reasoning": {"summary": []},
    "function_call": {"arguments": "", "status": "in_progress"},
    "custom_tool_call": {"input": "", "status": "in_progress"},
}
"""Items as they stand before anything of them is streamed; others come at once."""


def _begun(item: Json) -> Json:
    return {**item, **_EMPTY.get(str(item.get("type")), {})}


def _inside(item: Json) -> Iterator[Named]:
    """What is streamed between an item's beginning and its end."""
    match item.get("type"):
        case "message":
            for number, part in enumerate(objects(item.get("content"))):
                yield from _content("response", {"content_index": number}, part)
        case "reasoning":
            for number, part in enumerate(objects(item.get("summary"))):
                yield from _summary({"summary_index": number}, part)
        case "function_call":
            text = item.get("arguments", "")
            yield "response.function_call_arguments.delta", {"delta": text}
            yield "response.function_call_arguments.done", {"name": item.get("name"), "arguments": text}
        case "custom_tool_call":
            yield "response.custom_tool_call_input.delta", {"delta": item.get("input", "")}
            yield "response.custom_tool_call_input.done", {"input": item.get("input", "")}


def _content(prefix: str, place: Json, part: Json) -> Iterator[Named]:
    field = "refusal" if part.get("type") == "refusal" else "text"
    name = f"{prefix}.refusal" if field == "refusal" else f"{prefix}.output_text"
    more = {} if field == "refusal" else {"logprobs": part.get("logprobs") or []}
    yield f"{prefix}.content_part.added", {**place, "part": {**part, field: "", "annotations": []}}
    yield f"{name}.delta", {**place, "delta": part.get(field, ""), **more}
    for number, annotation in enumerate(objects(part.get("annotations"))):
        yield f"{name}.annotation.added", {**place, "annotation_index": number, "annotation": annotation}
    yield f"{name}.done", {**place, field: part.get(field, ""), **more}
    yield f"{prefix}.content_part.done", {**place, "part": part}


def _summary(place: Json, part: Json) -> Iterator[Named]:
    name = "response.reasoning_summary"
    yield f"{name}_part.added", {**place, "part": {**part, "text": ""}}
    yield f"{name}_text.delta", {**place, "delta": part.get("text", "")}
    yield f"{name}_text.done", {**place, "text": part.get("text", "")}
    yield f"{name}_part.done", {**place, "part": part}


def _complete(whole: Json) -> bool:
    items = objects(whole.get("output"))
    parts = [part for item in items for part in objects(item.get("content"))]
    refused = any(part.get("type") == "refusal" for part in parts)
    return whole.get("status") == "completed" and not whole.get("error") and bool(items) and not refused


RESPONSES = Form(
    fold=_fold,
    unfold=_unfold,
    complete=_complete,
    times={"created_at": "seconds", "completed_at": "seconds"},
)
"""Ids stay as they were: the provider keeps what they name, and a later call may refer to it."""
