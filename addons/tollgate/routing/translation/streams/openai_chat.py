"""Streams of OpenAI Chat Completions. https://platform.openai.com/docs/api-reference/chat-streaming"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tollgate.calls import Event, Usage
from tollgate.dialects.openai_chat import CHAT
from tollgate.dialects.paths import is_count, objects_at, text_at
from tollgate.routing.translation.answers.openai_chat import FINISHES, STOPS, call, head, said, usage
from tollgate.routing.translation.codec import Asked, Json
from tollgate.routing.translation.neutral import (
    Begin,
    Delta,
    Done,
    Fail,
    Finish,
    More,
    Open,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.requests.openai_chat import read_call
from tollgate.routing.translation.streams.common import INTERLEAVED, StreamDecoder, event


class ChatDecoder(StreamDecoder):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._ids: dict[int, str] = {}
        """Of the last call at each index."""
        self._calls: set[tuple[int, str]] = set()

    def read(self, document: Any, name: str) -> Iterator[Delta]:
        yield from self.begin(text_at(document, ("id",)), text_at(document, ("model",)))
        for choice in objects_at(document, "choices"):
            if choice.get("index", 0) != 0:
                self.losses.note("all choices but the first", "choices")
                continue
            yield from self._delta(choice.get("delta"))
            if reason := text_at(choice, ("finish_reason",)):
                yield from self.finish(STOPS.get(reason, "end"))

    def read_other(self, event: Event) -> Iterator[Delta]:
        """Not every server gives a reason to stop; with this, an answer is complete as well."""
        if event.data is not None and event.data.strip() == b"[DONE]":
            self.complete = True
            if not self.finished:
                yield from self.finish("end")

    def _delta(self, delta: Any) -> Iterator[Delta]:
        thought, text = said(delta)
        if thought:
            yield from self.to("thought", Thinking())
            yield More(thought)
        if text:
            yield from self.to("text", Text(""))
            yield More(text)
        if refusal := text_at(delta, ("refusal",)):
            yield from self.to("refusal", Text("", refusal=True))
            yield More(refusal)
        for n, node in enumerate(objects_at(delta, "tool_calls")):
            yield from self._call(node, n)

    def _call(self, node: Json, position: int) -> Iterator[Delta]:
        """A call begins with its id and name; some servers give all of it at once, and no index, or the same
        index for all."""
        index = int(node["index"]) if is_count(node.get("index")) else len(self._calls) + position
        part = read_call(node, "")
        if (part.name and part.id) or index not in self._ids:
            self._ids[index] = part.id or f"call_{self.id}_{index}"
        key = (index, self._ids[index])
        if key in self._calls and not self.is_open(key):
            yield from self.fail(INTERLEAVED)
            return
        self._calls.add(key)
        yield from self.to(key, replace(part, id=key[1], arguments=""))
        if part.arguments:
            yield More(part.arguments)


class ChatEncoder:
    """Writes chunks; usage comes in one of its own at the end, where the client asked for it."""

    def __init__(self, asked: Asked, counted: bool) -> None:
        self._asked = asked
        self._counted = counted
        self._head: Json = {}
        self._usage: Usage | None = None
        self._calls = -1
        self._field = "content"

    def feed(self, delta: Delta) -> Iterable[Event]:
        match delta:
            case Begin():
                self._head = head(delta.id, delta.model, "chat.completion.chunk", self._asked.created)
                self._usage = delta.usage
                yield self._chunk({"role": "assistant", "content": "", "refusal": None})
            case Open(part):
                yield from self._open(part)
            case More(text):
                yield self._chunk(self._more(text))
            case Finish(stop):
                yield self._chunk({}, FINISHES.get(stop, "stop"))
            case Used(used):
                self._usage = used
            case Fail():
                yield from CHAT.error_events(delta.message, delta.code, "")
            case Done():
                yield from self._end()

    def _open(self, part: Text | Thinking | ToolUse) -> Iterator[Event]:
        if isinstance(part, ToolUse):
            self._calls += 1
            self._field = "custom" if part.kind == "custom" else "function"
            opened = call(part)
            opened[self._field]["input" if part.kind == "custom" else "arguments"] = part.arguments
            yield self._chunk({"tool_calls": [{"index": self._calls, **opened}]})
            return
        thinks = isinstance(part, Thinking)
        self._field = (
            "reasoning_content" if thinks else "refusal" if getattr(part, "refusal", False) else "content"
        )
        if part.text:
            yield self._chunk({self._field: part.text})

    def _more(self, text: str) -> Json:
        if self._field == "custom":
            return {"tool_calls": [{"index": self._calls, "custom": {"input": text}}]}
        if self._field == "function":
            return {"tool_calls": [{"index": self._calls, "function": {"arguments": text}}]}
        return {self._field: text}

    def _chunk(self, delta: Json, finish: str | None = None) -> Event:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        counted = {"usage": None} if self._counted else {}
        return event({**self._head, "choices": [choice], **counted})

    def _end(self) -> Iterator[Event]:
        if self._counted:
            yield event({**self._head, "choices": [], "usage": usage(self._usage)})
        yield Event(b"[DONE]")
