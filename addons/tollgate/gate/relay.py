"""Between one flow and its exchange: takes the answer's pieces, hands them to the stream, hears it end."""

from __future__ import annotations

import asyncio

from mitmproxy import http
from mitmproxy.proxy.layers.http._http2 import Http2Connection
from mitmproxy.proxy.server import ConnectionHandler
from mitmproxy_rs import Stream

from tollgate.calls import Headers
from tollgate.gate import layer
from tollgate.gate.exchange import Exchange
from tollgate.gate.flows import response_of
from tollgate.gate.openings import Opening
from tollgate.gate.waiting import wait_for

HIGH_WATER = 256 * 1024
"""Bytes that may wait for a slow client before we stop reading from the provider."""


class Relay:
    """The client's side of one call, as `exchange.Sink`."""

    def __init__(self, flow: http.HTTPFlow, opening: Opening) -> None:
        self.flow = flow
        self.opening = opening
        self.stream: layer.LlmStream | None = None
        """Set when the stream asks for the answer."""
        self.taken = False
        """True once there is an exchange for it: every call has just one."""
        self.oversize = False
        """True where the request's body was larger than the policy allows, and so was dropped."""
        self._limit = opening.body_limit
        self._received = 0
        self._left = False
        """True once nobody listens, while the call goes on for others."""
        self._exchange: Exchange | None = None
        self._handler: ConnectionHandler | None = None

    def keep(self, size: int) -> bool:
        """Called with each piece of the request's body; False where it is to be dropped."""
        self._received += size
        self.oversize = self.oversize or (self._limit is not None and self._received > self._limit)
        return not self.oversize

    async def run(self, handler: ConnectionHandler, exchange: Exchange) -> None:
        """Carry the exchange until its end, or until the client leaves."""
        self._handler = handler
        task = asyncio.current_task()
        assert task is not None, "a coroutine that runs is run by a task"
        self._exchange = exchange
        exchange.call.audience.when_empty(task.cancel)
        await exchange.run(self)

    async def give_up(self, handler: ConnectionHandler, response: http.Response) -> None:
        """Answer without an exchange: there is none, because of a bug of ours."""
        self._handler = handler
        await self._inject(layer.Last(self.flow, None, self._asking, response))

    def leave(self) -> None:
        """The client left, or somebody killed the flow. The call is given up, unless others share it."""
        if self._exchange is not None and not self._left:
            self._left = True
            self._exchange.call.audience.leave()
            if not self._exchange.call.audience.empty:
                self._exchange.left()

    # -- exchange.Sink -------------------------------------------------------------------------------------

    async def whole(self, status: int, headers: Headers, body: bytes) -> None:
        response = response_of(self.flow.request, status, headers, body)
        await self._inject(layer.Last(self.flow, None, self._asking, response))

    async def head(self, status: int, headers: Headers) -> None:
        response = response_of(self.flow.request, status, headers, None)
        await self._inject(layer.Head(self.flow, None, self._asking, response))

    async def data(self, data: bytes) -> None:
        sealed = self._asking.seal(data)
        if sealed is None:
            await self._inject(layer.Data(self.flow, None, self._asking, data))
        elif not self._left:
            self._write(sealed)
        if not self._left:
            await self._drain()

    async def end(self) -> None:
        await self._inject(layer.Last(self.flow, None, self._asking))

    async def abort(self, reason: str) -> None:
        await self._inject(layer.Abort(self.flow, None, self._asking, reason))

    # -- back-pressure -------------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Wait while the client reads more slowly than the provider writes."""
        writer = self._writer
        if isinstance(writer, asyncio.StreamWriter) and writer.transport.get_write_buffer_size() > HIGH_WATER:
            await self._connected.drain_writers()
        if self._held_back_by_h2() > HIGH_WATER:  # mitmproxy has no event for an opened window
            await wait_for(lambda: self._held_back_by_h2() < HIGH_WATER)

    def _held_back_by_h2(self) -> int:
        """Bytes that wait for the client to open its HTTP/2 window."""
        server = self._asking.owner.connections.get(self._connected.client)
        if not isinstance(server, Http2Connection):
            return 0
        waiting = server.h2_conn.stream_buffers.get(self._asking.stream_id, ())
        return sum(len(chunk.data) for chunk in waiting)

    @property
    def _asking(self) -> layer.LlmStream:
        assert self.stream is not None, "a relay runs only once its stream has asked for the answer"
        return self.stream

    @property
    def _connected(self) -> ConnectionHandler:
        assert self._handler is not None, "a relay sends only while it runs"
        return self._handler

    @property
    def _writer(self) -> asyncio.StreamWriter | Stream | None:
        """None once the client is gone."""
        transport = self._connected.transports.get(self._connected.client)
        return transport.writer if transport else None

    def _write(self, sealed: list[bytes]) -> None:
        """What mitmproxy does with a `SendData`."""
        self._connected.timeout_watchdog.register_activity()
        if (writer := self._writer) and not writer.is_closing():
            for data in sealed:
                writer.write(data)

    async def _inject(self, piece: layer.Piece) -> None:
        if not self._left:
            await self._connected.server_event(piece)
