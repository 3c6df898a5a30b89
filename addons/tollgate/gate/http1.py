"""The HTTP/1.1 server of mitmproxy, which stops at trailers of a request, and at empty lines before one, and
leaves the client waiting; and which quotes a head that it cannot read in its log, keys and all."""

from __future__ import annotations

import re

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as layers

_EMPTY_LINE = re.compile(rb"\r?\n")
_QUOTED = re.compile(r":? b['\"].*", re.DOTALL)


class Http1Server(layers.Http1Server):
    """Leaves trailers out, as a proxy may (https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1), and empty
    lines, as a server should (https://www.rfc-editor.org/rfc/rfc9112#section-2.2)."""

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        while _EMPTY_LINE.match(bytes(self.buf)[:2]):
            self.buf.maybe_extract_lines()
        yield from _discreet(super().read_headers(event))

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        if type(self.body_reader) is ChunkedReader:  # it has read nothing yet
            self.body_reader = _WithoutTrailers()
        yield from super().read_body(event)


def _discreet(told: CommandGenerator[None]) -> CommandGenerator[None]:
    """The same commands, with nothing that the client sent in what is logged."""
    reply = None
    while True:
        try:
            command = told.send(reply)
        except StopIteration:
            return
        if isinstance(command, commands.Log):
            command.message = _QUOTED.sub("", command.message)
        reply = yield command


class _WithoutTrailers(ChunkedReader):
    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        found = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(found, h11.EndOfMessage) else found
