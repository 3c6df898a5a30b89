"""What the decoders of all dialects share, and what the encoders do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import orjson

from tollgate.calls import Event, Usage
from tollgate.dialects import Dialect
from tollgate.dialects.base import json_of
from tollgate.routing.translation.faults import fault
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import (
    Begin,
    Close,
    Delta,
    Done,
    Fail,
    Finish,
    Open,
    Stop,
    Text,
    Thinking,
    ToolUse,
    Used,
)
from tollgate.routing.translation.passes import loose_seals

CUT = Fail("The provider's answer broke off before its end.", "stream_cut")
INTERLEAVED = Fail(
    "The provider wrote two tool calls at once, which cannot be told here.", "interleaved_calls"
)
"""No provider is known to do that; a client that was told half of a call would act on it."""


class StreamDecoder(ABC):
    """Reads a target's events. A dialect says in `read` what one document means."""

    def __init__(self, dialect: Dialect, id: str, losses: Losses) -> None:
        self.dialect = dialect
        self.id = id
        """Of the answer: ours until the target names its own."""
        self.losses = losses
        self.finished = False
        """A reason to stop was given."""
        self.complete = False
        """Nothing more is to come."""
        self.called = False
        """Some tool was called."""
        self._stop: tuple[Stop, str] = ("end", "")
        self._usage: Usage | None = None
        self._begun = self._over = False
        self._open: Any = None

    def feed(self, event: Event) -> Iterator[Delta]:
        if self._over or event.data is None:
            return
        if failure := fault(self.dialect, event):
            yield from self.fail(failure)
            return
        document = json_of(event)
        if document is None:
            yield from self.read_other(event)
        else:
            yield from self.read(document, event.name)
            yield from self._used(document)
        if self.complete:
            yield from self.close()

    def close(self) -> Iterator[Delta]:
        if self._over:
            return
        self._over = True
        yield from self.shut()
        if self.finished:
            yield from self.begin(self.id, "")
            stop, sequence = self._stop
            yield Finish("tool_use" if stop == "end" and self.called else stop, sequence)
        yield Done() if self.finished else CUT

    @abstractmethod
    def read(self, document: Any, name: str) -> Iterable[Delta]: ...

    def fail(self, failure: Fail) -> Iterator[Delta]:
        """Nothing comes after it."""
        if not self._over:
            self._over = True
            yield failure

    def read_other(self, event: Event) -> Iterable[Delta]:
        """What an event means that is no JSON object: mostly nothing."""
        return ()

    def _used(self, document: Any) -> Iterator[Delta]:
        usage = self.dialect.usage(document, self._usage)
        if usage is not None and usage != self._usage and not self._over:
            self._usage = usage
            yield Used(usage)

    def begin(self, id: str, model: str, usage: Usage | None = None) -> Iterator[Delta]:
        """Once, with the first document."""
        if not self._begun:
            self._begun = True
            self.id, self._usage = id or self.id, usage
            yield Begin(self.id, model, usage)

    def to(self, key: Any, part: Text | Thinking | ToolUse) -> Iterator[Delta]:
        """Open a part, unless it is the one that is open, by the key that the dialect gives it."""
        if key != self._open:
            yield from self.shut()
            self._open = key
            self.called = self.called or isinstance(part, ToolUse)
            yield Open(part)

    def shut(self) -> Iterator[Delta]:
        if self._open is not None:
            self._open = None
            yield Close()

    def is_open(self, key: Any) -> bool:
        return bool(key == self._open)

    def finish(self, stop: Stop, sequence: str = "") -> Iterator[Delta]:
        """A reason to stop; told at the end, as some servers give one more than once, and go on."""
        self.finished, self._stop = True, (stop, sequence)
        yield from self.shut()


def with_loose_seals(delta: Delta) -> Iterator[Delta]:
    """A tool call's seal as a thought before it, for dialects that have no room for it on the call."""
    if isinstance(delta, Open) and isinstance(delta.part, ToolUse) and delta.part.signature:
        seal, call = loose_seals([delta.part])
        assert isinstance(seal, Thinking)
        assert isinstance(call, ToolUse)
        yield from (Open(seal), Close(), Open(call))
    else:
        yield delta


def grown(part: Text | Thinking | ToolUse, text: str) -> Text | Thinking | ToolUse:
    """An open part with more in it."""
    if isinstance(part, ToolUse):
        return replace(part, arguments=part.arguments + text)
    return replace(part, text=part.text + text)


def event(document: Any, name: str = "") -> Event:
    return Event(orjson.dumps(document), name)
