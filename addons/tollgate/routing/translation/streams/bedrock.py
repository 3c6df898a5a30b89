"""Streams of Bedrock's Converse.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tollgate.calls import Event, Usage
from tollgate.dialects.bedrock import CONVERSE
from tollgate.dialects.paths import object_at, text_at
from tollgate.routing.translation.answers.bedrock import REASONS, STOPS, redacted, usage
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.ids import renamed
from tollgate.routing.translation.neutral import (
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
from tollgate.routing.translation.requests.bedrock import of_its_own_tool, unpacked
from tollgate.routing.translation.signatures import unwrap, wrap, wrap_any
from tollgate.routing.translation.streams.common import StreamDecoder, event, with_loose_seals

_FAMILY = "anthropic"


class ConverseDecoder(StreamDecoder):
    """Only calls are announced by a start. Usage comes last, after the reason to stop."""

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin(self.id, "")
        place = document.get("contentBlockIndex")
        if name == "contentBlockStart":
            yield from self._start(place, document)
        elif name == "contentBlockDelta":
            yield from self._delta(place, document.get("delta"))
        elif name == "contentBlockStop" and self.is_open(place):
            yield from self.shut()
        elif name == "messageStop":
            yield from self.finish(STOPS.get(text_at(document, ("stopReason",)), "end"))
        elif name == "metadata":
            self.complete = True

    def _start(self, place: Any, document: Any) -> Iterator[Delta]:
        begun = object_at(document, ("start",)) or {}
        call = object_at(begun, ("toolUse",))
        if call is None or of_its_own_tool(begun):
            self.losses.note("a block that only this provider knows", f"content[{place}]")
            return
        yield from self.to(place, ToolUse(text_at(call, ("toolUseId",)), text_at(call, ("name",))))

    def _delta(self, place: Any, delta: Any) -> Iterator[Delta]:
        if text := text_at(delta, ("text",)):
            yield from self.to(place, Text(""))
            yield More(text)
        if (piece := text_at(delta, ("toolUse.input",))) and self.is_open(place):
            yield More(piece)
        if object_at(delta, ("reasoningContent",)) is not None:
            yield from self._thought(place, delta["reasoningContent"])
        if object_at(delta, ("citation",)) is not None:
            self.losses.note("citations", f"content[{place}]", hint=True)

    def _thought(self, place: Any, node: Json) -> Iterator[Delta]:
        if hidden := text_at(node, ("redactedContent",)):
            yield from self.to(place, Thinking(signature=unpacked(hidden), redacted=True))
            return
        yield from self.to(place, Thinking())
        if text := text_at(node, ("text",)):
            yield More(text)
        if seal := text_at(node, ("signature",)):
            yield Seal(unwrap(seal, _FAMILY))


class ConverseEncoder:
    def __init__(self, asked: Asked, counted: bool) -> None:
        self._index = -1
        self._part: Text | Thinking | ToolUse = Text("")
        self._sealed = False
        self._usage: Usage | None = None

    def feed(self, delta: Delta) -> Iterable[Event]:
        for each in with_loose_seals(delta):
            yield from self._feed(each)

    def _feed(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case Begin():
                self._usage = delta.usage
                yield event({"role": "assistant"}, "messageStart")
            case Open(part):
                yield from self._open(part)
            case More(text):
                yield self._delta(_piece(self._part, text))
            case Seal(signature):
                self._sealed = True
                yield self._delta({"reasoningContent": {"signature": wrap(signature, _FAMILY)}})
            case Close():
                yield from self._close()
            case Finish(stop):
                yield event({"stopReason": REASONS.get(stop, "end_turn")}, "messageStop")
            case Used(used):
                self._usage = used
            case Fail():
                yield from CONVERSE.error_events(delta.message, delta.code, "")
            case Done():
                yield event({"usage": usage(self._usage), "metrics": {"latencyMs": 0}}, "metadata")

    def _open(self, part: Text | Thinking | ToolUse) -> Iterator[Event]:
        self._index += 1
        self._part, self._sealed = part, False
        if isinstance(part, ToolUse):
            start = {"toolUse": {"toolUseId": renamed(part.id, "tooluse_"), "name": part.name}}
            yield event({"contentBlockIndex": self._index, "start": start}, "contentBlockStart")
        elif isinstance(part, Thinking) and part.redacted:
            self._sealed = True
            yield self._delta({"reasoningContent": {"redactedContent": redacted(part)}})
        if text := part.arguments if isinstance(part, ToolUse) else part.text:
            yield self._delta(_piece(part, text))
        if isinstance(part, Thinking) and part.signature and not part.redacted:
            yield from self._feed(Seal(part.signature))

    def _close(self) -> Iterator[Event]:
        if isinstance(self._part, Thinking) and not self._sealed:
            yield self._delta({"reasoningContent": {"signature": wrap_any(None, _FAMILY)}})
        yield event({"contentBlockIndex": self._index}, "contentBlockStop")

    def _delta(self, delta: Json) -> Event:
        return event({"contentBlockIndex": self._index, "delta": delta}, "contentBlockDelta")


def _piece(part: Text | Thinking | ToolUse, text: str) -> Json:
    if isinstance(part, ToolUse):
        return {"toolUse": {"input": text}}
    return {"reasoningContent": {"text": text}} if isinstance(part, Thinking) else {"text": text}
