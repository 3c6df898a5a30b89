"""Targets that are checked, by a real proxy process: calls never see one that is down, and find it again.

Everything is bounded in time: a hang fails its test.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from support.proxy import CHAT, KEY, chat
from support.stage import Provider, Tollgate, simulated_provider, tollgate
from support.wire import Heard, Peer, Wire, answer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("checked_targets")]

SECONDS = 20.0
OURS = "sk-company-of-nobody"
CHECK = {"path": "/v1/models", "every": "100 ms", "failures": 2}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with simulated_provider(tmp_path_factory.mktemp("provider")) as provider:
        yield provider


@dataclass
class Server:
    """A model server that can be down: for everybody, or for calls only."""

    name: str
    down: bool = False
    calls_fail: bool = False
    heard: list[Heard] = field(default_factory=list)

    async def play(self, peer: Peer) -> None:
        self.heard.append(peer.request)
        if self.down:
            peer.cut()
        elif self.calls_fail and peer.request.line.startswith("POST"):
            await peer.send(answer(b"{}", "500 So"))
        else:
            await peer.send(answer(json.dumps({"id": self.name, "choices": []}).encode()))

    @property
    def calls(self) -> int:
        return sum(heard.line.startswith("POST") for heard in self.heard)

    @property
    def checks(self) -> list[Heard]:
        return [heard for heard in self.heard if heard.line.startswith("GET")]


@dataclass
class Stage:
    gate: Tollgate
    folder: Path
    one: Server
    two: Server
    client: aiohttp.ClientSession
    settings: dict[str, Any]

    async def ask(self) -> tuple[int, str]:
        """The status, and which server answered, or what the error says."""
        async with self.client.post(CHAT, json=chat(), headers=KEY, proxy=self.gate.url) as response:
            told = await response.json()
            return response.status, told.get("id") or told["error"]["message"]

    async def health(self) -> dict[str, Any]:
        async with self.client.get(f"{self.gate.admin}/healthz") as response:
            found: dict[str, Any] = (await response.json())["rooms"]["upstream"]["targets"]
            return found

    async def until(self, true: Callable[[dict[str, Any]], bool]) -> None:
        async with asyncio.timeout(SECONDS):
            while not true(await self.health()):
                await asyncio.sleep(0.02)

    def said(self) -> str:
        """The log, without the line breaks of its terminal."""
        return " ".join((self.folder / "tollgate.log").read_text().split())


@asynccontextmanager
async def stage(
    folder: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch, route: Any = None, **target: Any
) -> AsyncIterator[Stage]:
    """A proxy before two servers, of which the first is checked."""
    monkeypatch.setenv("OURS", OURS)
    first, second = Server("one"), Server("two")
    async with Wire(first.play) as one, Wire(second.play) as two:
        place = {"host": "127.0.0.1", "scheme": "http", "dialect": "openai-chat", "credential": "k"}
        targets = {
            "one": {**place, "port": one.port, "check": CHECK, **target},
            "two": {**place, "port": two.port},
        }
        settings = {
            "trail": {"flush": "20 ms"},
            "credentials": {"k": {"env": "OURS", "hosts": "127.0.0.1"}},
            "targets": targets,
            "route": {"targets": ["one", "two"], **(route or {})},
        }
        with tollgate(folder, provider, settings) as gate:
            connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=gate.ca))
            timeout = aiohttp.ClientTimeout(total=SECONDS)
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as client:
                yield Stage(gate, folder, first, second, client, settings)
    assert OURS not in (folder / "tollgate.log").read_text()
    assert OURS not in gate.trail.read_text()


async def test_no_call_sees_a_target_that_is_down_and_all_find_it_again(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, provider, monkeypatch) as s:
        await s.until(lambda health: health["one"]["check"] == "passing")
        assert await s.ask() == (200, "one")

        s.one.down = True
        await s.until(lambda health: health["one"]["check"] == "failing")
        before = s.one.calls
        assert {await s.ask() for _ in range(20)} == {(200, "two")}
        assert s.one.calls == before

        s.one.down = False
        await s.until(lambda health: health["one"]["check"] == "passing")
        assert await s.ask() == (200, "one")
        records = s.gate.records(22)

    assert [a["target"] for record in records for a in record["attempts"]] == ["one", *["two"] * 20, "one"]
    [verdict] = records[1]["verdicts"]
    assert verdict["reason"] == "priority: two, then one (fails its checks)"
    assert {heard.header("authorization") for heard in s.one.checks} == {f"Bearer {OURS}"}
    told = "the target one fails its check 2 times in a row and is left alone: 127.0.0.1 closed"
    assert told in s.said()
    assert "the target one passes its check again" in s.said()


async def test_a_check_that_passes_lets_the_next_call_find_out_without_the_rest(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    breaker = {"failures": 1, "rest": "1 h"}
    async with stage(tmp_path, provider, monkeypatch, breaker=breaker) as s:
        s.one.calls_fail = True
        assert await s.ask() == (200, "two")
        assert s.one.calls == 1
        s.one.calls_fail = False
        checked = len(s.one.checks)
        await s.until(lambda health: len(s.one.checks) >= checked + 2)
        assert await s.ask() == (200, "one")
        assert await s.ask() == (200, "one")


async def test_a_lone_target_that_is_down_says_so_at_once(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, provider, monkeypatch, {"targets": ["one"]}) as s:
        s.one.down = True
        await s.until(lambda health: health["one"]["check"] == "failing")
        status, said = await s.ask()

    assert status == 503
    assert "one is left alone, for its check fails: 127.0.0.1 closed the connection" in said
    assert "(targets.one.check)" in said
    assert s.one.calls == 0


async def test_a_policy_without_the_check_ends_it_at_once(
    tmp_path: Path, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, provider, monkeypatch) as s:
        s.one.down = True
        await s.until(lambda health: health["one"]["check"] == "failing")
        del s.settings["targets"]["one"]["check"]
        full = json.loads((tmp_path / "policy.yaml").read_text()) | s.settings
        (tmp_path / "policy.yaml").write_text(json.dumps(full))
        await s.until(lambda health: health == {})
        s.one.down, checked = False, len(s.one.checks)
        assert await s.ask() == (200, "one")

    assert len(s.one.checks) == checked
