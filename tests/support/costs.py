"""Calls, prices and budgets for the tests of costs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from multidict import CIMultiDict

from tollgate.calls import Attempt, Body, Call, Headers, Identity, Request, Usage
from tollgate.cost.prices import Price
from tollgate.cost.there import There
from tollgate.dialects import dialect
from tollgate.policy import Settings

NOW = 1_800_000_000.0  # 2027-01-15 08:00 UTC, a Friday
DOLLAR = 10**9


class FlatPrices:
    """Every model costs so many nano-dollars a token; those called "unknown" nobody knows."""

    def __init__(self, each: int = 1000) -> None:
        self.each = each

    def by_names(
        self, provider: str, names: tuple[str, str], usage: Usage, *, host: str, operation: str, time: float
    ) -> Price | None:
        if "unknown" in names:
            return None
        each = 10 if "cheap" in names else self.each
        nanos = usage.total * each
        return Price(
            nanos, "flat", {"input": usage.input * each, "output": usage.output * each}, usage.cache_read
        )

    def of(
        self, call: Call, usage: Usage | None, asked: str = "", attempt: Attempt | None = None
    ) -> Price | None:
        if usage is None or call.operation == "models":
            return Price(0, "free", {}, 0)
        there = There.of(call, asked, attempt)
        names = there.asked, there.answered
        return self.by_names(there.provider, names, usage, host="", operation=call.operation, time=call.time)

    def as_agreed(self, source: str, usage: Usage) -> Price | None:
        return Price(usage.total, source, {"input": usage.total}, 0) if source == "target eu" else None

    def ceiling(self, provider: str, model: str, usage: Usage) -> int:
        return usage.total * 100_000


def make_call(text: str = '{"model": "gpt-6", "messages": []}', **changes: Any) -> Call:
    """A call to OpenAI's chat completions, with any of its fields changed."""
    body = Body(text.encode())
    speaks = dialect("openai-chat")
    body.parse(speaks.shape)
    headers: Headers = changes.pop("headers", CIMultiDict())
    request = Request("POST", "https", "api.openai.com", 443, "/v1/chat/completions", headers, body)
    fields: dict[str, Any] = {
        "id": "call-1",
        "time": NOW,
        "identity": Identity("ann", "10.0.0.9", tool="codex", session="s1", project="shop", credential="c1"),
        "provider": "openai",
        "dialect": speaks,
        "operation": "chat",
        "model": "gpt-6",
        "stream": False,
        "params": {},
        "policy": Settings(),
        "client_request": request,
        "request": request,
    }
    return Call(**(fields | changes))


def attempt(usage: Usage | None = None, *, status: int | None = 200, complete: bool = True) -> Attempt:
    return Attempt("api.openai.com", 0.0, status=status, complete=complete, usage=usage)


async def until(condition: Callable[[], Any], timeout: float = 10.0) -> Any:
    """What a condition gives once it is something."""
    async with asyncio.timeout(timeout):
        while not (found := condition()):
            await asyncio.sleep(0.005)
    return found
