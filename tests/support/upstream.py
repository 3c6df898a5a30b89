"""Calls and replies as the upstream room meets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from multidict import CIMultiDict

from tollgate.calls import Body, Call, CallError, Event, Identity, Request
from tollgate.dialects import dialect
from tollgate.policy import Settings
from tollgate.upstream.reply import Reply

CHAT = {"usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}, "model": "gpt-4o-2024"}
"""What an OpenAI answer says of itself."""


def make_request(
    body: bytes = b'{"model":"gpt-4o"}',
    *,
    host: str = "localhost",
    port: int = 443,
    scheme: str = "https",
    method: str = "POST",
    target: str = "/v1/chat/completions",
    headers: Iterable[tuple[str, str]] = (),
) -> Request:
    named = CIMultiDict(headers or [("Host", host), ("Content-Type", "application/json")])
    return Request(method, scheme, host, port, target, named, Body(body))


def make_call(
    request: Request | None = None,
    *,
    stream: bool = False,
    speaks: str = "openai-chat",
    policy: Mapping[str, Any] | None = None,
    params: Mapping[str, str] | None = None,
) -> Call:
    request = request or make_request()
    return Call(
        id="call-1",
        time=0.0,
        identity=Identity(user="alice", address="127.0.0.1"),
        provider="openai",
        dialect=dialect(speaks),
        operation="chat",
        model="gpt-4o",
        stream=stream,
        params=params or {},
        policy=Settings.model_validate(policy or {}),
        client_request=request,
        request=request,
    )


class Played:
    """A reply without a network: gives the pieces, then the error or the end."""

    def __init__(
        self,
        *pieces: bytes,
        status: int = 200,
        headers: Iterable[tuple[str, str]] = (("Content-Type", "application/json"),),
        error: CallError | None = None,
        delimited: bool = False,
    ) -> None:
        self.status = status
        self.headers = CIMultiDict(headers)
        self.pieces = list(pieces)
        self.closed = False
        self.delimited = delimited
        self._error = error

    async def read(self) -> bytes:
        if not self.pieces and self._error:
            raise self._error
        return self.pieces.pop(0) if self.pieces else b""

    def put_back(self, pieces: Iterable[bytes]) -> None:
        self.pieces[:0] = pieces

    def close(self) -> None:
        self.closed = True

    @property
    def reply(self) -> Reply:
        return cast(Reply, self)


def raw(events: Iterable[Event]) -> bytes:
    """The bytes that those events were cut from."""
    return b"".join(event.raw or b"" for event in events)
