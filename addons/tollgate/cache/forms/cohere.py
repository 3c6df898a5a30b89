"""Cohere's chat, version 2: https://docs.cohere.com/docs/streaming"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tollgate.cache.forms.form import DONE, Form, FormError, Json, documents, event_of, merge, objects
from tollgate.calls import Event

_FINISHED = frozenset(("COMPLETE", "STOP_SEQUENCE", "TOOL_CALL"))
_LISTS = ("content", "tool_calls", "citations")
_STARTS = {"content-start": "content", "tool-call-start": "tool_calls", "citation-start": "citations"}
"""Events that begin an item of a list, and which."""
_DELTAS = {"content-delta": "content", "tool-call-delta": "tool_calls"}


def _fold(events: Sequence[Event]) -> Json:
    whole: Json = {}
    message: Json = {}
    items: dict[tuple[str, int], Json] = {}
    for name, told in documents(events):
        delta = told.get("delta") or {}
        said = delta.get("message") or {}
        place = told.get("index", 0)
        if name == "message-start":
            whole["id"] = told.get("id")
            message = said
        elif field := _STARTS.get(name):
            items[field, place] = said.get(field) or {}
        elif field := _DELTAS.get(name):
            merge(items.setdefault((field, place), {}), said.get(field) or {})
        elif name == "tool-plan-delta":
            message["tool_plan"] = message.get("tool_plan", "") + said.get("tool_plan", "")
        elif name == "message-end":
            return {**whole, "message": _filled(message, items), **delta}
    raise FormError("a stream that was not completed")


def _filled(message: Json, items: dict[tuple[str, int], Json]) -> Json:
    """The message with its lists; what stayed empty is left out, as in whole answers."""
    lists = {field: [items[key] for key in sorted(items) if key[0] == field] for field in _LISTS}
    rest = {name: value for name, value in message.items() if name not in _LISTS and value}
    return {**rest, **{field: found for field, found in lists.items() if found}}


def _unfold(whole: Json, body: Json) -> list[Event]:
    told = [event_of({"type": name, **document}, name) for name, document in _events(whole)]
    return [*told, Event(DONE)]


def _events(whole: Json) -> Iterator[tuple[str, Json]]:
    message = whole.get("message") or {}
    begun = {"role": message.get("role", "assistant"), **{field: [] for field in _LISTS}, "tool_plan": ""}
    yield "message-start", {"id": whole.get("id"), "delta": {"message": begun}}
    if plan := message.get("tool_plan"):
        yield "tool-plan-delta", {"delta": {"message": {"tool_plan": plan}}}
    for index, part in enumerate(objects(message.get("content"))):
        texts = {name: value for name, value in part.items() if name in ("text", "thinking")}
        yield "content-start", {"index": index, **_said("content", {**part, **dict.fromkeys(texts, "")})}
        yield "content-delta", {"index": index, **_said("content", texts)}
        yield "content-end", {"index": index}
    for index, call in enumerate(objects(message.get("tool_calls"))):
        function = call.get("function") or {}
        begun_call = {**call, "function": {**function, "arguments": ""}}
        pieces = {"function": {"arguments": function.get("arguments", "")}}
        yield "tool-call-start", {"index": index, **_said("tool_calls", begun_call)}
        yield "tool-call-delta", {"index": index, **_said("tool_calls", pieces)}
        yield "tool-call-end", {"index": index}
    for index, citation in enumerate(objects(message.get("citations"))):
        yield "citation-start", {"index": index, **_said("citations", citation)}
        yield "citation-end", {"index": index}
    rest = {name: value for name, value in whole.items() if name not in ("id", "message")}
    yield "message-end", {"id": whole.get("id"), "delta": rest}


def _said(field: str, value: Json) -> Json:
    return {"delta": {"message": {field: value}}}


def _complete(whole: Json) -> bool:
    return whole.get("finish_reason") in _FINISHED and isinstance(whole.get("message"), dict)


CHAT = Form(fold=_fold, unfold=_unfold, complete=_complete, ids=("id",))
