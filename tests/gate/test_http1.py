from __future__ import annotations

import asyncio
import json
import logging

import pytest

from support.proxy import LOOPBACK, Provider, Proxy, chat

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_body_with_trailers_is_answered_and_the_next_request_too(
    proxy: Proxy, provider: Provider
) -> None:
    body = json.dumps(chat()).encode()
    request = HEAD + b"%x;extension=1\r\n%b\r\n0\r\nx-checksum: abc\r\n\r\n" % (len(body), body)
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    writer.write(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    await writer.start_tls(proxy.trust, server_hostname="api.openai.com")

    for _ in range(2):
        writer.write(request)
        async with asyncio.timeout(10):
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
        assert not head.startswith(b"HTTP/1.1 5")
    writer.transport.abort()

    assert [entry.body for entry in provider.simulator.journal.entries] == [body, body]


async def test_empty_lines_before_a_request_are_left_out(proxy: Proxy, provider: Provider) -> None:
    body = json.dumps(chat()).encode()
    request = HEAD + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(b"CONNECT api.openai.com:443 HTTP/1.1\r\nHost: api.openai.com:443\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await writer.start_tls(proxy.trust, server_hostname="api.openai.com")
        writer.write(b"\r\n\r\n" + request + b"\r\n" + request)
        for _ in range(2):
            await reader.readuntil(b"HTTP/1.1 401 ")
        writer.transport.abort()

    assert [entry.body for entry in provider.simulator.journal.entries] == [body, body]


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (b"GET /v1/x?key=sk-of-nobody HTTP/1.1 x\r\n\r\n", "Bad HTTP request line"),
        (b"GET / HTTP/1.1\r\nsk-of-nobody\r\n\r\n", "Invalid header line"),
        (b"GET / HTTP/1.1\r\nAuthorization: Bearer sk-of-nobody\r\n", "before completing request headers"),
    ],
)
async def test_the_log_does_not_quote_a_head_that_cannot_be_read(
    proxy: Proxy, caplog: pytest.LogCaptureFixture, head: bytes, said: str
) -> None:
    with caplog.at_level(logging.DEBUG, "mitmproxy"):
        _, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        writer.write(head)
        writer.write_eof()
        async with asyncio.timeout(10):
            while said not in caplog.text:
                await asyncio.sleep(0.01)
        writer.transport.abort()

    assert "of-nobody" not in caplog.text
