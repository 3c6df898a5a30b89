from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from support.certs import Authority, server_context
from support.wire import LAST_CHUNK, Peer, Script, Wire, always, answer, chunk, head
from tollgate.calls import Failed
from tollgate.policy.schema import Timeouts
from tollgate.upstream.failures import Where
from tollgate.upstream.reply import Reply, _hear


@asynccontextmanager
async def replying(
    script: Script, *, idle: float = 5, tls: ssl.SSLContext | None = None
) -> AsyncIterator[tuple[Reply, Wire, list[str]]]:
    """A reply to a request, the server that gives it, and a list that gets a word once it is let go."""
    ended: list[str] = []
    scheme = "https" if tls else "http"
    async with Wire(script, tls) as server, aiohttp.ClientSession() as session:
        response = await session.get(f"{scheme}://127.0.0.1:{server.port}/", ssl=False)
        where = Where("api.x", Timeouts(idle=idle))
        reply = Reply(response, time.monotonic(), where, lambda: ended.append("ended"))
        yield reply, server, ended
        reply.close()


async def rest(reply: Reply) -> bytes:
    pieces = []
    while piece := await reply.read():
        pieces.append(piece)
    return b"".join(pieces)


async def test_the_head_is_kept_as_it_came() -> None:
    sent = answer(b"{}", "201 Created", {"X-CamelCase": "caf\u00e9", "x-lower": "1"})
    async with replying(always(sent)) as (reply, _, _):
        assert reply.status == 201
        assert list(reply.headers.items())[-2:] == [("X-CamelCase", "café"), ("x-lower", "1")]
        assert reply.first_byte >= reply.sent


async def test_the_body_comes_in_pieces_and_then_nothing_more() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head() + chunk(b"one"))
        await asyncio.wait_for(proceed.wait(), 5)
        await peer.send(chunk(b"two") + LAST_CHUNK)

    proceed = asyncio.Event()
    async with replying(script) as (reply, _, _):
        assert await reply.read() == b"one"
        proceed.set()
        assert await reply.read() == b"two"
        assert [await reply.read(), await reply.read()] == [b"", b""]


async def test_pieces_can_be_put_back() -> None:
    async with replying(always(answer(b"rest"))) as (reply, _, _):
        reply.put_back([b"second"])
        reply.put_back([b"zeroth", b"first"])

        assert [await reply.read() for _ in range(5)] == [b"zeroth", b"first", b"second", b"rest", b""]


@pytest.mark.parametrize(
    "last_words",
    [b"", b"5\r\ntw", b"no chunk at all\r\n", b"HTTP/1.1 200 OK\r\n\r\n"],
    ids=["at a chunk's end", "within a chunk", "garbage", "another answer"],
)
async def test_an_answer_that_is_cut_fails(last_words: bytes) -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head() + chunk(b"one"))
        await asyncio.wait_for(proceed.wait(), 5)
        await peer.send(last_words)
        peer.writer.close()

    proceed = asyncio.Event()
    async with replying(script) as (reply, _, _):
        assert await reply.read() == b"one"
        proceed.set()
        with pytest.raises(Failed, match=r"api\.x closed the connection in the middle") as caught:
            await rest(reply)
        assert caught.value.code == "provider_disconnected"


async def test_an_answer_that_is_cut_while_nobody_reads_fails_all_the_same() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head())
        await asyncio.wait_for(proceed.wait(), 5)
        await peer.send(b"no chunk at all\r\n")
        await peer.reader.read()  # until the client hangs up
        cut.set()

    proceed, cut = asyncio.Event(), asyncio.Event()
    async with replying(script) as (reply, _, _):
        proceed.set()
        await asyncio.wait_for(cut.wait(), 5)
        with pytest.raises(Failed):
            await reply.read()


async def test_an_answer_that_is_shorter_than_it_says_fails() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(answer(b"{}", headers={"Content-Length": "100"}))
        peer.writer.close()

    async with replying(script) as (reply, _, _):
        with pytest.raises(Failed):
            await rest(reply)


async def test_an_answer_that_goes_silent_fails() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head())
        await peer.reader.read()

    async with replying(script, idle=0.05) as (reply, _, _):
        with pytest.raises(Failed, match=r"silent .* for 0\.05 s \(timeouts\.idle\)") as caught:
            await reply.read()
        assert (caught.value.code, caught.value.status) == ("provider_timeout", 504)


async def test_hanging_up_is_noticed_at_once_by_a_server_that_only_writes(
    tmp_path: Path, authority: Authority
) -> None:
    """Such a server hears no TLS good-bye; it sees only a connection that is gone."""

    async def script(peer: Peer) -> None:
        await peer.send(head())
        while not peer.writer.is_closing():
            await peer.send(chunk(b"data: again\n\n"))
            await asyncio.sleep(0.001)
        server.left.set()

    tls = server_context(tmp_path, authority, "127.0.0.1")
    async with replying(script, tls=tls) as (reply, server, ended):
        await reply.read()
        reply.close()
        assert ended == ["ended"]
        await asyncio.wait_for(server.left.wait(), 1)


async def test_it_is_let_go_once() -> None:
    async with replying(always(answer(b"{}"))) as (reply, _, ended):
        reply.close()
        reply.close()

        assert ended == ["ended"]


async def test_a_connection_that_is_given_up_at_the_end_is_no_bug() -> None:
    """What asyncio cancels when its loop ends has no exception to be told."""
    lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    lost.cancel()

    _hear(lost)
    assert lost.cancelled()
