"""Streams of Anthropic Messages. https://platform.claude.com/docs/en/build-with-claude/streaming"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from tollgate.calls import Event, Usage
from tollgate.dialects.anthropic import MESSAGES
from tollgate.dialects.paths import text_at
from tollgate.routing.translation.answers.anthropic import BLOCKS, REASONS, STOPS, block, head, usage
from tollgate.routing.translation.codec import Asked, Json
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
from tollgate.routing.translation.signatures import unwrap, wrap
from tollgate.routing.translation.streams.common import StreamDecoder, event, with_loose_seals

_FAMILY = "anthropic"

_PIECES = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class MessagesDecoder(StreamDecoder):
    def read(self, document: Any, name: str) -> Iterator[Delta]:
        kind = text_at(document, ("type",))
        if kind == "message_start":
            message = document.get("message")
            used = self.dialect.usage(document)
            yield from self.begin(text_at(message, ("id",)), text_at(message, ("model",)), used)
        elif kind == "content_block_start":
            yield from self._start(document.get("index"), document.get("content_block"))
        elif kind == "content_block_delta" and self.is_open(document.get("index")):
            yield from self._delta(document.get("delta"))
        elif kind == "content_block_stop" and self.is_open(document.get("index")):
            yield from self.shut()
        elif kind == "message_delta":
            if reason := text_at(document, ("delta.stop_reason",)):
                yield from self.finish(STOPS.get(reason, "end"), text_at(document, ("delta.stop_sequence",)))
        elif kind == "message_stop":
            self.complete = True

    def _start(self, index: Any, node: Any) -> Iterator[Delta]:
        """The input of a call is empty here, and comes in pieces of JSON."""
        reader = BLOCKS.get(text_at(node, ("type",)))
        if reader is None:
            self.losses.note("a block that only this provider knows", f"content[{index}]")
            return
        part = reader(node)
        if isinstance(part, ToolUse):
            part.arguments = "" if part.arguments == "{}" else part.arguments
        assert isinstance(part, Text | Thinking | ToolUse)
        yield from self.to(index, part)

    def _delta(self, delta: Any) -> Iterator[Delta]:
        kind = text_at(delta, ("type",))
        if field := _PIECES.get(kind):
            if piece := text_at(delta, (field,)):
                yield More(piece)
        elif kind == "signature_delta":
            yield Seal(unwrap(text_at(delta, ("signature",)), _FAMILY))
        elif kind == "citations_delta":
            self.losses.note("citations", "content", hint=True)


class MessagesEncoder:
    """Writes one block after the other, each opened and closed."""

    def __init__(self, asked: Asked, counted: bool) -> None:
        self._index = -1
        self._part: Text | Thinking | ToolUse = Text("")
        self._sealed = False
        self._end = Finish("end")
        self._usage: Usage | None = None

    def feed(self, delta: Delta) -> Iterable[Event]:
        for each in with_loose_seals(delta):
            yield from self._feed(each)

    def _feed(self, delta: Delta) -> Iterator[Event]:
        match delta:
            case Begin():
                self._usage = delta.usage
                yield _begun(delta)
            case Open(part):
                yield from self._open(part)
            case More(text):
                yield self._delta(_piece(self._part, text))
            case Seal(signature):
                self._sealed = True
                yield self._delta({"type": "signature_delta", "signature": wrap(signature, _FAMILY)})
            case Close():
                yield from self._close()
            case Finish():
                self._end = delta
            case Used(used):
                self._usage = used
            case Fail():
                yield from MESSAGES.error_events(delta.message, delta.code, "")
            case Done():
                yield from self._ended()

    def _open(self, part: Text | Thinking | ToolUse) -> Iterator[Event]:
        """What the part holds already comes as its first piece; only a redacted thought stands whole."""
        self._index += 1
        self._part = part
        self._sealed = isinstance(part, Thinking) and part.redacted
        opened = block(_emptied(part))
        if isinstance(part, Thinking) and not part.redacted:
            opened["signature"] = ""
        yield _named({"type": "content_block_start", "index": self._index, "content_block": opened})
        if text := part.arguments if isinstance(part, ToolUse) else part.text:
            yield self._delta(_piece(part, text))
        if isinstance(part, Thinking) and part.signature and not part.redacted:
            yield from self._feed(Seal(part.signature))

    def _close(self) -> Iterator[Event]:
        """A thought that nobody signed says so: its client gives back what it was given."""
        if isinstance(self._part, Thinking) and not self._sealed:
            unsigned = block(Thinking())["signature"]
            yield self._delta({"type": "signature_delta", "signature": unsigned})
        yield _named({"type": "content_block_stop", "index": self._index})

    def _delta(self, delta: Json) -> Event:
        return _named({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _ended(self) -> Iterator[Event]:
        reason = REASONS.get(self._end.stop, "end_turn")
        end = {"stop_reason": reason, "stop_sequence": self._end.sequence or None}
        yield _named({"type": "message_delta", "delta": end, "usage": usage(self._usage)})
        yield _named({"type": "message_stop"})


def _named(document: Json) -> Event:
    return event(document, document["type"])


def _begun(begin: Begin) -> Event:
    opening: Json = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage(begin.usage)}
    return _named({"type": "message_start", "message": {**head(begin.id, begin.model), **opening}})


def _emptied(part: Text | Thinking | ToolUse) -> Text | Thinking | ToolUse:
    if isinstance(part, ToolUse):
        return replace(part, arguments="")
    return part if isinstance(part, Thinking) and part.redacted else replace(part, text="")


def _piece(part: Text | Thinking | ToolUse, text: str) -> Json:
    if isinstance(part, ToolUse):
        return {"type": "input_json_delta", "partial_json": text}
    if isinstance(part, Thinking):
        return {"type": "thinking_delta", "thinking": text}
    return {"type": "text_delta", "text": text}
