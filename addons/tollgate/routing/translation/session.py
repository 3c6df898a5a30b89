"""The way back of a call that was translated: its answer, whole, streamed, or an error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import orjson

from tollgate.calls import Event, Headers
from tollgate.dialects.paths import find, text_at
from tollgate.routing.translation.codec import Asked, Codec, Decoder, Encoder
from tollgate.routing.translation.faults import Told, whole_fault
from tollgate.routing.translation.headers import created, json_headers
from tollgate.routing.translation.loss import Loss, Losses
from tollgate.routing.translation.neutral import Answer, Begin, Delta, Done, Fail, ToolUse
from tollgate.routing.translation.toolnames import ToolNames, ToolRestorer

_OF_THE_WIRE = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})
"""What headers say of bytes as they travelled, not as they are here."""


class EventTranslator:
    """The events of a target's stream in, those for the client out; one in gives what it gives, at once."""

    def __init__(self, session: Conversation, decoder: Decoder, encoder: Encoder, losses: Losses) -> None:
        self.losses: list[Loss] = losses
        self._model = session.model
        self._decoder = decoder
        self._encoder = encoder
        self._restorer = ToolRestorer(session.names)
        self._over = False

    def feed(self, event: Event) -> list[Event]:
        """After an error of the target, told as one of the source, nothing more comes out."""
        return self._told(self._decoder.feed(event))

    def close(self) -> list[Event]:
        """The target's stream has ended: what was still due, or the source's error if it ended too early."""
        return self._told(self._decoder.close())

    def _told(self, deltas: Iterable[Delta]) -> list[Event]:
        out: list[Event] = []
        for delta in deltas:
            if self._over:
                break
            self._over = isinstance(delta, Done | Fail)
            for each in self._restorer.feed(self._named(delta)):
                out += self._encoder.feed(each)
        return out

    def _named(self, delta: Delta) -> Delta:
        """Some dialects do not say which model answers; then it is the one that was asked."""
        return replace(delta, model=delta.model or self._model) if isinstance(delta, Begin) else delta


class Untouched(EventTranslator):
    """Events of a target that speaks the client's own dialect."""

    def __init__(self) -> None:
        self.losses = []

    def feed(self, event: Event) -> list[Event]:
        return [event]

    def close(self) -> list[Event]:
        return []


class Session(Protocol):
    """One attempt: what the way back needs of the way there."""

    def answer(self, status: int, headers: Headers, body: bytes) -> Told:
        """A whole answer, or an error, in the source's dialect; ValueError where an answer is no JSON."""

    def events(self, headers: Headers | None = None) -> EventTranslator:
        """For a streamed answer; its headers say when it was given, and at times its id."""


@dataclass(frozen=True, slots=True)
class Conversation(Session):
    """Of a call that asks a model to go on with a conversation."""

    source: Codec
    target: Codec
    asked: Asked
    names: ToolNames
    model: str
    """The target's name for it."""
    counted: bool
    """Whether the client wants a stream to tell its usage."""
    id: str
    """For answers that have none, the same for the same request."""

    def answer(self, status: int, headers: Headers, body: bytes) -> Told:
        if self.source is self.target:
            return status, {n: v for n, v in headers.items() if n.lower() not in _OF_THE_WIRE}, body, []
        if told := whole_fault(self.target.dialect, self.source.dialect, status, headers, body):
            return told
        losses = Losses()
        answer = self._read(orjson.loads(body), headers, losses)
        assert self.source.write_answer
        written = self.source.write_answer(answer, replace(self.asked, created=created(headers)))
        return status, json_headers(headers, self.source.dialect.name), orjson.dumps(written), losses

    def events(self, headers: Headers | None = None) -> EventTranslator:
        if self.source is self.target:
            return Untouched()
        losses = Losses()
        given: Mapping[str, str] = headers if headers is not None else {}
        decoder = self.target.decoder(self.target.dialect, self._id(given), losses)
        assert self.source.encoder
        encoder = self.source.encoder(replace(self.asked, created=created(given)), self.counted)
        return EventTranslator(self, decoder, encoder, losses)

    def _read(self, document: Any, headers: Headers, losses: Losses) -> Answer:
        row = self.target.dialect
        if not any(isinstance(find(document, path), dict | list) for path in self.target.marks):
            raise ValueError(f"it has no {' and no '.join(self.target.marks)}")
        id = text_at(document, ("id", "responseId")) or self._id(headers)
        answer = Answer(id, row.answered_model(document) or self.model, usage=row.usage(document))
        self.target.read_answer(document, answer, losses)
        answer.parts = [
            self.names.restore(part) if isinstance(part, ToolUse) else part for part in answer.parts
        ]
        return answer

    def _id(self, headers: Mapping[str, str]) -> str:
        return headers.get("x-amzn-requestid", "") or self.id


@dataclass(frozen=True, slots=True)
class TranslatedRequest:
    """What to send to the target. Credentials, and what the target's host wants besides, are not in it."""

    method: str
    path: str
    """As the target dialect's own provider has it: "/v1/messages"."""
    query: str
    headers: dict[str, str]
    body: bytes
    losses: list[Loss] = field(default_factory=list)
    session: Session = field(kw_only=True)
