"""Two real proxies with one state folder ask a provider once for what many clients want at the same time."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.processes import wait_until
from support.stage import Provider, Tollgate, fetch, simulated_provider, tollgate

pytestmark = pytest.mark.xdist_group("shared")

POLICY: dict[str, Any] = {"cache": {"enabled": True}}
CHAT = "https://api.openai.com/v1/chat/completions"
EACH = 5
"""Calls at each proxy."""

type Told = tuple[int, str, str]
"""Status, what the cache did, and the text."""


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    with simulated_provider(tmp_path) as running:
        running.behave(hang="here")
        yield running


@pytest.fixture
def gateways(tmp_path: Path, provider: Provider) -> Iterator[tuple[Tollgate, Tollgate]]:
    with ExitStack() as stack:
        started = []
        for name in ("one", "other"):
            (tmp_path / name).mkdir()
            proxy = tollgate(tmp_path / name, provider, POLICY, tmp_path / "state")
            started.append(stack.enter_context(proxy))
        yield started[0], started[1]


async def ask(gateway: Tollgate, text: str) -> Told:
    trust = ssl.create_default_context(cafile=gateway.ca)
    body = {"model": "gpt-6", "messages": [{"role": "user", "content": text}]}
    headers = {"authorization": "Bearer sk-of-nobody"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client,
        client.post(CHAT, json=body, headers=headers, proxy=gateway.url, ssl=trust) as answer,
    ):
        told = json.loads(await answer.text())
        said = told["choices"][0]["message"]["content"] if answer.status == 200 else ""
        return answer.status, answer.headers.get("x-tollgate-cache", ""), said


async def until_open(gateway: Tollgate, count: int) -> None:
    def enough() -> bool:
        return bool(json.loads(fetch(f"{gateway.admin}/healthz"))["open_calls"] == count)

    await asyncio.to_thread(wait_until, f"{count} open calls", enough, 30.0)


async def test_identical_calls_at_both_are_one_call(
    gateways: tuple[Tollgate, Tollgate], provider: Provider
) -> None:
    calls = [asyncio.ensure_future(ask(gateway, "the same")) for gateway in gateways * EACH]
    for gateway in gateways:
        await until_open(gateway, EACH)
    assert len(await asyncio.to_thread(provider.journal, 1, "arrived")) == 1
    await asyncio.to_thread(provider.release, "here")
    told = await asyncio.gather(*calls)

    assert sorted(told) == [(200, "hit", "You said: the same")] * (2 * EACH - 1) + [
        (200, "stored", "You said: the same")
    ]
    assert len(provider.journal()) == 1
    records = gateways[0].records(2 * EACH)
    assert sorted(record["cache"] for record in records) == ["hit"] * (2 * EACH - 1) + ["stored"]
    assert sum(bool(record.get("attempts")) for record in records) == 1


async def test_who_is_started_later_waits_for_what_was_asked_before(
    tmp_path: Path, provider: Provider
) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    with ExitStack() as stack:
        one = stack.enter_context(tollgate(tmp_path / "one", provider, POLICY, tmp_path / "state"))
        first = asyncio.ensure_future(ask(one, "the same"))
        await asyncio.to_thread(provider.journal, 1, "arrived")
        later = tollgate(tmp_path / "other", provider, POLICY, tmp_path / "state")
        other = await asyncio.to_thread(stack.enter_context, later)
        second = asyncio.ensure_future(ask(other, "the same"))
        third = asyncio.ensure_future(ask(other, "something else"))  # goes on once it was seen
        assert len(await asyncio.to_thread(provider.journal, 2, "arrived")) == 2
        await asyncio.to_thread(provider.release, "here")

        assert await first == (200, "stored", "You said: the same")
        assert await second == (200, "hit", "You said: the same")
        assert await third == (200, "stored", "You said: something else")
        assert len(provider.journal()) == 2


async def test_other_calls_go_on(gateways: tuple[Tollgate, Tollgate], provider: Provider) -> None:
    one, other = gateways
    calls = [asyncio.ensure_future(ask(one, "this")), asyncio.ensure_future(ask(other, "that"))]
    assert len(await asyncio.to_thread(provider.journal, 2, "arrived")) == 2
    await asyncio.to_thread(provider.release, "here")

    assert [said for _, _, said in await asyncio.gather(*calls)] == ["You said: this", "You said: that"]


async def test_who_waits_goes_on_where_the_first_proxy_is_killed(
    gateways: tuple[Tollgate, Tollgate], provider: Provider
) -> None:
    one, other = gateways
    first = asyncio.ensure_future(ask(one, "the same"))
    await asyncio.to_thread(provider.journal, 1, "arrived")
    later = [asyncio.ensure_future(ask(other, "the same")) for _ in range(EACH)]
    await until_open(other, EACH)
    one.process.popen.kill()
    assert len(await asyncio.to_thread(provider.journal, 2, "arrived")) == 2
    await asyncio.to_thread(provider.release, "here")
    told = await asyncio.gather(*later)
    with pytest.raises((aiohttp.ClientError, OSError)):
        await first

    assert {said for _, _, said in told} == {"You said: the same"}
    assert len(provider.journal()) == 2


async def test_who_waits_goes_on_where_the_first_client_leaves(
    gateways: tuple[Tollgate, Tollgate], provider: Provider
) -> None:
    one, other = gateways
    first = asyncio.ensure_future(ask(one, "the same"))
    await asyncio.to_thread(provider.journal, 1, "arrived")
    later = asyncio.ensure_future(ask(other, "the same"))
    await until_open(other, 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert len(await asyncio.to_thread(provider.journal, 2, "arrived")) == 2
    await asyncio.to_thread(provider.release, "here")

    assert await later == (200, "stored", "You said: the same")
