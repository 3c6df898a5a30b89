"""The stream layer: lets an addon answer a request with pieces as they come.

mitmproxy sends a response that an addon made in one go, and cannot retry. Here a subclass of its HTTP stream,
put in by the public `next_layer` hook, asks for the answer with a hook of its own instead of opening a
connection, and takes the answer's pieces as injected events, the way mitmproxy injects WebSocket messages. As
the stream never pauses meanwhile, it hears at once when the client leaves.

What this uses of mitmproxy's insides is checked by `problem()` at start. The names go back to version 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from h2.settings import SettingCodes, Settings
from mitmproxy import flow as mflow
from mitmproxy import http
from mitmproxy.connection import Connection
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.context import Context
from mitmproxy.proxy.layer import CommandGenerator, NextLayer
from mitmproxy.proxy.layers import http as layers
from mitmproxy.proxy.layers.tls import ClientTLSLayer

from tollgate.gate.http1 import Http1Server

if TYPE_CHECKING:
    from tollgate.gate.relay import Relay

H2_STREAMS = 1000
"""Calls at once on one HTTP/2 connection."""
RELAY = "llm_relay"
"""The flow's attribute that holds its relay: not in `metadata`, which is saved with the flow."""

_NEEDED: dict[type, tuple[str, ...]] = {
    layers.HttpStream: (
        "state_consume_request_body",
        "state_wait_for_response_headers",
        "make_server_connection",
        "handle_protocol_error",
        "send_response",
        "flow_done",
        "state_errored",
        "state_done",
        "check_killed",
        "_handle_event",
    ),
    layers.HttpLayer: ("make_stream", "event_to_child", "_handle_event"),
    layers.Http1Server: ("send", "read_body"),
    layers.Http2Server: ("_handle_event",),
    ClientTLSLayer: ("send_data",),
}


def problem() -> str:
    """What this version of mitmproxy lacks for the stream layer; empty where all is there."""
    missing = [
        f"{c.__name__}.{name}" for c, names in _NEEDED.items() for name in names if not hasattr(c, name)
    ]
    return f"this mitmproxy has no {', '.join(missing)}" if missing else ""


@dataclass
class LlmAnswerHook(commands.StartHook):
    """A request is complete, and nobody has answered it: `llm_answer(relay)` is asked to."""

    data: Relay
    blocking = False  # the stream has to go on hearing its client


@dataclass
class Piece(events.MessageInjected[None]):
    """A piece of an answer for one stream."""

    stream: LlmStream


@dataclass
class Head(Piece):
    """The status line and headers; the body follows in pieces."""

    response: http.Response


@dataclass
class Data(Piece):
    """Some bytes of the body, never none: an empty piece would end a chunked body."""

    data: bytes


@dataclass
class Last(Piece):
    """The body is complete. With a response, it is the whole answer."""

    response: http.Response | None = None


@dataclass
class Abort(Piece):
    """The answer cannot go on: the stream is reset, so that the client knows it is not whole."""

    reason: str


