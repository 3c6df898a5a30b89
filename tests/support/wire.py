"""A loopback server that plays a script, byte for byte, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType


@dataclass(frozen=True)
class Heard:
    """A request as it came in."""

    line: str
    headers: list[tuple[str, str]]
    body: bytes
    connection: int
    """How manyth connection to the server it came by, from 0."""

    def header(self, name: str) -> str:
        return next(value for key, value in self.headers if key.lower() == name)


class Peer:
    """One connection, as the script has it."""

    def __init__(self, request: Heard, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.request = request
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    def cut(self) -> None:
        """Drop the connection in the middle of whatever it is in."""
        self.writer.transport.abort()


type Script = Callable[[Peer], Awaitable[None]]


class Wire:
    """Reads requests, and has the script answer each. `async with` opens and closes it."""

    def __init__(self, script: Script, tls: ssl.SSLContext | None = None) -> None:
        self.heard: list[Heard] = []
        self.connections = 0
        self.left = asyncio.Event()
        """Set once a client has closed a connection."""
        self._script = script
        self._tls = tls
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server

    async def __aenter__(self) -> Wire:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        number, self.connections = self.connections, self.connections + 1
        try:
            while not writer.is_closing():
                request = await read_request(reader, number)
                self.heard.append(request)
                await self._script(Peer(request, reader, writer))
        except (asyncio.IncompleteReadError, OSError):
            self.left.set()
        finally:
            self._tasks.discard(task)
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()


async def read_request(reader: asyncio.StreamReader, connection: int) -> Heard:
    """The next request. IncompleteReadError where the client leaves instead."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in head[1:])]
    length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
    return Heard(head[0], headers, await reader.readexactly(length), connection)


def answer(body: bytes = b"", status: str = "200 OK", headers: Mapping[str, str] | None = None) -> bytes:
    """A whole answer. Its type is JSON unless the headers say otherwise."""
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + body


def head(content_type: str = "text/event-stream", headers: Mapping[str, str] | None = None) -> bytes:
    """The head of an answer in chunks."""
    fields = {"Content-Type": content_type, "Transfer-Encoding": "chunked", **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value)
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK = b"0\r\n\r\n"


def always(data: bytes) -> Script:
    """The script that answers everything alike."""

    async def script(peer: Peer) -> None:
        await peer.send(data)

    return script
