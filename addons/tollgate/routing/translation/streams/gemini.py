"""Streams of Gemini. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tollgate.calls import Event
from tollgate.dialects.gemini import GEMINI
from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.answers.gemini import (
    FINISHES,
    chunk,
    first_candidate,
    read_part,
    stop_of,
    write_part,
)
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
from tollgate.routing.translation.streams.common import StreamDecoder, event, grown


class GeminiDecoder(StreamDecoder):
    """Every event is an answer of its own, with a piece of each part; calls are never cut."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._parts = 0

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin(text_at(document, ("responseId",)), text_at(document, ("modelVersion",)))
        candidate = first_candidate(document)
        for part in objects_at(candidate, "content.parts"):
            yield from self._part(part)
        if candidate.get("groundingMetadata"):
            self.losses.note("citations", "candidates[0].groundingMetadata", hint=True)
        if stop := stop_of(document, self.called):
            yield from self.finish(stop)

    def _part(self, node: Json) -> Iterator[Delta]:
        self._parts += 1
        part = read_part(node, f"{self.id}_{self._parts}")
        if part is None:
            self.losses.note("a part that only this provider knows", "candidates[0].content.parts")
        elif isinstance(part, ToolUse):
            yield from self.to(f"call {self._parts}", part)
            yield from self.shut()
        elif isinstance(part, Text):
            if part.text:
                yield from self.to("text", Text(""))
                yield More(part.text)
        else:
            yield from self._thought(part)

    def _thought(self, part: Thinking) -> Iterator[Delta]:
        """A seal ends the thought that is open; alone it stands as a thought of which nothing can be read."""
        if part.text:
            yield from self.to("thought", Thinking())
            yield More(part.text)
        if part.signature and self.is_open("thought"):
            yield Seal(part.signature)
            yield from self.shut()
        elif part.signature:
            yield from self.to(f"seal {self._parts}", part)
            yield from self.shut()


class GeminiEncoder:
    """Writes words as they come, and each call whole, as this dialect cannot cut one."""

    def __init__(self, asked: Asked, counted: bool) -> None:
        self._answer = Answer("", "")
        self._part: Text | Thinking | ToolUse = Text("")

    def feed(self, delta: Delta) -> Iterable[Event]:
        match delta:
            case Begin():
                self._answer = Answer(delta.id, delta.model, usage=delta.usage)
            case Open(part):
                self._part = part
                sealed = isinstance(part, Thinking) and part.signature
                if sealed or (not isinstance(part, ToolUse) and part.text):
                    yield self._chunk(part)
            case More(text):
                yield from self._more(text)
            case Seal(signature):
                yield self._chunk(Thinking(signature=signature))
            case Close():
                if isinstance(self._part, ToolUse):
                    yield self._chunk(self._part)
            case Finish(stop):
                self._answer.stop = stop
            case Used(used):
                self._answer.usage = used
            case Fail():
                yield from GEMINI.error_events(delta.message, delta.code, "")
            case Done():
                finish = FINISHES.get(self._answer.stop, "STOP")
                yield event(chunk(self._answer, [{"text": ""}], finish))

    def _more(self, text: str) -> Iterator[Event]:
        if isinstance(self._part, ToolUse):
            self._part = grown(self._part, text)
        else:
            yield self._chunk(Thinking(text) if isinstance(self._part, Thinking) else Text(text))

    def _chunk(self, part: Text | Thinking | ToolUse) -> Event:
        return event(chunk(self._answer, [write_part(part)]))
