"""Streams of Ollama: each line is an answer of its own, with a piece of the text; calls are never cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tollgate.dialects.paths import objects_at, text_at
from tollgate.routing.translation.answers.ollama import read_call, stop_of
from tollgate.routing.translation.neutral import Delta, More, Text, Thinking
from tollgate.routing.translation.streams.common import StreamDecoder


class OllamaDecoder(StreamDecoder):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._calls = 0

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin("", text_at(document, ("model",)))
        if thought := text_at(document, ("message.thinking",)):
            yield from self.to("thought", Thinking())
            yield More(thought)
        if text := text_at(document, ("message.content",)):
            yield from self.to("text", Text(""))
            yield More(text)
        for call in objects_at(document, "message.tool_calls"):
            self._calls += 1
            yield from self.to(self._calls, read_call(call, f"{self.id}_{self._calls}"))
            yield from self.shut()
        if document.get("done") is True:
            yield from self.finish(stop_of(document, self.called))
            self.complete = True
