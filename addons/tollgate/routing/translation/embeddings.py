"""Embeddings: OpenAI's, which everybody's client speaks, to those that have a form of their own."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from struct import pack
from typing import Any
from urllib.parse import quote

import orjson

from tollgate.calls import Headers
from tollgate.dialects import dialect
from tollgate.dialects.paths import find, objects_at
from tollgate.routing.translation.codec import Json, totals
from tollgate.routing.translation.faults import Told, whole_fault
from tollgate.routing.translation.headers import json_headers
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.session import EventTranslator, Session, TranslatedRequest

SOURCE = "openai-embeddings"

_KNOWN = ("model", "input", "dimensions", "encoding_format")


@dataclass(frozen=True, slots=True)
class _Target:
    path: Callable[[str], str]
    write: Callable[[str, list[str], int | None], Json]
    """Model, texts, and how many dimensions, where the client says so."""
    vectors: Callable[[Any], list[Any]]


def _gemini(model: str, texts: list[str], dimensions: int | None) -> Json:
    """https://ai.google.dev/api/embeddings#method:-models.batchembedcontents"""
    name = f"models/{model.removeprefix('models/')}"
    sized = {"outputDimensionality": dimensions} if dimensions else {}
    return {"requests": [{"model": name, "content": {"parts": [{"text": t}]}, **sized} for t in texts]}


def _ollama(model: str, texts: list[str], dimensions: int | None) -> Json:
    """https://github.com/ollama/ollama/blob/main/docs/api.md#generate-embeddings"""
    return {"model": model, "input": texts, **({"dimensions": dimensions} if dimensions else {})}


def _cohere(model: str, texts: list[str], dimensions: int | None) -> Json:
    """https://docs.cohere.com/reference/embed: of all purposes, that of a stored text fits most."""
    sized = {"output_dimension": dimensions} if dimensions else {}
    purpose = {"input_type": "search_document", "embedding_types": ["float"]}
    return {"model": model, "texts": texts, **purpose, **sized}


def _openai(model: str, texts: list[str], dimensions: int | None) -> Json:
    sized = {"dimensions": dimensions} if dimensions else {}
    return {"model": model, "input": texts, "encoding_format": "float", **sized}


TARGETS: Mapping[str, _Target] = {
    SOURCE: _Target(
        lambda model: "/v1/embeddings",
        _openai,
        lambda answer: [row.get("embedding") for row in objects_at(answer, "data")],
    ),
    "gemini": _Target(
        lambda model: f"/v1beta/models/{quote(model.removeprefix('models/'), safe='')}:batchEmbedContents",
        _gemini,
        lambda answer: [row.get("values") for row in objects_at(answer, "embeddings")],
    ),
    "ollama": _Target(lambda model: "/api/embed", _ollama, lambda answer: find(answer, "embeddings")),
    "cohere-chat": _Target(
        lambda model: "/v2/embed", _cohere, lambda answer: find(answer, "embeddings.float")
    ),
}


def request(target: str, body: Mapping[str, Any], model: str) -> TranslatedRequest:
    """Untranslatable where the input is given as tokens: those of one model mean nothing to another."""
    losses = Losses()
    losses.rest(body, _KNOWN, hints=("user",))
    given = body.get("input")
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise Untranslatable("input must be text, or a list of texts: no other model knows these tokens")
    row = TARGETS[target]
    content = orjson.dumps(row.write(model, texts, body.get("dimensions")))
    session = Embedding(target, model, packed=body.get("encoding_format") == "base64")
    headers = {"content-type": "application/json"}
    return TranslatedRequest("POST", row.path(model), "", headers, content, losses, session=session)


@dataclass(frozen=True, slots=True)
class Embedding(Session):
    target: str
    model: str
    packed: bool
    """Whether the client wants numbers as base64, as OpenAI's SDK does if it is not told otherwise."""

    def answer(self, status: int, headers: Headers, body: bytes) -> Told:
        """ValueError where the target gives no vectors."""
        theirs = dialect(self.target)
        if told := whole_fault(theirs, dialect(SOURCE), status, headers, body):
            return told
        document = orjson.loads(body)
        vectors = TARGETS[self.target].vectors(document)
        if not isinstance(vectors, list) or not all(isinstance(vector, list) for vector in vectors):
            raise ValueError("the provider's answer holds no vectors")
        used, _ = totals(theirs.usage(document))
        written = {
            "object": "list",
            "data": [_row(n, self._value(vector)) for n, vector in enumerate(vectors)],
            "model": self.model,
            "usage": {"prompt_tokens": used, "total_tokens": used},
        }
        return status, json_headers(headers, SOURCE), orjson.dumps(written), []

    def events(self, headers: Headers | None = None) -> EventTranslator:
        raise Untranslatable("embeddings are never streamed")

    def _value(self, vector: list[float]) -> list[float] | str:
        """Four bytes for each number, the lowest first."""
        return b64encode(pack(f"<{len(vector)}f", *vector)).decode() if self.packed else vector


def _row(index: int, value: list[float] | str) -> Json:
    return {"object": "embedding", "index": index, "embedding": value}
