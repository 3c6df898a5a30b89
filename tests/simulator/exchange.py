"""What goes in and out of every dialect: the request that was read, the answer to be written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import orjson

from simulator.behaviour import Behaviour
from simulator.reply import Prompt, Reply, Usage, compose
from simulator.shapes import Shape, ShapeError, check

JSON = "application/json"
SSE = "text/event-stream; charset=utf-8"


class Mistake(Exception):
    """What the provider does not accept, to be told in its own shape."""

    def __init__(self, status: int, message: str, param: str = "", code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code


@dataclass
class Ask:
    """A request as a dialect sees it."""

    method: str
    host: str
    path: str
    """Still percent-encoded."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    raw_headers: list[tuple[str, str]]
    raw_query: str
    body: bytes
    """Its content-encoding undone."""
    behaviour: Behaviour
    params: Mapping[str, str] = field(default_factory=dict)
    """What the pattern of the path named."""

    @cached_property
    def digest(self) -> str:
        """The same for the same request, so that ids in answers are."""
        return hashlib.sha256(self.path.encode() + self.body).hexdigest()

    def json(self, shape: Shape, prepare: Callable[[Any], Any] | None = None) -> Any:
        """The body, prepared and checked. `Mistake` where it is not JSON or not of that shape."""
        if (
            not self.headers.get("content-type", JSON).lower().startswith(JSON)
        ):  # boto3's InvokeModel names none
            raise Mistake(415, f"Unsupported content type; use {JSON}")
        try:
            value = orjson.loads(self.body)
        except orjson.JSONDecodeError as e:
            raise Mistake(400, f"We could not parse the JSON body of your request: {e.msg}") from e
        value = prepare(value) if prepare else value
        try:
            check(value, shape)
        except ShapeError as e:
            raise Mistake(400, str(e), param=e.place) from e
        return value

    def reply(self, prompt: Prompt) -> Reply:
        return compose(prompt, self.behaviour, self.digest)


@dataclass
class Answer:
    """What a dialect gives back: one piece where it is whole, one for each event where it is streamed."""

    pieces: Iterable[bytes]
    content_type: str = JSON
    streamed: bool = False
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    usage: Usage | None = None
    """What it tells of its usage; None where it does not."""


type Operation = Callable[[Ask], Answer]


def whole(value: Any, usage: Usage | None = None, **kwargs: Any) -> Answer:
    return Answer([orjson.dumps(value)], usage=usage, **kwargs)


def stream(pieces: Iterator[bytes], usage: Usage | None, content_type: str = SSE) -> Answer:
    return Answer(pieces, content_type, streamed=True, usage=usage)


def sse(data: Any, name: str = "", eol: str = "\n") -> bytes:
    """One server-sent event; `data` is text, or a value to be written as JSON."""
    text = data if isinstance(data, str) else orjson.dumps(data).decode()
    head = f"event: {name}{eol}" if name else ""
    return f"{head}data: {text}{eol}{eol}".encode()
