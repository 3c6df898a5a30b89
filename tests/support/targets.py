"""Simulated providers in this process, each of which checks strictly what it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from multidict import CIMultiDict

from simulator import providers
from simulator.behaviour import Behaviour
from simulator.errors import BROKEN
from simulator.exchange import Answer, Ask, Mistake
from simulator.providers import Provider
from tollgate.calls import Event
from tollgate.dialects import DIALECTS, FRAMINGS, dialect
from tollgate.routing.translation import TranslatedRequest, request

PROVIDERS: Mapping[str, Provider] = {
    "openai-chat": providers.OPENAI,
    "openai-responses": providers.OPENAI,
    "openai-embeddings": providers.OPENAI,
    "anthropic-messages": providers.ANTHROPIC,
    "gemini": providers.GEMINI,
    "bedrock-converse": providers.BEDROCK,
    "ollama": providers.OLLAMA,
    "cohere-chat": providers.COHERE,
}
KEYS = {"authorization": "Bearer sk-fake", "x-api-key": "sk-fake", "x-goog-api-key": "AIza-fake"}
PATHS = {
    "openai-chat": "/v1/chat/completions",
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "bedrock-converse": "/model/m/converse",
    "openai-embeddings": "/v1/embeddings",
}
MODELS = {
    "openai-chat": "gpt-6-mini",
    "openai-responses": "gpt-6-mini",
    "anthropic-messages": "claude-sonnet-5-5",
    "gemini": "gemini-3-flash",
    "bedrock-converse": "us.anthropic.claude-sonnet-5-5-v1:0",
    "ollama": "llama3.3",
    "cohere-chat": "command-a-03-2025",
    "openai-embeddings": "text-embedding-3-small",
}


@dataclass(frozen=True)
class Reached:
    """What a target was asked, and what it answered."""

    sent: TranslatedRequest
    target: str
    status: int
    headers: CIMultiDict[str]
    pieces: list[bytes]

    @property
    def body(self) -> Any:
        return orjson.loads(self.sent.body)

    def whole(self) -> tuple[int, Any]:
        """What the client is told."""
        status, _, body, _ = self.sent.session.answer(self.status, self.headers, b"".join(self.pieces))
        return status, orjson.loads(body)

    def events(self, chunk: int = 0) -> list[Event]:
        """The events that the client is told; the target's bytes come in chunks of that size."""
        data = b"".join(self.pieces)
        decoder = FRAMINGS[dialect(self.target).framing].decoder()
        translator = self.sent.session.events(self.headers)
        step = chunk or len(data) or 1
        out: list[Event] = []
        for start in range(0, len(data), step):
            for event in decoder.feed(data[start : start + step]):
                out += translator.feed(event)
        for event in decoder.close():
            out += translator.feed(event)
        return out + translator.close()


def reach(source: str, target: str, body: Any, *, stream: bool = False, **behaviour: Any) -> Reached:
    """Ask a simulated target what a client asks in its own dialect."""
    sent = request(
        source,
        target,
        path=PATHS[source],
        params={},
        headers=CIMultiDict(),
        body=body,
        model=MODELS[target],
        stream=stream,
    )
    answer = ask(target, sent, Behaviour(**behaviour))
    headers = CIMultiDict({"content-type": answer.content_type, **answer.headers})
    return Reached(sent, target, answer.status, headers, list(_delivered(answer, Behaviour(**behaviour))))


def ask(target: str, sent: TranslatedRequest, behaviour: Behaviour) -> Answer:
    """What the simulated provider says to a request, refusals included."""
    provider = PROVIDERS[target]
    query = dict(pair.split("=", 1) for pair in sent.query.split("&") if pair)
    headers = {**KEYS, **sent.headers}
    asked = Ask(
        sent.method, "", sent.path, query, headers, list(headers.items()), sent.query, sent.body, behaviour
    )
    try:
        provider.authorise(asked)
        route, asked.params = provider.route(asked)
        if behaviour.status:
            raise Mistake(behaviour.status, BROKEN.message)
        answer = route.operation(asked)
        if behaviour.error_after >= 0:
            answer.pieces = [*list(answer.pieces)[: behaviour.error_after], route.fault(BROKEN)]
    except Mistake as mistake:
        answer = provider.error(mistake, asked)
    answer.headers.setdefault(provider.id_header, f"req_{asked.digest[:24]}")
    return answer


def _delivered(answer: Answer, behaviour: Behaviour) -> Iterator[bytes]:
    for number, piece in enumerate(answer.pieces):
        if 0 <= behaviour.cut <= number:
            return
        yield piece


assert set(PROVIDERS) <= {name for name, _ in DIALECTS}
