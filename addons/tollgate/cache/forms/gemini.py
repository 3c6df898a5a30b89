"""Google's Gemini: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse"""

from __future__ import annotations

from collections.abc import Sequence

from tollgate.cache.forms.form import Form, FormError, Json, documents, event_of, objects
from tollgate.calls import Event

_PLAIN = frozenset(("text", "thought"))


def _fold(events: Sequence[Event]) -> Json:
    """Each chunk is an answer by itself: parts come one after the other, the rest is as the last one says."""
    whole: Json = {}
    candidates: dict[int, Json] = {}
    for _, chunk in documents(events):
        whole |= {name: value for name, value in chunk.items() if name != "candidates"}
        for candidate in objects(chunk.get("candidates")):
            _add(candidates.setdefault(candidate.get("index", 0), {}), candidate)
    if not candidates:
        raise FormError("a stream without any candidate")
    return {"candidates": [candidates[index] for index in sorted(candidates)], **whole}


def _add(held: Json, candidate: Json) -> None:
    content = held.get("content", {"parts": []})
    for part in objects(candidate.get("content", {}).get("parts")):
        _add_part(content["parts"], part)
    content |= {name: value for name, value in candidate.get("content", {}).items() if name != "parts"}
    held |= {**candidate, "content": content}


def _add_part(parts: list[Json], part: Json) -> None:
    """Texts that follow each other are one; signed ones stay as they are."""
    last = parts[-1] if parts else {}
    mergeable = part.keys() <= _PLAIN and last.keys() <= _PLAIN and "text" in part
    if mergeable and last and last.get("thought") == part.get("thought"):
        last["text"] = last.get("text", "") + part["text"]
    elif part != {"text": ""}:
        parts.append(part)


def _unfold(whole: Json, body: Json) -> list[Event]:
    return [event_of(whole)]


def _complete(whole: Json) -> bool:
    blocked = whole.get("promptFeedback", {}).get("blockReason")
    candidates = objects(whole.get("candidates"))
    return not blocked and bool(candidates) and all(c.get("finishReason") == "STOP" for c in candidates)


GEMINI = Form(
    fold=_fold,
    unfold=_unfold,
    complete=_complete,
    ids=("responseId",),
    times={"createTime": "rfc3339"},
)


# -- as the Gemini CLI wraps it -----------------------------------------------------------------------------


def _fold_wrapped(events: Sequence[Event]) -> Json:
    told = [document for _, document in documents(events)]
    inside = _fold([event_of(document.get("response", {})) for document in told])
    return {**told[-1], "response": inside}


def _complete_wrapped(whole: Json) -> bool:
    return _complete(whole.get("response", {}))


CLOUDCODE = Form(
    fold=_fold_wrapped,
    unfold=_unfold,
    complete=_complete_wrapped,
    ids=("response.responseId",),
    times={"createTime": "rfc3339"},
)
