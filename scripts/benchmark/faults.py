"""A provider that works and two that do not, in one process that notes the time from one to the other:
python -m benchmark.faults CERTIFICATE GOOD_PORT ERROR_PORT CUT_PORT"""

from __future__ import annotations

import asyncio
import ssl
import sys
import time

from benchmark.provider import Provider

SINCE = b"x-since-failure-ns"
"""Header of a good answer: nanoseconds from the last failure to the whole request's being here."""

_ERROR = b"HTTP/1.1 500 So\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
_BODY = b'{"id":"x","object":"chat.completion","model":"gpt-4o","choices":[],"usage":{"prompt_tokens":9}}'

_failed_at = time.monotonic_ns()


class Good(Provider):
    """Answers, and says how long ago another one failed."""

    def answer(self, request: bytes) -> None:
        assert self.transport is not None
        since = time.monotonic_ns() - _failed_at
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%b: %d\r\n\r\n"
        self.transport.write(head % (len(_BODY), SINCE, since) + _BODY)


class Failing(Provider):
    """Answers with an error at once."""

    def answer(self, request: bytes) -> None:
        assert self.transport is not None
        self.transport.write(_ERROR)
        _note()


class Cutting(Provider):
    """Drops the connection before the first byte of an answer."""

    def answer(self, request: bytes) -> None:
        assert self.transport is not None
        self.transport.abort()
        _note()


def _note() -> None:
    global _failed_at
    _failed_at = time.monotonic_ns()


async def serve(certificate: str, *ports: int) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.set_alpn_protocols(["http/1.1"])
    loop = asyncio.get_running_loop()
    kinds = (Good, Failing, Cutting)
    servers = [
        await loop.create_server(kind, "127.0.0.1", port, ssl=context)
        for kind, port in zip(kinds, ports, strict=True)
    ]
    await asyncio.gather(*(server.serve_forever() for server in servers))


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], *map(int, sys.argv[2:])))
