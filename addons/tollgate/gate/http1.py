"""The HTTP/1.1 server of mitmproxy, which leaves a client waiting at the trailers of a request, and at an
empty line before one."""

from __future__ import annotations

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy import events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as layers


class Http1Server(layers.Http1Server):
    """Leaves out trailers and empty lines before a request, as a proxy may:
    https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1, https://www.rfc-editor.org/rfc/rfc9112#section-2.2"""

    def read_headers(self, event: events.ConnectionEvent) -> CommandGenerator[None]:
        waiting = bytes(self.buf)
        if empty := len(waiting) - len(waiting.lstrip(b"\r\n")):
            self.buf.maybe_extract_at_most(empty)
        yield from super().read_headers(event)

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        if type(self.body_reader) is ChunkedReader:  # it has read nothing yet
            self.body_reader = _WithoutTrailers()
        yield from super().read_body(event)


class _WithoutTrailers(ChunkedReader):
    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        found = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(found, h11.EndOfMessage) else found