class LlmStream(layers.HttpStream):
    """An HTTP stream whose answer may come from a relay."""

    owner: LlmLayer
    chunked = False
    """True while a body goes out in HTTP/1.1 chunks."""
    tls: ClientTLSLayer | None = None
    """The client's TLS, while what it seals goes to the socket as it is."""

    @property
    def relay(self) -> Relay | None:
        """Set on the flow by the gate, where it is an LLM call."""
        return getattr(self.flow, RELAY, None)

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, Piece):
            yield from self.take(event)
        else:
            yield from super()._handle_event(event)

    def state_consume_request_body(self, event: events.Event) -> CommandGenerator[None]:
        if self.relay and isinstance(event, layers.RequestData) and not self.relay.keep(len(event.data)):
            self.request_body_buf.clear()  # too large: drop it as it comes, refuse at its end
            return
        yield from super().state_consume_request_body(event)

    def make_server_connection(self) -> CommandGenerator[bool]:
        """Called when the request is complete and no addon has answered it."""
        if self.relay is None:
            return (yield from super().make_server_connection())
        self.relay.stream = self
        self.server_state = self.state_await_answer
        yield LlmAnswerHook(self.relay)
        return False

    def state_await_answer(self, event: events.Event) -> CommandGenerator[None]:
        yield from ()

    def take(self, piece: Piece) -> CommandGenerator[None]:
        if self.server_state != self.state_await_answer:
            return
        match piece:
            case Head(response=response):
                yield from self.take_head(response)
            case Data(data=data):
                yield from self.take_data(data)
            case Last(response=response):
                yield from self.take_last(response)
            case Abort(reason=reason):
                yield from self.handle_protocol_error(
                    layers.ResponseProtocolError(self.stream_id, reason, layers.ErrorCode.KILL)
                )

    def seal(self, data: bytes) -> list[bytes] | None:
        """Some bytes of the body as they go to the client's socket, past ten layers whose generators are a
        fifth of an event's cost; None where the layers have to see them."""
        free = self.server_state == self.state_await_answer and self._paused is None
        if self.tls is None or not free or self.context.options.store_streamed_bodies:
            return None
        sealed = self.tls.send_data(chunk(data))
        return [command.data for command in sealed if isinstance(command, commands.SendData)]

    def take_data(self, data: bytes) -> CommandGenerator[None]:
        if self.context.options.store_streamed_bodies:
            self.response_body_buf += data
        if self.chunked:  # the same bytes as through the HTTP/1 layer, at half the cost of an event
            yield commands.SendData(self.context.client, chunk(data))
        else:
            yield layers.SendHttp(layers.ResponseData(self.stream_id, data), self.context.client)

    def take_head(self, response: http.Response) -> CommandGenerator[None]:
        if (yield from self.announce(response)):
            return
        chunked = response.headers.get("transfer-encoding") == "chunked"
        self.chunked = chunked and isinstance(self.owner.connections[self.context.client], layers.Http1Server)
        self.tls = only_tls(self.context) if self.chunked else None
        head = layers.ResponseHeaders(self.stream_id, response, end_stream=False)
        yield layers.SendHttp(head, self.context.client)

    def announce(self, response: http.Response) -> CommandGenerator[bool]:
        """Show the head to other addons; True where one of them, or the client, ended the flow."""
        self.flow.response = response
        yield layers.HttpResponseHeadersHook(self.flow)
        killed = yield from self.check_killed(True)
        if killed and self.relay:
            self.relay.leave()
        return killed

    def take_last(self, response: http.Response | None) -> CommandGenerator[None]:
        if response is not None:
            if (yield from self.announce(response)):
                return
        elif self.context.options.store_streamed_bodies and self.flow.response:
            self.flow.response.data.content = bytes(self.response_body_buf)
            self.response_body_buf.clear()
        yield from self.send_response(already_streamed=response is None)

    def flow_done(self) -> CommandGenerator[None]:
        yield from super().flow_done()
        self.let_go()

    def handle_protocol_error(
        self, event: layers.RequestProtocolError | layers.ResponseProtocolError
    ) -> CommandGenerator[None]:
        if self.relay is None or self.server_state != self.state_await_answer:
            yield from super().handle_protocol_error(event)
            return
        self.relay.leave()
        self.flow.error = mflow.Error(event.message)
        yield layers.HttpErrorHook(self.flow)
        if isinstance(event, layers.ResponseProtocolError):
            yield layers.SendHttp(event, self.context.client)
        self.flow.live = False
        yield layers.DropStream(self.stream_id)
        self.let_go()

    def let_go(self) -> None:
        """Leave the circles of references that an ended stream stands in, so that what the call holds goes at
        once, and not in a pause when the garbage collector comes."""
        if self.relay is not None:
            delattr(self.flow, RELAY)
            self.context.layers.clear()
            self.client_state = self.server_state = ended


def chunk(data: bytes) -> bytes:
    """A chunk of an HTTP/1.1 body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def only_tls(context: Context) -> ClientTLSLayer | None:
    """The client's TLS; None where there is none, or one more below it, around the proxy itself."""
    found = [layer for layer in context.layers if isinstance(layer, ClientTLSLayer)]
    return found[0] if len(found) == 1 else None


def ended(event: events.Event) -> CommandGenerator[None]:
    """The state of a stream that takes no more."""
    yield from ()


class LlmLayer(layers.HttpLayer):
    """An HTTP layer of such streams."""

    def _handle_event(self, event: events.Event) -> CommandGenerator[None]:
        yield from together(self._commands(event), self.context.client)

    def _commands(self, event: events.Event) -> CommandGenerator[None]:
        if isinstance(event, events.Start) and not layers.is_h3_alpn(self.context.client.alpn):
            server = roomy_http2_server if self.context.client.alpn == b"h2" else Http1Server
            self.connections[self.context.client] = server(self.context.fork())
        if isinstance(event, Piece) and event.stream.owner is self:
            if self.streams.get(event.stream.stream_id) is event.stream:
                yield from self.event_to_child(event.stream, event)
        else:
            yield from super()._handle_event(event)

    def make_stream(self, stream_id: int) -> CommandGenerator[None]:
        stream = LlmStream(self.context.fork(), stream_id)
        stream.owner = self
        self.streams[stream_id] = stream
        yield from self.event_to_child(stream, events.Start())


def together(todo: CommandGenerator[None], client: Connection) -> CommandGenerator[None]:
    """The same commands, but what goes to the client at one time goes as one: a head with its body is one TLS
    record and one write then."""
    waiting = b""
    for command in todo:
        if isinstance(command, commands.SendData) and command.connection is client:
            waiting += command.data
            continue
        if waiting:
            yield commands.SendData(client, waiting)
            waiting = b""
        yield command
    if waiting:
        yield commands.SendData(client, waiting)


def roomy_http2_server(context: Context) -> layers.Http2Server:
    """mitmproxy's HTTP/2 server, but for more than the 100 streams at once that the h2 library announces."""
    server = layers.Http2Server(context)
    announced = {SettingCodes(code): value for code, value in server.h2_conn.local_settings.items()}
    announced[SettingCodes.MAX_CONCURRENT_STREAMS] = H2_STREAMS
    server.h2_conn.local_settings = Settings(client=False, initial_values=announced)
    return server


def replace_http_layer(next_layer: NextLayer) -> None:
    """Put our layer where mitmproxy has chosen its own HTTP layer."""
    chosen = next_layer.layer
    if type(chosen) is layers.HttpLayer:
        chosen.context.layers.remove(chosen)
        next_layer.layer = LlmLayer(chosen.context, chosen.mode)
