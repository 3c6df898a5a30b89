"""A whole Tollgate in the test's own loop, before a simulated provider, for tests of the gate."""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from mitmproxy import options

from simulator.providers import HOSTS
from simulator.server import Simulator
from support.certs import Authority, server_context, written
from support.detection import compiled
from tollgate.gate import Gate
from tollgate.gate.authority import BUNDLE_FILE, ensure_authority
from tollgate.gate.master import TollgateMaster

CHAT = "https://api.openai.com/v1/chat/completions"
KEY = {"authorization": "Bearer sk-of-nobody"}
LOOPBACK = "127.0.0.1"


def chat(text: str = "hello there", **more: Any) -> dict[str, Any]:
    """The body of a small chat call."""
    return {"model": "gpt-6", "messages": [{"role": "user", "content": text}], **more}


def behave(**behaviour: Any) -> dict[str, str]:
    """Headers that have the simulated provider behave so, and a key."""
    return {**KEY, "x-simulate": json.dumps(behaviour)}


@dataclass
class Provider:
    """The simulated provider, in the test's own loop."""

    simulator: Simulator
    port: int
    plain_port: int
    ca: Path


@asynccontextmanager
async def simulated_provider(folder: Path) -> AsyncIterator[Provider]:
    simulator = Simulator()
    authority = Authority()
    context = server_context(folder, authority, *HOSTS)
    app = simulator.app()
    runner = web.AppRunner(
        app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True, auto_decompress=False
    )
    await runner.setup()
    await web.TCPSite(runner, LOOPBACK, 0, ssl_context=context, backlog=1024).start()
    await web.TCPSite(runner, LOOPBACK, 0).start()
    try:
        yield Provider(
            simulator,
            runner.addresses[0][1],
            runner.addresses[1][1],
            written(folder / "provider-ca.pem", authority.pem),
        )
    finally:
        await runner.cleanup()


@dataclass
class Proxy:
    """A running proxy, and how to speak through it."""

    master: TollgateMaster
    folder: Path
    port: int
    clients: list[aiohttp.ClientSession] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.folder / "certs" / BUNDLE_FILE)

    def client(self) -> aiohttp.ClientSession:
        """A client with connections of its own. Give `proxy=proxy.url` with each request."""
        connector = aiohttp.TCPConnector(ssl=self.trust, limit=0)
        session = aiohttp.ClientSession(
            connector=connector, proxy=self.url, timeout=aiohttp.ClientTimeout(total=30), read_bufsize=2**22
        )
        self.clients.append(session)
        return session

    async def records(self, number: int = 1) -> list[dict[str, Any]]:
        """The trail, once it has so many lines. It is written off the loop."""
        async with asyncio.timeout(10):
            while len(lines := self._lines()) < number:
                await asyncio.sleep(0.01)
        return [json.loads(line) for line in lines]

    def _lines(self) -> list[bytes]:
        path = self.folder / "state" / "trail" / "calls.jsonl"
        written = path.read_bytes() if path.exists() else b""
        return written[: written.rfind(b"\n") + 1].splitlines()  # the last may still be being written


def policy_for(provider: Provider, policy: Mapping[str, Any]) -> dict[str, Any]:
    """A policy under which every host is the simulated provider."""
    places = {host: {"address": LOOPBACK, "port": provider.port, "ca": str(provider.ca)} for host in HOSTS}
    return {"upstream": {"resolve": places}, "trail": {"flush": "20 ms"}, **policy}


@asynccontextmanager
async def tollgate(
    folder: Path,
    provider: Provider,
    policy: Mapping[str, Any] | None = None,
    *addons: object,
    gate: Gate | None = None,
    **opts: Any,
) -> AsyncIterator[Proxy]:
    """A running proxy with these addons behind its own, ended when the block is left."""
    file, state = folder / "policy.yaml", folder / "state"
    if not state.exists():
        state.mkdir(mode=0o700)
        (state / "cache").symlink_to(compiled())
    file.write_text(json.dumps(policy_for(provider, policy or {})))  # JSON is YAML
    ensure_authority(folder / "certs", HOSTS)
    logging.getLogger("mitmproxy").setLevel(logging.ERROR)
    settings = options.Options(listen_host=LOOPBACK, listen_port=0, confdir=str(folder / "certs"))
    master = TollgateMaster(settings, grace=2.0, more=list(addons), gate=gate)
    settings.update(tollgate_policy=[str(file)], tollgate_state=str(state), **opts)
    running = asyncio.ensure_future(master.run())
    async with asyncio.timeout(60):  # the first one may have patterns to compile
        while not (ports := master.addons.get("proxyserver").listen_addrs()) or not master.gate.rooms():
            await asyncio.sleep(0.01)
            if running.done():
                running.result()
    proxy = Proxy(master, folder, ports[0][1])
    try:
        yield proxy
    finally:
        for client in proxy.clients:
            await client.close()
        proxyserver = master.addons.get("proxyserver")
        await proxyserver.servers.update([])
        async with asyncio.timeout(5):
            while proxyserver.connections:
                await asyncio.sleep(0.01)
        master.shutdown()
        await running
