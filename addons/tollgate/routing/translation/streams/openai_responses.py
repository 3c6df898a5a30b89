"""Streams of OpenAI Responses. https://platform.openai.com/docs/api-reference/responses-streaming"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tollgate.calls import Event
from tollgate.dialects.openai_responses import RESPONSES
from tollgate.dialects.paths import find, object_at, text_at
from tollgate.routing.translation import compaction
from tollgate.routing.translation.answers.openai_responses import CALLS, item, response, stop_of, words
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.neutral import (
    Answer,
    Begin,
    Close,
    Delta,
    Done,
    Fail,
    Finish,
    More,
    Open,
    Seal,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.requests.openai_responses import read_call
from tollgate.routing.translation.signatures import unwrap
from tollgate.routing.translation.streams.common import (
    INTERLEAVED,
    StreamDecoder,
    event,
    grown,
    with_loose_seals,
)

_FAMILY = "openai"

_ENDS = ("response.completed", "response.incomplete")
_THOUGHTS = ("response.reasoning_summary_text.delta", "response.reasoning_text.delta")
_ARGUMENTS = ("response.function_call_arguments.delta", "response.custom_tool_call_input.delta")


class ResponsesDecoder(StreamDecoder):
    """Ids of items are not looked at: some servers change them between events. Places in the output stay."""

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        kind = text_at(document, ("type",)) or name
        if (whole := object_at(document, ("response",))) is not None:
            yield from self.begin(text_at(whole, ("id",)), text_at(whole, ("model",)))
        place = document.get("output_index")
        if kind == "response.output_item.added":
            yield from self._added(place, document.get("item"))
        elif kind == "response.output_text.delta":
            yield from self._more((place, document.get("content_index")), Text(""), document)
        elif kind == "response.refusal.delta":
            yield from self._more((place, document.get("content_index")), Text("", refusal=True), document)
        elif kind in _THOUGHTS:
            yield from self._thought(place, document)
        elif kind in _ARGUMENTS:
            yield from (
                self._more(place, Text(""), document) if self.is_open(place) else self.fail(INTERLEAVED)
            )
        elif kind == "response.output_item.done":
            yield from self._done(place, document.get("item"))
        elif kind in _ENDS:
            yield from self.finish(stop_of(whole, self.called))
            self.complete = True

    def _more(self, key: Any, part: Text, document: Any) -> Iterator[Delta]:
        yield from self.to(key, part)
        if piece := text_at(document, ("delta",)):
            yield More(piece)

    def _thought(self, place: Any, document: Any) -> Iterator[Delta]:
        """Parts of a summary are set apart by an empty line."""
        if not self.is_open(place):
            yield from self.to(place, Thinking())
            self._summary = find(document, "summary_index")
        elif (index := find(document, "summary_index")) != self._summary:
            self._summary = index
            yield More("\n\n")
        if piece := text_at(document, ("delta",)):
            yield More(piece)

    def _added(self, place: Any, node: Any) -> Iterator[Delta]:
        kind = text_at(node, ("type",))
        if kind in CALLS:
            part = read_call(node, "")
            yield from self.to(place, replace(part, id=part.id or f"call_{self.id}_{place}"))
        elif kind not in ("message", "reasoning"):
            self.losses.note("an item that only this provider knows", f"output[{place}]")

    def _done(self, place: Any, node: Any) -> Iterator[Delta]:
        """The seal of a thought comes with its end; a thought may have nothing but that."""
        if text_at(node, ("type",)) == "reasoning" and (seal := text_at(node, ("encrypted_content",))):
            signature = unwrap(seal, _FAMILY)
            if self.is_open(place):
                yield Seal(signature)
            else:
                yield from self.to(place, Thinking(signature=signature, redacted=True))
        yield from self.shut()


class ResponsesEncoder:
    """Writes each part as an item of its own; what it wrote is kept, as the last event has to say it all."""

    def __init__(self, asked: Asked, counted: bool) -> None:
        self._asked = asked
        self._number = -1
        self._answer = Answer("", "")
        self._output: list[Json] = []
        self._part: Text | Thinking | ToolUse = Text("")

    def feed(self, delta: Delta) -> Iterable[Event]:
        for each in with_loose_seals(delta):
            yield from self._feed(each)

    def _feed(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case Begin():
                self._answer = Answer(delta.id, delta.model, usage=delta.usage)
                for name in ("created", "in_progress"):
                    begun = response(self._answer, self._asked, [], begun=True)
                    yield self._event(f"response.{name}", {"response": begun})
            case Open(part):
                yield from self._open(part)
            case More(text):
                yield from self._more(text)
            case Seal(signature):
                assert isinstance(self._part, Thinking)
                self._part = replace(self._part, signature=signature)
            case Close():
                yield from self._close()
            case Finish():
                self._answer.stop, self._answer.sequence = delta.stop, delta.sequence
            case Used(used):
                self._answer.usage = used
            case Fail():
                yield from RESPONSES.error_events(delta.message, delta.code, self._answer.id)
            case Done():
                whole = response(self._answer, self._asked, self._output)
                yield self._event(f"response.{whole['status']}", {"response": whole})

    def _event(self, name: str, fields: Json) -> Event:
        self._number += 1
        return event({"type": name, "sequence_number": self._number, **fields}, name)

    def _at(self, **more: Any) -> Json:
        """Where in the output the open part stands."""
        return {"item_id": self._item()["id"], "output_index": len(self._output), **more}

    def _item(self, status: str = "completed") -> Json:
        return item(self._part, self._answer.id, len(self._output), status)

    def _open(self, part: Text | Thinking | ToolUse) -> Iterator[Event]:
        given = part.arguments if isinstance(part, ToolUse) else part.text
        self._part = replace(part, arguments="") if isinstance(part, ToolUse) else replace(part, text="")
        place = {"output_index": len(self._output)}
        yield self._event("response.output_item.added", {**place, "item": self._item("in_progress")})
        if isinstance(part, Text):
            opened = {"content_index": 0, "part": words(self._part)}  # type: ignore[arg-type]
            yield self._event("response.content_part.added", self._at(**opened))
        elif isinstance(part, Thinking) and not part.redacted:
            opened = {"summary_index": 0, "part": {"type": "summary_text", "text": ""}}
            yield self._event("response.reasoning_summary_part.added", self._at(**opened))
        if given:
            yield from self._more(given)

    def _more(self, text: str) -> Iterator[Event]:
        self._part = grown(self._part, text)
        name, more, _ = _KINDS[_kind(self._part)]
        yield self._event(f"{name}.delta", self._at(**more, delta=text))

    def _close(self) -> Iterator[Event]:
        kind = _kind(self._part)
        name, more, field = _KINDS[kind]
        whole = self._part.arguments if isinstance(self._part, ToolUse) else self._part.text
        named = {"name": self._part.name} if isinstance(self._part, ToolUse) else {}
        if kind != "seal":
            yield self._event(f"{name}.done", self._at(**more, **named, **{field: whole}))
        if kind in ("text", "refusal"):
            done = {"content_index": 0, "part": words(self._part)}  # type: ignore[arg-type]
            yield self._event("response.content_part.done", self._at(**done))
        if kind == "thought":
            done = {"summary_index": 0, "part": {"type": "summary_text", "text": whole}}
            yield self._event("response.reasoning_summary_part.done", self._at(**done))
        finished = self._item()
        yield self._event("response.output_item.done", {"output_index": len(self._output), "item": finished})
        self._output.append(finished)


class CompactionEncoder(ResponsesEncoder):
    """Writes the summary that was asked for as one item, at the end: nobody but us can read it."""

    def __init__(self, asked: Asked, counted: bool) -> None:
        super().__init__(asked, counted)
        self._summary = ""

    def _feed(self, delta: Delta) -> Iterator[Event]:
        if isinstance(delta, Done) and self._summary:
            item, place = compaction.item(self._summary, self._answer.id), {"output_index": 0}
            for moment in ("added", "done"):
                yield self._event(f"response.output_item.{moment}", {**place, "item": item})
            self._output.append(item)
        yield from super()._feed(delta)

    def _open(self, part: Text | Thinking | ToolUse) -> Iterator[Event]:
        self._part = part
        return self._more(part.text if isinstance(part, Text) else "")

    def _more(self, text: str) -> Iterator[Event]:
        self._summary += text if isinstance(self._part, Text) else ""
        return iter(())

    def _close(self) -> Iterator[Event]:
        return iter(())


def encoder(asked: Asked, counted: bool) -> ResponsesEncoder:
    return (CompactionEncoder if compaction.is_wanted(asked.body) else ResponsesEncoder)(asked, counted)


_KINDS: dict[str, tuple[str, Json, str]] = {
    "text": ("response.output_text", {"content_index": 0, "logprobs": []}, "text"),
    "refusal": ("response.refusal", {"content_index": 0}, "refusal"),
    "thought": ("response.reasoning_summary_text", {"summary_index": 0}, "text"),
    "seal": ("response.reasoning_summary_text", {"summary_index": 0}, "text"),
    "function": ("response.function_call_arguments", {}, "arguments"),
    "custom": ("response.custom_tool_call_input", {}, "input"),
}
"""Part → how its events are called, what they say besides, and what the last one calls the whole."""


def _kind(part: Text | Thinking | ToolUse) -> str:
    if isinstance(part, ToolUse):
        return part.kind
    if isinstance(part, Thinking):
        return "seal" if part.redacted else "thought"
    return "refusal" if part.refusal else "text"
