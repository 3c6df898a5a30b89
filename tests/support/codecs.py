"""A dialect's codec, one step at a time: bodies to the neutral form and back, events to pieces and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from multidict import CIMultiDict

from simulator.behaviour import Behaviour
from simulator.exchange import Answer as Simulated
from support.targets import MODELS, PATHS, ask
from tollgate.calls import Event
from tollgate.dialects import FRAMINGS
from tollgate.routing.translation import TranslatedRequest
from tollgate.routing.translation.codec import Asked
from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import Answer, Delta, Request
from tollgate.routing.translation.registry import CODECS
from tollgate.routing.translation.session import Conversation
from tollgate.routing.translation.toolnames import ToolNames

JSON = {"content-type": "application/json"}


def read_request(dialect: str, body: Mapping[str, Any], model: str = "m") -> tuple[Request, Losses]:
    request, losses = Request(model, stream=False), Losses()
    reader = CODECS[dialect].read_request
    assert reader
    reader(Asked(body), request, losses)
    return request, losses


def write_request(dialect: str, request: Request) -> tuple[Any, Losses]:
    """The body as it goes over the wire."""
    losses = Losses()
    return orjson.loads(orjson.dumps(CODECS[dialect].write_request(request, losses))), losses


def accepted(dialect: str, request: Request) -> Simulated:
    """What the strict simulated provider says to it."""
    codec = CODECS[dialect]
    body = orjson.dumps(codec.write_request(request, Losses()))
    path, query = codec.address(MODELS[dialect], request.stream)
    session = Conversation(codec, codec, Asked({}), ToolNames(custom=True), "m", True, "0")
    headers = {**JSON, **codec.headers}
    sent = TranslatedRequest("POST", path, query, headers, body, session=session)
    return ask(dialect, sent, Behaviour())


def read_answer(dialect: str, document: Any) -> tuple[Answer, Losses]:
    answer, losses = Answer("id_1", "m"), Losses()
    CODECS[dialect].read_answer(document, answer, losses)
    return answer, losses


def write_answer(dialect: str, answer: Answer, body: Mapping[str, Any] | None = None) -> Any:
    writer = CODECS[dialect].write_answer
    assert writer
    return orjson.loads(orjson.dumps(writer(answer, Asked(body or {}, created=7))))


def decode(dialect: str, events: Iterable[Event], *, close: bool = True) -> tuple[list[Delta], Losses]:
    losses = Losses()
    decoder = CODECS[dialect].decoder(CODECS[dialect].dialect, "seed", losses)
    deltas = [delta for event in events for delta in decoder.feed(event)]
    return deltas + (list(decoder.close()) if close else []), losses


def decode_bytes(dialect: str, data: bytes, size: int) -> list[Delta]:
    """The same of a stream that comes in chunks of that size."""
    framing = FRAMINGS[CODECS[dialect].dialect.framing].decoder()
    chunks = [data[n : n + size] for n in range(0, len(data), size)]
    events = [event for chunk in chunks for event in framing.feed(chunk)]
    return decode(dialect, [*events, *framing.close()])[0]


def encode(
    dialect: str, deltas: Iterable[Delta], body: Mapping[str, Any] | None = None, *, counted: bool = True
) -> list[Event]:
    maker = CODECS[dialect].encoder
    assert maker
    encoder = maker(Asked(body or {}, headers=CIMultiDict(), created=7), counted)
    return [event for delta in deltas for event in encoder.feed(delta)]


def documents(events: Iterable[Event]) -> list[Any]:
    """The payloads of events, `[DONE]` as None."""
    return [None if event.data == b"[DONE]" else orjson.loads(event.data or b"null") for event in events]


assert set(PATHS) - {"openai-embeddings"} == {name for name, row in CODECS.items() if row.read_request}
