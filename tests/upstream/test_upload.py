from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest
from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import StreamWriter

from tollgate.upstream.upload import Connections, Upload

LARGE = bytes(range(256)) * 1024


class Pipe(asyncio.Transport):
    """A transport that keeps what is written, and may stop taking it."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.aborted

    def abort(self) -> None:
        self.aborted = True


def writer_to(pipe: Pipe, *, stuck: bool = False) -> StreamWriter:
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(pipe)
    if stuck:
        protocol.pause_writing()
    return StreamWriter(protocol, loop)


def upload(body: bytes = b"{}", known: Connections | None = None, timeout: float = 5) -> Upload:
    return Upload(body, timeout, Connections() if known is None else known)


async def test_a_small_body_is_one_write() -> None:
    pipe = Pipe()

    await upload(b'{"a":1}').write(writer_to(pipe))

    assert pipe.written == [b'{"a":1}']


async def test_others_go_on_between_the_slices_of_a_large_body() -> None:
    pipe, body, seen = Pipe(), upload(LARGE), list[int]()

    async def other() -> None:
        while len(pipe.written) < 4:
            seen.append(len(pipe.written))
            await asyncio.sleep(0)

    await asyncio.gather(body.write(writer_to(pipe)), other())

    assert len(set(seen)) > 2


async def test_a_large_body_is_written_in_slices() -> None:
    pipe, body = Pipe(), upload(LARGE)

    await body.write(writer_to(pipe))

    assert b"".join(pipe.written) == LARGE
    assert max(map(len, pipe.written)) <= 64 * 1024
    assert body.size == len(LARGE)


async def test_a_body_that_is_not_taken_in_times_out() -> None:
    with pytest.raises(TimeoutError):
        await upload(LARGE, timeout=0.01).write(writer_to(Pipe(), stuck=True))


async def test_it_notes_when_it_left() -> None:
    body = upload()
    before = time.monotonic()

    await body.write(writer_to(Pipe()))

    assert before <= body.sent <= time.monotonic()


async def test_a_connection_is_new_once() -> None:
    known, pipe = Connections(), Pipe()
    first, second = upload(known=known), upload(known=known)

    await first.write(writer_to(pipe))
    await second.write(writer_to(pipe))

    assert (first.reused, second.reused) == (False, True)


async def test_only_a_used_connection_that_breaks_at_once_is_a_lost_race() -> None:
    known, pipe = Connections(), Pipe()
    first, second = upload(known=known), upload(known=known)
    await first.write(writer_to(pipe))
    await second.write(writer_to(pipe))
    broken = aiohttp.ServerDisconnectedError()

    assert second.lost_a_race(broken)
    assert second.lost_a_race(aiohttp.ClientOSError(104, "reset"))
    assert not second.lost_a_race(aiohttp.SocketTimeoutError())
    assert not first.lost_a_race(broken)
    second.sent -= 10
    assert not second.lost_a_race(broken)


async def test_hanging_up_drops_the_connection() -> None:
    pipe, body = Pipe(), upload()
    body.hang_up()
    await body.write(writer_to(pipe))

    body.hang_up()

    assert pipe.aborted


async def test_a_connection_that_is_gone_already_is_not_remembered() -> None:
    writer = writer_to(Pipe())
    writer.protocol.connection_lost(None)
    body = upload()

    with pytest.raises(ConnectionError):
        await body.write(writer)

    assert not body.reused


def test_it_can_be_read_as_text() -> None:
    assert upload(b"caf\xc3\xa9").decode() == "café"
