"""Our own mitmproxy: who has which hook, and how it stops."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from mitmproxy import exceptions, http, options

from support.proxy import CHAT, KEY, Provider, Proxy, behave, chat, tollgate
from tollgate.calls import Runtime
from tollgate.gate.addon import STOPPED
from tollgate.gate.master import TollgateMaster


class Late:
    """An addon that comes and goes while the proxy runs."""

    def __init__(self, name: str, error: Exception | None = None) -> None:
        self.name = name
        self.seen = 0
        self._error = error

    async def request(self, flow: http.HTTPFlow) -> None:
        self.seen += 1
        if self._error is not None:
            raise self._error


async def call(proxy: Proxy) -> int:
    async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
        await response.read()
        return response.status


async def test_addons_are_heard_as_soon_as_they_are_there_and_as_long(proxy: Proxy) -> None:
    late = Late("late")
    await call(proxy)
    proxy.master.addons.add(late)
    await call(proxy)
    proxy.master.addons.remove(late)
    await call(proxy)

    assert late.seen == 1


async def test_an_addon_that_fails_does_not_stop_the_others(proxy: Proxy) -> None:
    first, second = Late("first", ValueError("x")), Late("second")
    proxy.master.addons.add(first, second)

    assert await call(proxy) == 200
    assert (first.seen, second.seen) == (1, 1)


async def test_an_addon_may_keep_a_hook_from_those_behind_it(proxy: Proxy) -> None:
    first, second = Late("first", exceptions.AddonHalt()), Late("second")
    proxy.master.addons.add(first, second)

    assert await call(proxy) == 200
    assert (first.seen, second.seen) == (1, 0)


async def test_an_addon_whose_name_is_taken_changes_nothing(proxy: Proxy) -> None:
    late, twin = Late("late"), Late("late")
    proxy.master.addons.add(late)
    with pytest.raises(exceptions.AddonManagerError):
        proxy.master.addons.add(twin)
    await call(proxy)

    assert (late.seen, twin.seen) == (1, 0)


async def test_who_is_ahead_hears_of_a_calls_end_after_the_rooms() -> None:
    """A line on the console shows what the call has cost, which a room says at its end."""
    ahead, behind = Late("ahead"), Late("behind")
    master = TollgateMaster(options.Options(), grace=0, more=[behind], ahead=[ahead])
    names = [getattr(addon, "name", "") for addon in master.addons.chain]

    assert names.index("ahead") < names.index("trail") < names.index("cost") < names.index("behind")


async def test_an_open_stream_ends_well_when_the_proxy_is_stopped(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="gate"))
        async with request as response:
            await response.content.readuntil(b"\n\n")
            proxy.master.stop()
            async with asyncio.timeout(1):
                while proxy.master.addons.get("proxyserver").listen_addrs():
                    await asyncio.sleep(0.01)
            with pytest.raises(aiohttp.ClientConnectionError):
                await call(proxy)
            provider.simulator.gates.release("gate")
            rest = await response.read()
            async with asyncio.timeout(1):
                await proxy.master.should_exit.wait()
        records = await proxy.records()

    assert proxy.master.gate.health.draining
    assert rest.endswith(b"data: [DONE]\n\n")
    assert [record["outcome"] for record in records] == ["answered"]


async def test_an_open_stream_has_its_grace_and_no_longer(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        proxy.master.grace = 0.1
        request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="never"))
        async with request as response:
            await response.content.readuntil(b"\n\n")
            proxy.master.stop()
            async with asyncio.timeout(2):
                await proxy.master.should_exit.wait()
            (record,) = await proxy.records()
            response.close()

    assert (record["outcome"], record["error"]) == ("failed", STOPPED)


async def test_asked_a_second_time_it_ends_at_once(tmp_path: Path, provider: Provider) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        proxy.master.grace = 60
        request = proxy.client().post(CHAT, json=chat(stream=True), headers=behave(hold="never"))
        async with request as response:
            await response.content.readuntil(b"\n\n")
            proxy.master.stop()
            proxy.master.stop()
            async with asyncio.timeout(2):
                await proxy.master.should_exit.wait()
            (record,) = await proxy.records()
            response.close()

    assert record["outcome"] == "failed"


class Order:
    """Notes the order of what it is told."""

    name = "order"

    def __init__(self) -> None:
        self.told: list[str] = []

    def llm_setup(self, runtime: Runtime) -> None:
        self.told.append("setup")

    def running(self) -> None:
        self.told.append("running")


async def test_what_runs_behind_the_gate_finds_the_rooms_set_up(tmp_path: Path, provider: Provider) -> None:
    """`Tidy` takes what the rooms have built out of the collector's sight."""
    order = Order()
    async with tollgate(tmp_path, provider, {}, order):
        assert order.told == ["setup", "running"]
