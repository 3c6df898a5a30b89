"""Ollama's own API: https://docs.ollama.com/api/streaming"""

from __future__ import annotations

from collections.abc import Sequence

from tollgate.cache.forms.form import Form, FormError, Json, documents, event_of, merge
from tollgate.calls import Event

_SAID = ("message", "response", "thinking", "logprobs")
"""What grows from line to line; all else is as the last line says."""


def _fold(events: Sequence[Event]) -> Json:
    said: Json = {}
    last: Json = {}
    for _, last in documents(events):
        merge(said, {name: last[name] for name in _SAID if name in last})
    if last.get("done") is not True:
        raise FormError("a stream that was not completed")
    return {**last, **said}


def _unfold(whole: Json, body: Json) -> list[Event]:
    said = {name: whole[name] for name in _SAID if name in whole}
    head: Json = {name: whole[name] for name in ("model", "created_at") if name in whole}
    silent = {name: _silent(value) for name, value in said.items() if name != "logprobs"}
    return [event_of({**head, **said, "done": False}), event_of({**whole, **silent})]


def _silent(value: object) -> object:
    return {"role": value.get("role", "assistant"), "content": ""} if isinstance(value, dict) else ""


def _complete(whole: Json) -> bool:
    said = "message" in whole or "response" in whole
    return said and whole.get("done") is True and whole.get("done_reason", "stop") == "stop"


OLLAMA = Form(fold=_fold, unfold=_unfold, complete=_complete, times={"created_at": "rfc3339"})
