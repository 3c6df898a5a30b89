from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from support import routes
from support.routes import target
from support.upstream import make_call, make_request
from support.wire import Wire, always, answer
from tollgate.calls import Call
from tollgate.calls.runtime import Runtime
from tollgate.policy import Policy, PolicyFile
from tollgate.upstream import Upstream


def runtime(credentials: Any = None, **upstream: Any) -> Runtime:
    policy = Policy(PolicyFile.model_validate({"upstream": upstream, "credentials": credentials or {}}))
    return Runtime(policy=policy, providers=cast(Any, None), state=Path(), digester=cast(Any, None))


def call_to(server: Wire) -> Call:
    return make_call(make_request(scheme="http", host="127.0.0.1", port=server.port))


async def test_it_answers_a_call() -> None:
    addon = Upstream()
    addon.llm_setup(runtime())
    async with Wire(always(answer(b'{"id":1}'))) as server:
        call = call_to(server)
        await addon.llm_request(call)
        addon.done()
        await asyncio.wait_for(server.left.wait(), 1)

    assert call.answer is not None
    assert call.answer.body == b'{"id":1}'


async def test_connections_outlive_a_policy_that_leaves_them_alone() -> None:
    addon = Upstream()
    async with Wire(always(answer(b"{}"))) as server:
        for upstream in ({"keepalive": "30 s"}, {"keepalive": "30 s"}, {"keepalive": "20 s"}):
            addon.llm_setup(runtime(**upstream))
            await addon.llm_request(call_to(server))
        addon.done()
        await asyncio.sleep(0)

    assert [heard.connection for heard in server.heard] == [0, 0, 1]


async def test_a_policy_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    addon = Upstream()
    addon.llm_setup(runtime())
    with pytest.raises(ValueError, match=r"upstream\.ca"):
        addon.llm_setup(runtime(ca=str(tmp_path / "missing.pem")))
    async with Wire(always(answer(b"{}"))) as server:
        await addon.llm_request(call_to(server))
        addon.done()
        await asyncio.sleep(0)


async def test_before_its_setup_it_cannot_answer() -> None:
    addon = Upstream()
    addon.done()

    with pytest.raises(RuntimeError, match="llm_setup"):
        await addon.llm_request(make_call())


async def test_keys_are_read_before_a_policy_is_in_force_and_rest_beyond_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("A", "of-nobody")
    one = {"k": {"env": "A", "hosts": "x.test"}}
    addon = Upstream()
    for credentials in (one, one):
        addon.llm_prepare(runtime(credentials))
        addon.llm_setup(runtime(credentials))
        addon._keys.rest("k", 60)
    assert addon._keys.pick(["k"]) is None

    monkeypatch.delenv("A")
    with pytest.raises(ValueError, match=r"credentials\.k\.env"):
        addon.llm_prepare(runtime({"k": {"env": "A", "hosts": "y.test"}}))
    assert addon._keys.credentials == runtime(one).policy.file.credentials
    addon.done()


async def test_a_call_with_a_plan_goes_its_way() -> None:
    addon = Upstream()
    addon.llm_setup(runtime())
    async with Wire(always(answer(b'{"id":1}'))) as server:
        call = call_to(server)
        call.plan = (target("t"),)
        await addon.llm_request(call)
        addon.done()
        await asyncio.sleep(0)

    assert [attempt.target for attempt in call.attempts] == ["t"]


async def test_it_checks_what_the_policy_says_until_the_next_policy_or_the_end() -> None:
    addon = Upstream()
    target = {"provider": "openai", "check": {"path": "/v1/models", "every": "1 h"}}
    told, other = routes.runtime(targets={"t": target}), routes.runtime()
    addon.llm_setup(told)
    first = addon._checks
    assert addon.llm_health() == {"ok": True, "targets": {"t": {"check": "pending"}}}
    assert told.checkups == first.checkups

    addon.llm_setup(other)
    assert addon.llm_health() == {"ok": True, "targets": {}}
    addon.llm_setup(told)
    last = addon._checks
    addon.done()
    async with asyncio.timeout(5):
        while first._tasks or last._tasks:
            await asyncio.sleep(0)
