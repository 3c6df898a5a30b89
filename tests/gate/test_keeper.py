"""The policy while the proxy runs: reloaded when it is saved, kept while its file is wrong."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mitmproxy import exceptions
from mitmproxy.test import taddons

from support.proxy import CHAT, KEY, Provider, Proxy, chat, policy_for, tollgate
from tollgate.calls import Notice, Runtime
from tollgate.gate import keeper as keeper_module
from tollgate.gate.keeper import Keeper


class Ears:
    """Hears what the rooms are told."""

    def __init__(self) -> None:
        self.runtimes: list[Runtime] = []
        self.notices: list[Notice] = []

    def llm_setup(self, runtime: Runtime) -> None:
        self.runtimes.append(runtime)

    def llm_notice(self, notice: Notice) -> None:
        self.notices.append(notice)

    @property
    def codes(self) -> list[str]:
        return [notice.code for notice in self.notices]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "RELOAD_SECONDS", 0.02)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


def save(proxy: Proxy, provider: Provider, **policy: Any) -> None:
    (proxy.folder / "policy.yaml").write_text(json.dumps(policy_for(provider, policy)))


def health(proxy: Proxy) -> dict[str, Any]:
    policy = proxy.master.gate.report()["policy"]
    assert isinstance(policy, dict)
    return policy


async def test_a_policy_is_in_force_as_soon_as_it_is_saved(tmp_path: Path, provider: Provider) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {}, ears) as proxy:
        before = health(proxy)["digest"]
        save(proxy, provider, bodies={"unknown_path": "refuse"})
        await until(lambda: bool(ears.notices))
        async with proxy.client().post(
            "https://api.openai.com/unheard-of", json=chat(), headers=KEY
        ) as response:
            await response.read()
        after = health(proxy)

    assert ears.codes == ["policy_loaded"]
    assert [r.policy.digest for r in ears.runtimes] == [before, after["digest"]]
    assert (response.status, after["problem"]) == (400, "")


async def test_a_file_that_is_no_policy_changes_nothing_until_it_is_mended(
    tmp_path: Path, provider: Provider
) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {}, ears) as proxy:
        before = health(proxy)["digest"]
        (tmp_path / "policy.yaml").write_text("mode: no such mode\n")
        await until(lambda: bool(ears.notices))
        broken = health(proxy)
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()
        save(proxy, provider, mode="observe")
        await until(lambda: len(ears.notices) == 2)
        mended = health(proxy)

    assert ears.codes == ["policy_invalid", "policy_loaded"]
    assert "policy.yaml:1" in ears.notices[0].text
    assert (broken["digest"], "no such mode" in broken["problem"], response.status) == (before, True, 200)
    assert (mended["digest"] != before, mended["problem"]) == (True, "")
    assert len(ears.runtimes) == 2


async def test_a_key_that_was_spoilt_keeps_the_policy_as_it_is(tmp_path: Path, provider: Provider) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {}, ears) as proxy:
        before = health(proxy)["digest"]
        for key in (tmp_path / "state").glob("*key*"):
            key.write_bytes(b"too short")
        save(proxy, provider, mode="observe")
        await until(lambda: bool(ears.notices))
        after = health(proxy)

    assert ears.codes == ["policy_invalid"]
    assert (after["digest"], "key" in after["problem"]) == (before, True)


async def test_what_a_room_cannot_use_keeps_the_policy_as_it_is(tmp_path: Path, provider: Provider) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {}, ears) as proxy:
        before = health(proxy)["digest"]
        (tmp_path / "junk.pem").write_text("no certificate")
        good = policy_for(provider, {})
        upstream = {**good["upstream"], "ca": str(tmp_path / "junk.pem")}
        (tmp_path / "policy.yaml").write_text(json.dumps({**good, "upstream": upstream}))
        await until(lambda: bool(ears.notices))
        after = health(proxy)
        async with proxy.client().post(CHAT, json=chat(), headers=KEY) as response:
            await response.read()
        save(proxy, provider, mode="observe")
        await until(lambda: len(ears.notices) == 2)

    assert ears.codes == ["policy_invalid", "policy_loaded"]
    assert (after["digest"], "upstream.ca" in after["problem"], response.status) == (before, True, 200)
    assert ears.runtimes[-1].policy.file.mode == "observe"


class Picky:
    """Takes no policy but the first; as a room does, it puts in force what it built last."""

    def __init__(self, name: str, hook: str) -> None:
        self.name, self.hook = name, hook
        self.prepared = self.in_force = ""

    def llm_prepare(self, runtime: Runtime) -> None:
        self._check("llm_prepare", runtime)
        self.prepared = runtime.policy.digest

    def llm_setup(self, runtime: Runtime) -> None:
        self._check("llm_setup", runtime)
        self.in_force = self.prepared

    def _check(self, hook: str, runtime: Runtime) -> None:
        if hook == self.hook and runtime.policy.file.mode == "observe":
            raise ValueError("not this one")


@pytest.mark.parametrize("hook", ["llm_prepare", "llm_setup"])
async def test_a_room_before_one_that_cannot_use_a_policy_keeps_the_old_one_too(
    tmp_path: Path, provider: Provider, hook: str
) -> None:
    ears, willing = Ears(), Picky("willing", "")
    async with tollgate(tmp_path, provider, {}, willing, Picky("picky", hook), ears) as proxy:
        before = health(proxy)["digest"]
        save(proxy, provider, mode="observe")
        await until(lambda: bool(ears.notices))

    assert ears.codes == ["policy_invalid"]
    assert willing.in_force == before


class Rooms:
    """Rooms that take any policy, or none."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def prepare(self, runtime: Runtime) -> None:
        self.told.append("prepare")

    def setup(self, runtime: Runtime) -> None:
        self.told.append("setup")

    def notice(self, notice: Notice) -> None:
        self.told.append(notice.code)


async def test_a_policy_that_cannot_be_loaded_at_start_is_an_error_of_the_option(tmp_path: Path) -> None:
    keeper, file = Keeper(Rooms()), tmp_path / "policy.yaml"
    file.write_text("mode: no such mode\n")

    with taddons.context(keeper) as tctx, pytest.raises(exceptions.OptionsError, match=r"policy\.yaml:1"):
        tctx.configure(keeper, tollgate_policy=[str(file)], tollgate_state=str(tmp_path))


async def test_without_a_policy_the_defaults_are_in_force(tmp_path: Path) -> None:
    rooms = Rooms()
    keeper = Keeper(rooms)
    with taddons.context(keeper) as tctx:
        tctx.configure(keeper, tollgate_state=str(tmp_path))
        tctx.configure(keeper, listen_port=1234)
        keeper.running()
        keeper.done()

    assert keeper.runtime().policy.paths == ()
    assert keeper.runtime().state == tmp_path
    assert rooms.told == ["prepare", "setup"]


async def test_one_that_nobody_configured_loads_its_policy_when_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    rooms = Rooms()
    keeper = Keeper(rooms)
    with taddons.context(keeper):
        keeper.running()
        keeper.done()

    assert keeper.runtime().policy.paths == ()
    assert rooms.told == ["prepare", "setup"]


def test_one_that_never_ran_has_nothing_to_end() -> None:
    Keeper(Rooms()).done()
