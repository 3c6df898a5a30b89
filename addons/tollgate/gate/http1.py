"""The HTTP/1.1 server of mitmproxy, which stops at trailers of a request, and leaves the client waiting."""

from __future__ import annotations

import h11
from h11._readers import ChunkedReader
from h11._receivebuffer import ReceiveBuffer
from mitmproxy.proxy import events
from mitmproxy.proxy.layer import CommandGenerator
from mitmproxy.proxy.layers import http as layers


class Http1Server(layers.Http1Server):
    """Leaves trailers out, as a proxy may: https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1"""

    def read_body(self, event: events.Event) -> CommandGenerator[None]:
        if type(self.body_reader) is ChunkedReader:  # it has read nothing yet
            self.body_reader = _WithoutTrailers()
        yield from super().read_body(event)


class _WithoutTrailers(ChunkedReader):
    def __call__(self, buf: ReceiveBuffer) -> h11.Data | h11.EndOfMessage | None:
        found = super().__call__(buf)
        return h11.EndOfMessage() if isinstance(found, h11.EndOfMessage) else found
