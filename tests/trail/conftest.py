"""Calls for the tests of this room."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from multidict import CIMultiDict

from tollgate.calls import Body, Call, Identity, Request, Timings
from tollgate.policy import Settings


def make_call(**changes: Any) -> Call:
    """A streamed answer of Anthropic's to Claude Code, with any of its fields changed."""
    body = Body(
        b'{"model": "claude-sonnet-4-5", "messages": [{"role": "user", "content": "a secret prompt"}]}'
    )
    request = Request(
        method="POST",
        scheme="https",
        host="api.anthropic.com",
        port=443,
        target="/v1/messages?beta=true&key=sk-in-the-query",
        headers=CIMultiDict({"x-api-key": "sk-in-a-header"}),
        body=body,
    )
    fields: dict[str, Any] = {
        "id": "01TEST",
        "time": 1_700_000_000.125,
        "identity": Identity("127.0.0.1", "127.0.0.1", tool="claude-code"),
        "provider": "anthropic",
        "dialect": SimpleNamespace(name="anthropic-messages"),
        "operation": "chat",
        "model": "claude-sonnet-4-5",
        "stream": True,
        "params": {},
        "policy": Settings(),
        "client_request": request,
        "request": request,
        "outcome": "answered",
        "status": 200,
        "bytes_in": len(body.wire),
        "timings": Timings(started=10.0, sent=10.002, first_byte=10.5, first_out=10.501, ended=12.0),
    }
    return Call(**(fields | changes))


@pytest.fixture
def new_call() -> Callable[..., Call]:
    return make_call
