"""A small HTTP/2 client that does what a test tells it, and nothing by itself: it may not read, or reset."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import (
    DataReceived,
    Event,
    RemoteSettingsChanged,
    ResponseReceived,
    StreamEnded,
    StreamReset,
)
from h2.settings import SettingCodes


@dataclass
class Stream:
    """One request and what came back."""

    id: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False
    reset: bool = False

    @property
    def status(self) -> int:
        return int(self.headers.get(":status", 0))


class H2Client:
    """Many requests over one connection to one host."""

    def __init__(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.host = host
        self.reads = True
        """Whether it makes room for more bytes as they come."""
        self._reader = reader
        self._writer = writer
        self._h2 = H2Connection(H2Configuration(client_side=True, header_encoding="utf-8"))
        self._streams: dict[int, Stream] = {}
        self._changed = asyncio.Event()
        self._greeted = False
        self._over = False

    @property
    def room(self) -> int:
        """How many more streams may be open at once, by what the proxy has said."""
        return self._h2.remote_settings.max_concurrent_streams - self._h2.open_outbound_streams

    async def start(self, window: int = 2**20) -> None:
        self._h2.initiate_connection()
        self._h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: window})
        self._h2.increment_flow_control_window(2**30)
        await self._flush()

    async def ask(
        self, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Stream:
        """Send a request, once the proxy has room for it; its answer comes in while others are awaited."""
        await self.until(lambda: self._greeted and self.room > 0)
        stream = Stream(self._h2.get_next_available_stream_id())
        self._streams[stream.id] = stream
        pseudo = {":method": method, ":scheme": "https", ":authority": self.host, ":path": path}
        self._h2.send_headers(stream.id, [*pseudo.items(), *(headers or {}).items()], end_stream=not body)
        if body:
            self._h2.send_data(stream.id, body, end_stream=True)
        await self._flush()
        return stream

    async def until(self, condition: Callable[[], bool]) -> None:
        """Until what has come in fulfils a condition. ConnectionError where the proxy hangs up before."""
        while not condition():
            if self._over:
                raise ConnectionError("the proxy has closed the connection")
            await self._changed.wait()

    async def read_on(self) -> None:
        """Make room for as many bytes as have come, and for all that will."""
        self.reads = True
        for stream in self._streams.values():
            self._h2.acknowledge_received_data(len(stream.body), stream.id)
        await self._flush()

    async def reset(self, stream: Stream) -> None:
        """Give up one request, and keep the connection."""
        self._h2.reset_stream(stream.id)
        await self._flush()

    async def listen(self) -> None:
        """Take in what comes, until the connection ends."""
        try:
            while data := await self._reader.read(65536):
                for event in self._h2.receive_data(data):
                    self._take(event)
                await self._flush()
                self._wake()
        finally:
            self._over = True
            self._wake()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _take(self, event: Event) -> None:
        self._greeted = self._greeted or isinstance(event, RemoteSettingsChanged)
        stream = self._streams.get(getattr(event, "stream_id", None) or 0)
        if stream is None:
            return
        if isinstance(event, ResponseReceived):
            stream.headers = {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, DataReceived):
            stream.body += event.data or b""
            if self.reads:
                self._h2.acknowledge_received_data(event.flow_controlled_length or 0, stream.id)
        elif isinstance(event, StreamEnded):
            stream.ended = True
        elif isinstance(event, StreamReset):
            stream.reset = True

    async def _flush(self) -> None:
        self._writer.write(self._h2.data_to_send())
        await self._writer.drain()


@asynccontextmanager
async def h2_client(
    port: int, host: str, trust: ssl.SSLContext, window: int = 2**20
) -> AsyncIterator[H2Client]:
    """A connection to that host through the proxy at that port, with `window` bytes of room per stream."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    trust.set_alpn_protocols(["h2"])
    await writer.start_tls(trust, server_hostname=host)
    client = H2Client(host, reader, writer)
    await client.start(window)
    listening = asyncio.ensure_future(client.listen())
    try:
        yield client
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        writer.transport.abort()
