"""Streams of Cohere's chat. https://docs.cohere.com/v2/docs/streaming"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from tollgate.dialects.paths import object_at, text_at
from tollgate.routing.translation.answers.cohere import STOPS
from tollgate.routing.translation.neutral import Delta, More, Text, Thinking
from tollgate.routing.translation.requests.openai_chat import read_call
from tollgate.routing.translation.streams.common import StreamDecoder


class CohereDecoder(StreamDecoder):
    """Answers do not name their model. Places are counted anew for words and for calls."""

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin(text_at(document, ("id",)), "")
        kind = text_at(document, ("type",)) or name
        place = document.get("index")
        if text := text_at(document, ("delta.message.content.text",)):
            yield from self.to(("text", place), Text(""))
            yield More(text)
        if thought := text_at(document, ("delta.message.content.thinking", "delta.message.tool_plan")):
            yield from self.to(("thought", place), Thinking())
            yield More(thought)
        if kind in ("tool-call-start", "tool-call-delta"):
            yield from self._call(place, object_at(document, ("delta.message.tool_calls",)) or {})
        elif kind in ("content-end", "tool-call-end"):
            yield from self.shut()
        elif kind == "citation-start":
            self.losses.note("citations", "message.citations", hint=True)
        elif kind == "message-end":
            reason = text_at(document, ("delta.finish_reason",))
            yield from self.finish(STOPS.get(reason, "end"))
            self.complete = True

    def _call(self, place: Any, node: dict[str, Any]) -> Iterator[Delta]:
        part = read_call(node, "")
        if part.name:
            yield from self.to(("call", place), replace(part, arguments=""))
        if part.arguments:
            yield More(part.arguments)
