"""The way out where our stream layer does not fit this mitmproxy: its own upstream leg.

Everything is still inspected, refused and recorded. What is lost is what mitmproxy cannot do: retries,
time-outs, streamed cached answers (they go out whole), and an error event where a provider breaks off.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Protocol

from mitmproxy import http

from tollgate.calls import (
    CLIENT,
    Answer,
    Attempt,
    Call,
    CallError,
    End,
    Event,
    Failed,
    Headers,
    Refused,
)
from tollgate.calls.coding import CodingError, ContentDecoder, decode
from tollgate.dialects import FRAMINGS, FramingError, framing_of
from tollgate.gate import layer
from tollgate.gate.exchange import Exchange
from tollgate.gate.flows import failure_of, headers_of, http_headers, response_of
from tollgate.gate.guards import FailClosed
from tollgate.gate.pieces import Pieces
from tollgate.gate.relay import Relay
from tollgate.upstream.metering import Meter

EXCHANGE = "llm_exchange"


class Opens(Protocol):
    """What this needs of the gate."""

    def exchange(self, relay: Relay, *, native: bool = False) -> Exchange: ...

    def done_with(self, exchange: Exchange) -> None: ...


class Native:
    """The HTTP hooks that carry a call over mitmproxy's own leg."""

    name = "tollgate-native"

    def __init__(self, gate: Opens) -> None:
        self._gate = gate

    async def request(self, flow: http.HTTPFlow) -> None:
        relay: Relay | None = getattr(flow, layer.RELAY, None)
        if relay is None or flow.response or flow.error:
            return
        with FailClosed("Carrying a call", flow):
            exchange = self._gate.exchange(relay, native=True)
            setattr(flow, EXCHANGE, exchange)
            await self._ask(flow, exchange)

    async def _ask(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        try:
            await exchange.ask()
            if exchange.call.answer is not None:
                await self._answer(flow, exchange, exchange.call.answer)
            else:
                follow_plan(exchange.call)
                self._send(flow, exchange)
        except CallError as error:
            self._tell(flow, exchange, error)

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or exchange.finished or flow.response is None:
            return
        call = exchange.call
        call.timings.first_byte = time.monotonic()
        call.status = call.attempts[-1].status = flow.response.status_code
        expected = call.dialect.expected_framing(call.params) if call.stream else ""
        if framing := framing_of(flow.response.headers.get("content-type", ""), b"", expected):
            self._stream(flow, exchange, framing)

    async def response(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is None or exchange.finished or flow.response is None:
            return
        try:
            if not flow.response.stream:
                await self._whole(flow, exchange, flow.response)
            exchange.close("answered")
        except CodingError as e:
            message = f"The answer of {exchange.call.request.host} cannot be read: {e}."
            self._tell(flow, exchange, Failed(message, code="answer_undecodable"))
        except CallError as error:
            self._tell(flow, exchange, error)
        self._finish(exchange)

    def error(self, flow: http.HTTPFlow) -> None:
        exchange = exchange_of(flow)
        if exchange is not None and not exchange.finished:
            left = not flow.client_conn.connected
            exchange.close("abandoned" if left else "failed", failure_of(flow))
            self._finish(exchange)

    # -- steps ---------------------------------------------------------------------------------------------

    def _send(self, flow: http.HTTPFlow, exchange: Exchange) -> None:
        call = exchange.call
        if call.plan:
            flow.request.path, flow.request.headers = call.request.target, http_headers(call.request.headers)
        flow.request.headers["accept-encoding"] = "identity"
        if call.request.body.edited:
            flow.request.headers.pop("content-encoding", None)
            flow.request.content = call.request.body.render()  # sets the length as well
        call.timings.sent = time.monotonic()
        call.attempts.append(Attempt(call.request.host, call.timings.sent))

    async def _answer(self, flow: http.HTTPFlow, exchange: Exchange, answer: Answer) -> None:
        """An answer that a room had: it goes out whole, since mitmproxy cannot stream it."""
        body = answer.body
        if answer.events is not None:
            exchange.walk.head(answer)
            pieces = Pieces(exchange.walk, answer.framing)
            body = b"".join([pieces.up(batch) async for batch in answer.events])
        else:
            await exchange.walk.up(answer)
            body = answer.body
        answer.headers.update(exchange.call.extra_headers)
        flow.response = response_of(flow.request, answer.status, answer.headers, body)
        exchange.sent(answer.status, answer.headers, body)
        exchange.close("answered")
        self._finish(exchange)

    def _stream(self, flow: http.HTTPFlow, exchange: Exchange, framing: str) -> None:
        assert flow.response is not None
        headers = headers_of(flow.response.headers.fields)
        encoding = "" if framing == "raw" else headers.popall("content-encoding", [""])[0]
        answer = exchange.call.answer = Answer(flow.response.status_code, headers, framing=framing)
        exchange.walk.head(answer)
        answer.headers.update(exchange.call.extra_headers)
        flow.response.headers = response_of(flow.request, answer.status, answer.headers, None).headers
        flow.response.stream = streamer(exchange, headers, framing, encoding)

    async def _whole(self, flow: http.HTTPFlow, exchange: Exchange, response: http.Response) -> None:
        headers = headers_of(response.headers.fields)
        encoding = headers.popall("content-encoding", [""])[0]
        body = decode(response.raw_content or b"", encoding, exchange.call.policy.answers.max_size)
        answer = Answer(response.status_code, headers, body)
        Meter(exchange.call, exchange.call.attempts[-1], answer.headers).whole(answer)
        await exchange.walk.up(answer)
        answer.headers.update(exchange.call.extra_headers)
        flow.response = response_of(flow.request, answer.status, answer.headers, answer.body)
        exchange.sent(answer.status, answer.headers, answer.body)

    def _tell(self, flow: http.HTTPFlow, exchange: Exchange, error: CallError) -> None:
        answer = exchange.tell(error)
        flow.response = response_of(flow.request, answer.status, answer.headers, answer.body)
        self._finish(exchange)

    def _finish(self, exchange: Exchange) -> None:
        exchange.finish()
        self._gate.done_with(exchange)


def follow_plan(call: Call) -> None:
    """Have the call as its first target wants it. Refused where that is elsewhere, or wants another key:
    mitmproxy's leg goes where the client wanted, once."""
    if not call.plan:
        return
    leg, asked = call.plan[0].render(call), call.request
    there, here = ((r.scheme, r.host, r.port) for r in (leg.request, asked))
    if leg.back or there != here or call.plan[0].credentials != (CLIENT,):
        message = "Tollgate cannot route this call: mitmproxy's own upstream leg is in use, as the log says."
        raise Refused(message, code="routing_unavailable", always=True)
    call.request = leg.request


def exchange_of(flow: http.HTTPFlow) -> Exchange | None:
    """The exchange that a flow carries."""
    return getattr(flow, EXCHANGE, None)


def streamer(
    exchange: Exchange, headers: Headers, framing: str, encoding: str
) -> Callable[[bytes], Iterable[bytes]]:
    """What mitmproxy is to call with each piece of an answer, and with b"" at its end. It never raises, which
    would hang the client, and gives nothing more once the stream was broken off."""
    decoder = FRAMINGS[framing].decoder()
    decompressor = ContentDecoder(encoding, exchange.call.policy.answers.max_size)
    meter = Meter(exchange.call, exchange.call.attempts[-1], headers)
    pieces = Pieces(exchange.walk, framing)

    def events_of(data: bytes) -> list[Event]:
        if data:
            return decoder.feed(decompressor.feed(data))
        decompressor.close()
        return [*decoder.close(), End()]

    def take(data: bytes) -> Iterable[bytes]:
        if exchange.closed:
            return []
        try:
            events = events_of(data)
            meter.events(events)
            return exchange.count(pieces.up(events))
        except (CodingError, FramingError) as error:
            broken: CallError = Failed(f"The stream broke: {error}.", code="stream_cut")
        except CallError as error:
            broken = error
        last = exchange.tell_inside(broken, pieces)
        return [last] if last else []

    return take
