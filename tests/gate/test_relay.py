"""Back-pressure: a client that does not read makes the provider stop writing."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from support.certs import Authority, server_context, written
from support.h2client import h2_client
from support.proxy import CHAT, KEY, LOOPBACK, Provider, Proxy, chat, tollgate
from support.wire import LAST_CHUNK, Peer, Wire, chunk, head

MB = 2**20
EVENT = b"data: " + b"x" * (128 * 1024) + b"\n\n"
EVENTS = 100 * MB // len(EVENT)
DONE = b"data: [DONE]\n\n"
BOUND = 40 * MB
"""What the buffers of two TCP connections, their TLS and the client may hold together."""
BODY = json.dumps(chat(stream=True)).encode()


class Flood:
    """A provider that writes 100 MB as fast as it can."""

    def __init__(self) -> None:
        self.written = 0

    async def __call__(self, peer: Peer) -> None:
        await peer.send(head())
        for _ in range(EVENTS):
            await peer.send(chunk(EVENT))
            self.written += len(EVENT)
        await peer.send(chunk(DONE) + LAST_CHUNK)

    async def stalled(self) -> int:
        """How much was written once no more is."""
        before, since = -1, time.monotonic()
        async with asyncio.timeout(20):
            while time.monotonic() - since < 0.3:
                if self.written != before:
                    before, since = self.written, time.monotonic()
                await asyncio.sleep(0.02)
        return before


@asynccontextmanager
async def flooded(folder: Path, provider: Provider) -> AsyncIterator[tuple[Proxy, Flood]]:
    authority, flood, host = Authority("flood"), Flood(), "api.openai.com"
    async with Wire(flood, server_context(folder, authority, host)) as wire:
        ca = written(folder / "flood.pem", authority.pem)
        place = {"address": LOOPBACK, "port": wire.port, "ca": str(ca)}
        async with tollgate(folder, provider, {"upstream": {"resolve": {host: place}}}) as proxy:
            yield proxy, flood


async def test_an_http1_client_that_does_not_read_holds_the_provider_back(
    tmp_path: Path, provider: Provider
) -> None:
    async with flooded(tmp_path, provider) as (proxy, flood):
        async with proxy.client().post(CHAT, data=BODY, headers=KEY) as response:
            held = await flood.stalled()
            size = 0
            async for data in response.content.iter_any():
                size += len(data)
        [record] = await proxy.records()

    assert 0 < held < BOUND
    assert size == EVENTS * len(EVENT) + len(DONE)
    assert (record["outcome"], record["bytes_out"]) == ("answered", size)


async def test_an_http2_client_without_room_holds_the_provider_back(
    tmp_path: Path, provider: Provider
) -> None:
    """The window of one stream is closed while the connection goes on."""
    async with (
        flooded(tmp_path, provider) as (proxy, flood),
        h2_client(proxy.port, "api.openai.com", proxy.trust, window=MB) as client,
    ):
        client.reads = False
        stream = await client.ask("/v1/chat/completions", BODY, KEY)
        held = await flood.stalled()
        first = len(stream.body)
        await client.read_on()
        async with asyncio.timeout(30):
            await client.until(lambda: stream.ended)
        [record] = await proxy.records()

    assert 0 < held < BOUND
    assert first == MB
    assert len(stream.body) == EVENTS * len(EVENT) + len(DONE)
    assert record["outcome"] == "answered"


async def test_a_client_that_does_not_read_and_leaves_is_noticed(tmp_path: Path, provider: Provider) -> None:
    async with (
        flooded(tmp_path, provider) as (proxy, flood),
        h2_client(proxy.port, "api.openai.com", proxy.trust, window=MB) as client,
    ):
        client.reads = False
        stream = await client.ask("/v1/chat/completions", BODY, KEY)
        await flood.stalled()
        await client.reset(stream)
        [record] = await proxy.records()

    assert record["outcome"] == "abandoned"
    assert flood.written < BOUND


@pytest.mark.parametrize("pieces", [1, 20])
async def test_what_comes_in_pieces_counts_together_against_the_limit(
    tmp_path: Path, provider: Provider, pieces: int
) -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield b"x" * (200_000 // pieces)

    async with (
        tollgate(tmp_path, provider, {"bodies": {"max_size": "64 KB"}}) as proxy,
        proxy.client().post(CHAT, data=body(), headers=KEY) as response,
    ):
        answer = await response.json()

    assert (response.status, answer["error"]["code"]) == (400, "body_too_large")
    assert provider.simulator.journal.entries == []
