"""Connections before there is a call: tunnelled untouched, refused, or looked into."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.certs import Authority, server_context
from support.proxy import KEY, LOOPBACK, Provider, Proxy, chat, tollgate
from tollgate.calls import Connection
from tollgate.gate.tunnels import why_tls_failed


class Ears:
    """Hears what is not a call."""

    def __init__(self) -> None:
        self.seen: list[Connection] = []

    def llm_connection(self, connection: Connection) -> None:
        self.seen.append(connection)

    @property
    def told(self) -> list[tuple[str, str, str]]:
        return [(c.sight, c.host, c.why) for c in self.seen]


@dataclass
class Tunnel:
    """A connection through the proxy."""

    status: bytes
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def say(self, data: bytes) -> bytes:
        """What comes back first."""
        self.writer.write(data)
        async with asyncio.timeout(5):
            return await self.reader.read(65536)


@asynccontextmanager
async def connect(proxy: Proxy, target: str) -> AsyncIterator[Tunnel]:
    reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
    writer.write(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    try:
        yield Tunnel(head.split(b" ")[1], reader, writer)
    finally:
        writer.transport.abort()


@asynccontextmanager
async def echo(tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that says in capitals what it hears."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data.upper())
        writer.transport.abort()

    server = await asyncio.start_server(serve, LOOPBACK, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def as_a_script(proxy: Proxy) -> None:
    """Put the gate where mitmdump puts a script: before the addon that chooses the layers."""
    chain = proxy.master.addons.chain
    chain.insert(0, chain.pop(chain.index(proxy.master.gate)))
    proxy.master.addons.get("tlsconfig").configure(set())


DIRECT: dict[str, Any] = {"upstream": {}}
"""A policy under which a host of the loopback is itself, and not the simulated provider."""

ORDERS = pytest.mark.parametrize("arrange", [lambda proxy: None, as_a_script], ids=["up", "script"])


@ORDERS
async def test_what_is_no_tls_reaches_another_host_untouched(
    tmp_path: Path, provider: Provider, arrange: Callable[[Proxy], None]
) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, DIRECT, ears) as proxy, echo() as port:
        arrange(proxy)
        async with connect(proxy, f"{LOOPBACK}:{port}") as tunnel:
            binary = await tunnel.say(b"\x00\x01 not http\r\n")
            http = await tunnel.say(b"get /v1/chat/completions http/1.1\r\nhost: api.openai.com\r\n\r\n")

    assert binary == b"\x00\x01 NOT HTTP\r\n"
    assert http.startswith(b"GET /V1/CHAT/COMPLETIONS HTTP/1.1\r\nHOST: API.OPENAI.COM")
    assert ears.told == [("tunnelled", LOOPBACK, "other_host")]


@ORDERS
async def test_tls_to_another_host_shows_the_servers_own_certificate(
    tmp_path: Path, provider: Provider, arrange: Callable[[Proxy], None]
) -> None:
    ears, authority = Ears(), Authority("its own")
    trust = ssl.create_default_context(cadata=authority.pem.decode())
    async with (
        tollgate(tmp_path, provider, DIRECT, ears) as proxy,
        echo(server_context(tmp_path, authority, "localhost")) as port,
    ):
        arrange(proxy)
        async with connect(proxy, f"localhost:{port}") as tunnel:
            await tunnel.writer.start_tls(trust, server_hostname="localhost")
            heard = await tunnel.say(b"hello")
        coverage = proxy.master.gate.report()["coverage"]

    assert heard == b"HELLO"
    assert ears.told == [("tunnelled", "localhost", "other_host")]
    assert coverage == {"tunnelled": 1}


@pytest.mark.parametrize(
    ("target", "rules", "why"),
    [
        ("169.254.169.254:80", {}, "metadata"),
        ("2852039166:80", {}, "metadata"),
        ("metadata.google.internal:80", {}, "metadata"),
        ("192.0.2.1:443", {"ip_literals": "refuse"}, "ip_literal"),
        ("example.org:443", {"other_hosts": "refuse"}, "other_host"),
    ],
)
async def test_where_nobody_may_go_a_connect_is_refused(
    tmp_path: Path, provider: Provider, target: str, rules: dict[str, str], why: str
) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {"connections": rules}, ears) as proxy:
        async with connect(proxy, target) as tunnel:
            async with asyncio.timeout(5):
                text = await tunnel.reader.readuntil(b"\n")
        records = await proxy.records()

    assert (tunnel.status, text.startswith(b"Tollgate refused this connection: ")) == (b"403", True)
    assert ears.told == [("refused", target.partition(":")[0], why)]
    assert [(r["kind"], r["why"]) for r in records] == [("connection", why)]


async def test_an_addon_that_fails_to_hear_of_a_refusal_does_not_undo_it(
    tmp_path: Path, provider: Provider
) -> None:
    class Deaf:
        def llm_connection(self, connection: Connection) -> None:
            raise ValueError

    async with (
        tollgate(tmp_path, provider, {}, Deaf()) as proxy,
        connect(proxy, "169.254.169.254:80") as tunnel,
    ):
        pass

    assert tunnel.status == b"403"


async def test_a_client_that_does_not_trust_us_is_counted(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, {}, ears) as proxy:
        async with connect(proxy, "api.openai.com:443") as tunnel:
            with pytest.raises(ssl.SSLCertVerificationError):
                await tunnel.writer.start_tls(ssl.create_default_context(), server_hostname="api.openai.com")
        async with asyncio.timeout(5):
            while not ears.seen:
                await asyncio.sleep(0.01)

    assert ears.told == [("tls_failed", "api.openai.com", "certificate_not_trusted")]
    assert "is the CA installed there?" in caplog.text


MISMATCHES: dict[str, tuple[str, str, list[str]]] = {
    "openai": ("api.openai.com", "/v1/chat/completions", ["error", "message"]),
    "anthropic": ("api.anthropic.com", "/v1/messages", ["error", "message"]),
    "gemini": ("generativelanguage.googleapis.com", "/v1beta/models/g:generateContent", ["error", "message"]),
    "bedrock": ("bedrock-runtime.us-east-1.amazonaws.com", "/model/m/converse", ["message"]),
}


@pytest.mark.parametrize(("host", "path", "where"), MISMATCHES.values(), ids=MISMATCHES)
async def test_a_handshake_for_another_host_is_refused_in_the_dialect(
    proxy: Proxy, provider: Provider, host: str, path: str, where: list[str]
) -> None:
    body = json.dumps(chat()).encode()
    request = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    async with connect(proxy, f"{host}:443") as tunnel:
        await tunnel.writer.start_tls(proxy.trust, server_hostname="api.cohere.com")
        answer = await tunnel.say(request + body)

    head, _, content = answer.partition(b"\r\n\r\n")
    said: Any = json.loads(content)
    for key in where:
        said = said[key]
    assert head.startswith(b"HTTP/1.1 400 ")
    assert f"CONNECT says '{host}', SNI says 'api.cohere.com'" in said
    assert provider.simulator.journal.entries == []
    [record] = await proxy.records()
    assert record["code"] == "host_mismatch"


@ORDERS
async def test_an_llm_host_is_looked_into(
    tmp_path: Path, provider: Provider, arrange: Callable[[Proxy], None]
) -> None:
    async with tollgate(tmp_path, provider) as proxy:
        arrange(proxy)
        url = "https://api.openai.com/v1/chat/completions"
        async with proxy.client().post(url, json=chat(), headers=KEY) as response:
            await response.read()
        [record] = await proxy.records()

    assert (response.status, record["outcome"], len(record["attempts"])) == (200, "answered", 1)


REQUEST = b"GET /v1/models HTTP/1.1\r\nHost: api.openai.com\r\nAuthorization: Bearer sk-of-nobody\r\n\r\n"
NOT_AS_HTTP_BEGINS = {
    "an empty line first": (b"\r\n" + REQUEST, b"HTTP/1.1 200 "),
    "two of them": (b"\n\r\n" + REQUEST, b"HTTP/1.1 200 "),
    "a greeting": (b"SSH-2.0 nobody\r\n\r\n", b"HTTP/1.1 400 "),
    "no words": (b"\0\1\2nobody\r\n\r\n", b"HTTP/1.1 400 "),
}


@pytest.mark.parametrize("port", [443, 53])
@pytest.mark.parametrize(("sent", "status"), NOT_AS_HTTP_BEGINS.values(), ids=NOT_AS_HTTP_BEGINS)
async def test_nothing_reaches_an_llm_host_unseen_because_it_does_not_look_like_http(
    proxy: Proxy, provider: Provider, sent: bytes, status: bytes, port: int
) -> None:
    async with connect(proxy, f"api.openai.com:{port}") as tunnel:
        await tunnel.writer.start_tls(proxy.trust, server_hostname="api.openai.com")  # offers no ALPN
        answer = await tunnel.say(sent)

    calls = [record["path"] for record in await proxy.records()] if status.endswith(b"200 ") else []
    assert answer.startswith(status)
    assert [entry.target for entry in provider.simulator.journal.entries] == calls


async def test_a_plain_request_to_a_metadata_service_is_refused(proxy: Proxy) -> None:
    async with proxy.client().get("http://169.254.169.254/latest/meta-data/") as response:
        text = await response.text()

    assert (response.status, "cloud-metadata" in text) == (403, True)


async def test_a_tunnel_is_its_users(tmp_path: Path, provider: Provider) -> None:
    ears = Ears()
    async with tollgate(tmp_path, provider, DIRECT, ears, proxyauth="ann:secret") as proxy, echo() as port:
        reader, writer = await asyncio.open_connection(LOOPBACK, proxy.port)
        login = "Proxy-Authorization: Basic YW5uOnNlY3JldA=="
        writer.write(f"CONNECT {LOOPBACK}:{port} HTTP/1.1\r\n{login}\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        heard = await Tunnel(b"", reader, writer).say(b"\x00hello")
        writer.transport.abort()

    assert heard == b"\x00HELLO"
    assert [(seen.sight, seen.user) for seen in ears.seen] == [("tunnelled", "ann")]


async def test_an_egress_proxy_that_only_calls_use_is_told(
    tmp_path: Path, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    async with tollgate(tmp_path, provider, {"upstream": {"proxy": "http://proxy.test:3128"}}):
        pass

    assert "calls leave through http://proxy.test:3128" in caplog.text


@ORDERS
@pytest.mark.parametrize("tls", [True, False], ids=["tls", "plain"])
async def test_what_does_not_begin_like_http_does_not_pass_unseen(
    tmp_path: Path, provider: Provider, arrange: Callable[[Proxy], None], tls: bool
) -> None:
    body = json.dumps(chat()).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: api.openai.com\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    async with tollgate(tmp_path, provider) as proxy:
        arrange(proxy)
        port = 443 if tls else 80
        async with (
            connect(proxy, f"api.openai.com:{port}") as tunnel,
            connect(proxy, f"api.openai.com:{port}") as other,
        ):
            for each in (tunnel, other) if tls else ():
                await each.writer.start_tls(proxy.trust, server_hostname="api.openai.com")
            answer = await tunnel.say(b"\r\n" + head.encode() + body)
            garbage = await other.say(b"\x00\x01 my secret\r\n\r\n")
        records = await proxy.records()

    assert answer.startswith(b"HTTP/1.1 ")
    assert garbage.startswith(b"HTTP/1.1 400 ")
    assert [(record["kind"], record["host"]) for record in records] == [("call", "api.openai.com")]
    assert len(provider.simulator.journal.entries) <= 1


@pytest.mark.parametrize("first", [b"\x16\x03\x01\x00\x05", b"\x16\x03\x01\x00\x06secret"])
async def test_a_client_that_gives_up_before_its_handshake_says_nothing_of_the_authority(
    proxy: Proxy, caplog: pytest.LogCaptureFixture, first: bytes
) -> None:
    async with connect(proxy, "api.openai.com:443") as tunnel:
        tunnel.writer.write(first)
        await tunnel.writer.drain()
    [record] = await proxy.records()

    assert (record["sight"], record["why"]) == ("tls_failed", "no_tls")
    assert "no TLS handshake that could be read, for api.openai.com" in caplog.text
    assert "secret" not in caplog.text


def test_a_client_that_is_too_old_says_nothing_of_the_authority() -> None:
    why, said = why_tls_failed("Client and mitmproxy cannot agree on a TLS version to use.", begun=True)

    assert (why, said % "x.test") == ("tls_version", "A client offered no TLS version above 1.1 for x.test.")
