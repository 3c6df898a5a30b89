"""Tollgate as a script of mitmproxy's own mitmdump: what calls come to is the same as under `tollgate up`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from simulator.providers import HOSTS
from support.environment import CHECKOUT
from support.processes import running
from support.proxy import CHAT, KEY, LOOPBACK, Provider, Proxy, chat, policy_for, simulated_provider, tollgate
from support.stage import fetch, free_port, without_proxies
from tollgate.gate.authority import BUNDLE_FILE, ensure_authority
from tollgate.trail.record import VERSION

MITMDUMP = "import sys; sys.path.pop(0); from mitmproxy.tools.main import mitmdump; mitmdump()"
PASSING = {"time", "id", "ms", "attempts", "policy", "credential", "body"}
"""What differs from run to run, or with the key that digests are made with."""


@contextmanager
def mitmdump(folder: Path, provider: Provider) -> Iterator[str]:
    """The URL of a mitmdump with our addons."""
    port, admin, state = free_port(), f"{LOOPBACK}:{free_port()}", folder / "state"
    file = folder / "policy.yaml"
    file.write_text(json.dumps(policy_for(provider, {})))
    ensure_authority(folder / "certs", HOSTS)
    options = {
        "confdir": folder / "certs",
        "listen_host": LOOPBACK,
        "listen_port": port,
        "tollgate_policy": file,
        "tollgate_state": state,
        "tollgate_admin": admin,
    }
    settings = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    command = [sys.executable, "-c", MITMDUMP, "-q", "-s", CHECKOUT / "addons" / "suite.py", *settings]
    with running(command, folder / "mitmdump.log", env=without_proxies()) as process:
        process.wait_for("mitmdump is ready", lambda: answers(f"http://{admin}/readyz"))
        yield f"http://{LOOPBACK}:{port}"


def answers(url: str) -> bool:
    try:
        return bool(fetch(url, timeout=2.0))
    except OSError:
        return False


async def make_calls(client: aiohttp.ClientSession) -> list[tuple[int, bytes]]:
    """A whole, a streamed and a refused call."""
    got, headers = [], {**KEY, "content-type": "application/json"}
    for body in (chat(), chat(stream=True), {"model": "\ud800"}):
        async with client.post(CHAT, data=json.dumps(body), headers=headers) as response:
            got.append((response.status, (await response.read()).partition(b"tollgate-call-id")[0]))
    return got


def lasting(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{name: value for name, value in r.items() if name not in PASSING} for r in records]


async def test_calls_come_to_the_same_as_under_tollgate_up(tmp_path: Path) -> None:
    folder = tmp_path / "script"
    folder.mkdir()
    async with simulated_provider(tmp_path) as provider:
        async with tollgate(tmp_path, provider) as ours:
            expected = await make_calls(ours.client())
            told = await ours.records(3)
        with mitmdump(folder, provider) as url:
            theirs = Proxy(ours.master, folder, int(url.rpartition(":")[2]))
            async with theirs.client() as client:
                got = await make_calls(client)
            records = await theirs.records(3)

    assert [status for status, _ in got] == [200, 200, 400]
    assert got == expected
    assert lasting(records) == lasting(told)
    assert {record["v"] for record in records} == {VERSION}
    assert (folder / "certs" / BUNDLE_FILE).exists()
