"""Policies with routes, and calls under them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from support.upstream import make_call, make_request
from tollgate.calls import CLIENT, Answer, Call, Leg, Runtime, Standing, Target
from tollgate.dialects import dialect
from tollgate.policy import Policy, PolicyFile
from tollgate.policy.routing import Breaker, Limits
from tollgate.providers import Providers
from tollgate.store import Digester

CHATS = "/v1/chat/completions"
HEADERS = (("Host", "api.openai.com"), ("Authorization", "Bearer of-the-client"))
HELLO = {"model": "gpt-6", "messages": [{"role": "user", "content": "hello"}]}


def runtime(**policy: Any) -> Runtime:
    found = Policy(PolicyFile.model_validate(policy))
    return Runtime(found, Providers.builtin().with_hosts(found.file.hosts), Path(), Digester(b"k"))


def call_of(
    policy: Mapping[str, Any] | None = None,
    body: Any = None,
    *,
    speaks: str = "openai-chat",
    provider: str = "openai",
    operation: str = "chat",
    host: str = "api.openai.com",
    target: str = CHATS,
    headers: Iterable[tuple[str, str]] = (
        ("Host", "api.openai.com"),
        ("Authorization", "Bearer of-the-client"),
    ),
    params: Mapping[str, str] | None = None,
) -> Call:
    """A call as it comes to `routing`: its body read."""
    content = body if isinstance(body, bytes) else json.dumps(HELLO if body is None else body).encode()
    call = make_call(
        make_request(content, host=host, target=target, headers=headers), policy=policy, params=params
    )
    call.dialect, call.provider, call.operation = dialect(speaks), provider, operation
    call.request.body.parse(call.dialect.shape)
    call.model = call.dialect.model(call.request.body.json, call.params)
    call.stream = call.dialect.streams(call.request.body.json, call.params)
    return call


def target(name: str = "t", render: Callable[[Call], Leg] | None = None, **more: Any) -> Target:
    """A target that takes a call as it is."""
    settings: dict[str, Any] = {
        "provider": "openai",
        "host": "localhost",
        "model": "gpt-6",
        "limits": Limits(),
        "breaker": Breaker(),
        "credentials": (CLIENT,),
        "standing": Standing(),
        **more,
    }
    return Target(name=name, render=render or as_it_is, **settings)


def as_it_is(call: Call) -> Leg:
    return Leg(call.request, call.dialect, call.params)


def answered(status: int = 200, body: bytes = b"{}") -> Answer:
    return Answer(status, body=body)
