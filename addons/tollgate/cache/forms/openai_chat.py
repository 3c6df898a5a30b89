"""OpenAI's Chat Completions and the older Completions: https://platform.openai.com/docs/api-reference/chat-streaming"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from tollgate.cache.forms.form import DONE, Form, FormError, Json, documents, event_of, merge, objects
from tollgate.calls import Event, Usage

_OF_CHOICES = ("choices", "usage", "object", "obfuscation")
_SAID = ("delta", "text", "logprobs")
"""What of a choice comes in pieces; all else, as Azure's filters, is said anew in each chunk."""
_FINISHED = frozenset(("stop", "tool_calls", "function_call"))
"""Reasons with which an answer is whole; "length" and "content_filter" are none."""


def _fold(kind: str, events: Sequence[Event]) -> Json:
    whole: Json = {}
    choices: dict[int, Json] = {}
    for _, chunk in documents(events):
        head = {name: value for name, value in chunk.items() if name not in _OF_CHOICES}
        whole |= {
            name: value for name, value in head.items() if not whole.get(name)
        }  # Azure's are empty first
        whole["usage"] = chunk.get("usage") or whole.get("usage")
        for choice in objects(chunk.get("choices")):
            _grow(choices.setdefault(choice.get("index", 0), {}), choice)
    if not choices:
        raise FormError("a stream without any choice")
    if whole["usage"] is None:
        del whole["usage"]
    told = [_whole_choice(choices[index]) for index in sorted(choices)]
    return {**whole, "object": kind, "choices": told}


def _grow(held: Json, choice: Json) -> None:
    merge(held, {name: value for name, value in choice.items() if name in _SAID})
    held |= {n: value for n, value in choice.items() if n not in _SAID and (value or n not in held)}


def _whole_choice(choice: Json) -> Json:
    if "delta" not in choice:
        return choice
    message = {"role": "assistant", "content": None, **choice.pop("delta")}
    for call in objects(message.get("tool_calls")):
        call.pop("index", None)
    return {**choice, "message": message}


def _unfold(kind: str, whole: Json, body: Json) -> list[Event]:
    counted = _options(body) == "usage"
    head = {name: value for name, value in whole.items() if name not in _OF_CHOICES} | {"object": kind}
    null: Json = {"usage": None} if counted else {}
    chunks = [
        {**head, "choices": [piece], **null}
        for choice in objects(whole.get("choices"))
        for piece in _pieces(choice)
    ]
    if counted:
        if "usage" not in whole:
            raise FormError("an answer that does not say what it used")
        chunks.append({**head, "choices": [], "usage": whole["usage"]})
    return [*map(event_of, chunks), Event(DONE)]


def _pieces(choice: Json) -> Iterator[Json]:
    """The deltas of one choice: who speaks, all that is said, and why it ended."""
    rest = {name: value for name, value in choice.items() if name not in ("message", "text", "finish_reason")}
    ended = {"finish_reason": choice.get("finish_reason")}
    if "message" not in choice:  # the older Completions
        yield {**rest, "text": choice.get("text", ""), **ended}
        return
    silent = {**rest, "logprobs": None}
    said = {
        name: value for name, value in choice["message"].items() if name != "role" and value not in (None, [])
    }
    if calls := objects(said.get("tool_calls")):
        said["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
    role = choice["message"].get("role", "assistant")
    yield {**silent, "delta": {"role": role, "content": ""}, "finish_reason": None}
    if said:
        yield {**rest, "delta": said, "finish_reason": None}
    yield {**silent, "delta": {}, **ended}


def _complete(whole: Json) -> bool:
    choices = objects(whole.get("choices"))
    return bool(choices) and not whole.get("error") and all(map(_is_whole, choices))


def _is_whole(choice: Json) -> bool:
    """Sound does not count: the provider keeps it under an id, for an hour."""
    message = choice.get("message")
    refused = isinstance(message, dict) and bool(message.get("refusal") or message.get("audio"))
    return choice.get("finish_reason") in _FINISHED and not refused and not choice.get("error")


def _options(body: Json) -> str:
    options = body.get("stream_options")
    return "usage" if isinstance(options, dict) and options.get("include_usage") is True else ""


def _usage(used: Usage) -> Json:
    asked = used.input + used.cache_read + used.cache_write + used.cache_write_long + used.input_audio
    answered = used.output + used.reasoning + used.output_audio
    return {
        "prompt_tokens": asked,
        "completion_tokens": answered,
        "total_tokens": asked + answered,
        "prompt_tokens_details": {"cached_tokens": used.cache_read},
        "completion_tokens_details": {"reasoning_tokens": used.reasoning},
    }


CHAT = Form(
    fold=partial(_fold, "chat.completion"),
    unfold=partial(_unfold, "chat.completion.chunk"),
    complete=_complete,
    options=_options,
    ids=("id",),
    times={"created": "seconds"},
    usage=_usage,
)
COMPLETIONS = Form(
    fold=partial(_fold, "text_completion"),
    unfold=partial(_unfold, "text_completion"),
    complete=_complete,
    options=_options,
    ids=("id",),
    times={"created": "seconds"},
    usage=_usage,
)
