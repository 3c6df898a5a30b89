"""The admin port over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from mitmproxy.test import taddons

from support.proxy import CHAT, KEY, LOOPBACK, Provider, Proxy, chat, tollgate
from tollgate.gate.health import Health


class Room:
    """A room that says how it is."""

    name = "cellar"

    def __init__(self) -> None:
        self.health: dict[str, object] = {"ok": True, "bottles": 7}

    def llm_health(self) -> Mapping[str, object]:
        return self.health


@pytest.fixture
def room() -> Room:
    return Room()


@pytest.fixture
async def proxy(tmp_path: Path, provider: Provider, room: Room) -> AsyncIterator[Proxy]:
    async with tollgate(tmp_path, provider, {}, room, tollgate_admin=f"{LOOPBACK}:0") as proxy:
        async with asyncio.timeout(5):
            while not proxy.master.gate.health.address:
                await asyncio.sleep(0.01)
        yield proxy


async def ask(proxy: Proxy, path: str) -> tuple[int, dict[str, Any]]:
    address = proxy.master.gate.health.address
    assert address is not None
    url = f"http://{address[0]}:{address[1]}{path}"
    async with aiohttp.ClientSession() as session, session.get(url) as response:
        return response.status, await response.json()


async def test_a_proxy_that_works_says_so(proxy: Proxy) -> None:
    async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
        await response.read()

    status, report = await ask(proxy, "/healthz")

    assert (status, report["ok"], report["open_calls"]) == (200, True, 0)
    assert report["coverage"] == {"inspected": 1}
    assert report["policy"]["problem"] == ""
    assert report["rooms"]["cellar"] == {"ok": True, "bottles": 7}
    assert await ask(proxy, "/readyz") == (200, {"ready": True})


async def test_a_room_that_turns_calls_away_makes_it_unhealthy(proxy: Proxy, room: Room) -> None:
    room.health = {"ok": False}

    status, report = await ask(proxy, "/healthz")

    assert (status, report["ok"]) == (503, False)


async def test_a_proxy_that_is_stopping_is_not_ready(proxy: Proxy) -> None:
    proxy.master.gate.health.draining = True

    assert await ask(proxy, "/readyz") == (503, {"ready": False})
    assert (await ask(proxy, "/healthz"))[0] == 200


async def test_a_proxy_that_does_not_listen_is_not_ready(proxy: Proxy) -> None:
    await proxy.master.addons.get("proxyserver").servers.update([])

    assert await ask(proxy, "/readyz") == (503, {"ready": False})


async def test_there_is_no_admin_port_where_none_is_asked_for(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        assert proxy.master.gate.health.address is None


@pytest.mark.parametrize("place", ["{taken}", "127.0.0.1:http", "192.0.2.1:1"])
async def test_an_admin_port_that_cannot_be_opened_stops_the_proxy(
    provider: Provider, place: str, caplog: pytest.LogCaptureFixture
) -> None:
    place = place.format(taken=f"{LOOPBACK}:{provider.port}")
    health = Health(dict)
    with taddons.context(health) as tctx:
        tctx.configure(health, tollgate_admin=place)
        health.running()
        async with asyncio.timeout(5):
            await tctx.master.should_exit.wait()
        health.done()

    assert f"The admin port {place} cannot be opened" in caplog.text


def test_one_that_never_ran_has_nothing_to_end() -> None:
    Health(dict).done()
