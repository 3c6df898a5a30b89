"""A bare provider, quick enough not to be what is measured: python -m benchmark.provider PORT CERTIFICATE"""

from __future__ import annotations

import asyncio
import re
import ssl
import sys
import time

from benchmark.answers import stream_events, stream_head, whole_answer
from benchmark.requests import PAUSE

_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)", re.IGNORECASE)
_PAUSE = re.compile(rb"\r\n" + PAUSE + rb": (\d+)", re.IGNORECASE)
_STREAMED = re.compile(
    rb'"stream":true,"stream_options":[^\]]*$'
)  # the last keys: a large body costs nothing

ALONE = 0.01
"""Seconds before the second event: those that follow are not to delay the first."""

WHOLE = whole_answer()
HEAD, EVENTS = stream_head(), stream_events()


class Provider(asyncio.Protocol):
    """One connection: answers each request when it is complete."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._held = bytearray()
        self._wanted = 0
        self._streams: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        self._wanted = self._wanted or _size(self._held)
        if self._wanted and len(self._held) >= self._wanted:
            request = bytes(self._held[: self._wanted])
            del self._held[: self._wanted]
            self._wanted = 0
            self.answer(request)

    def answer(self, request: bytes) -> None:
        """Of a whole request, head and body."""
        assert self.transport is not None
        if b'"stream":true' not in request[-100:]:  # among the last keys: looking through 1 MB takes time
            self.transport.write(WHOLE)
            return
        pause = _PAUSE.search(request)
        seconds = int(pause[1]) / 1000 if pause else 0.0
        task = asyncio.get_running_loop().create_task(self._stream(self.transport, seconds))
        self._streams.add(task)
        task.add_done_callback(self._streams.discard)

    async def _stream(self, transport: asyncio.Transport, pause: float) -> None:
        """Write event by event. Without a pause too, each is a TLS record and a segment of its own."""
        transport.write(HEAD)
        for number, event in enumerate(EVENTS[:-1]):
            if transport.is_closing():
                return
            transport.write(event % time.monotonic_ns())
            await asyncio.sleep(pause if number else max(pause, ALONE))
        transport.write(EVENTS[-1])


def _size(held: bytearray) -> int:
    """Of the request that is being received, head and body; 0 while its head is not complete."""
    end = held.find(b"\r\n\r\n")
    length = _LENGTH.search(held, 0, end + 2)
    return end + 4 + (int(length[1]) if length else 0) if end >= 0 else 0


async def serve(port: int, certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["http/1.1"])
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
