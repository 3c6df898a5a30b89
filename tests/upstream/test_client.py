from __future__ import annotations

import asyncio
import os
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from support.certs import Authority, server_context, written
from support.upstream import make_request
from support.wire import LAST_CHUNK, Peer, Wire, always, answer, chunk, head
from tollgate.calls import CallError, Request
from tollgate.policy import Upstream
from tollgate.policy.schema import Resolve, Timeouts
from tollgate.upstream.client import Client, open_socket
from tollgate.upstream.failures import ForbiddenAddress

OK = always(answer(b"{}"))
PATIENT = Timeouts(connect=5, first_byte=5, idle=5)
LARGE = b"[" + b"1," * 4_000_000 + b"1]"


@asynccontextmanager
async def client_of(settings: Upstream | None = None) -> AsyncIterator[Client]:
    client = Client(settings or Upstream())
    yield client
    client.close()
    await asyncio.sleep(0)  # aborted transports say so in the loop's next turn
    await asyncio.sleep(0)


async def ask(client: Client, request: Request, timeouts: Timeouts = PATIENT) -> bytes:
    """Send it with the headers and the body it has; the whole answer."""
    reply = await client.send(request, request.headers, request.body.wire, timeouts)
    body = b""
    while piece := await reply.read():
        body += piece
    reply.close()
    return body


async def failure(client: Client, request: Request, timeouts: Timeouts = PATIENT) -> CallError:
    with pytest.raises(CallError) as caught:
        await ask(client, request, timeouts)
    assert request.host in caught.value.message
    return caught.value


def plain(server: Wire, **options: Any) -> Request:
    return make_request(scheme="http", host="127.0.0.1", port=server.port, **options)


# -- what goes out -------------------------------------------------------------------------------------------


async def test_a_request_arrives_byte_for_byte() -> None:
    target = "/v1/a%2Fb/../c;x=1?q=%7b+%zz&alt=sse&e="
    fields = [("Host", "api.x"), ("X-B", "1"), ("x-a", "2"), ("X-B", "3"), ("AUTHORIZATION", "Bearer k")]
    async with Wire(OK) as server, client_of() as client:
        await ask(client, plain(server, target=target, headers=[*fields, ("content-length", "18")]))

    heard = server.heard[0]
    assert heard.line == f"POST {target} HTTP/1.1"
    assert heard.headers == [*fields, ("content-length", "18")]
    assert heard.body == b'{"model":"gpt-4o"}'


async def test_a_body_that_came_in_chunks_gets_a_length() -> None:
    async with Wire(OK) as server, client_of() as client:
        await ask(client, plain(server, headers=[("Host", "api.x")]))

    assert server.heard[0].headers == [("Host", "api.x"), ("Content-Length", "18")]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
async def test_a_request_without_a_body_has_none(method: str) -> None:
    async with Wire(always(answer(b""))) as server, client_of() as client:
        await ask(client, plain(server, method=method, body=b"", headers=[("Host", "api.x")]))

    assert server.heard[0].line.startswith(method)
    assert server.heard[0].body == b""


async def test_a_large_body_arrives_whole() -> None:
    async with Wire(OK) as server, client_of() as client:
        await ask(client, plain(server, body=LARGE))

    assert server.heard[0].body == LARGE


async def test_answers_are_neither_followed_nor_unpacked_nor_remembered() -> None:
    fields = {"Location": "/elsewhere", "Content-Encoding": "gzip", "Set-Cookie": "a=1"}
    async with Wire(always(answer(b"not gzip", "302 Found", fields))) as server, client_of() as client:
        bodies = [await ask(client, plain(server)) for _ in range(2)]

    assert bodies == [b"not gzip"] * 2
    assert [heard.line for heard in server.heard] == ["POST /v1/chat/completions HTTP/1.1"] * 2
    assert all(name.lower() != "cookie" for name, _ in server.heard[1].headers)


# -- connections ---------------------------------------------------------------------------------------------


async def test_a_connection_is_used_again_once_its_answer_was_read() -> None:
    async with Wire(OK) as server, client_of() as client:
        for _ in range(3):
            await ask(client, plain(server))

    assert server.connections == 1


async def test_a_connection_whose_answer_was_left_is_not() -> None:
    script = always(head() + chunk(b"data: 1\n\n"))
    async with Wire(script) as server, client_of() as client:
        request = plain(server)
        for _ in range(2):
            reply = await client.send(request, request.headers, b"{}", PATIENT)
            reply.close()
        await asyncio.wait_for(server.left.wait(), 1)

    assert server.connections == 2


async def test_a_kept_connection_that_just_closed_is_nobodys_fault() -> None:
    async def script(peer: Peer) -> None:
        if peer.request.connection == 0 and len(server.heard) > 1:
            peer.cut()
        else:
            await peer.send(answer(b"{}"))

    async with Wire(script) as server, client_of() as client:
        assert [await ask(client, plain(server)) for _ in range(2)] == [b"{}", b"{}"]

    assert [heard.connection for heard in server.heard] == [0, 0, 1]
    assert server.heard[1].body == server.heard[2].body


async def test_a_new_connection_that_closes_is_not_asked_twice() -> None:
    async def script(peer: Peer) -> None:
        peer.cut()

    async with Wire(script) as server, client_of() as client:
        failed = await failure(client, plain(server))

    assert failed.code == "provider_disconnected"
    assert len(server.heard) == 1


async def test_a_retired_client_lets_a_running_answer_end() -> None:
    async def script(peer: Peer) -> None:
        await peer.send(head() + chunk(b"one"))
        await asyncio.wait_for(proceed.wait(), 5)
        await peer.send(chunk(b"two") + LAST_CHUNK)

    proceed = asyncio.Event()
    async with Wire(script) as server, client_of() as client:
        request = plain(server)
        reply = await client.send(request, request.headers, b"{}", PATIENT)
        client.retire()
        assert await reply.read() == b"one"
        proceed.set()
        assert await reply.read() == b"two"
        assert not server.left.is_set()
        assert await reply.read() == b""
        reply.close()
        await asyncio.wait_for(server.left.wait(), 1)


async def test_a_client_without_answers_retires_at_once() -> None:
    async with Wire(OK) as server, client_of() as client:
        await ask(client, plain(server))
        client.retire()
        await asyncio.wait_for(server.left.wait(), 1)


async def test_giving_up_before_the_head_hangs_up(tmp_path: Path, authority: Authority) -> None:
    async def script(peer: Peer) -> None:
        asked.set()
        await peer.reader.read()
        server.left.set()

    asked = asyncio.Event()
    settings = Upstream(ca=written(tmp_path / "ca.pem", authority.pem))
    tls = server_context(tmp_path, authority, "127.0.0.1")
    async with Wire(script, tls) as server, client_of(settings) as client, asyncio.TaskGroup() as group:
        task = group.create_task(ask(client, make_request(host="127.0.0.1", port=server.port)))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 1)


def test_sockets_are_kept_alive() -> None:
    """A model may think for minutes; a firewall forgets silent connections sooner."""
    with open_socket((socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", 1))) as sock:
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)


# -- faults --------------------------------------------------------------------------------------------------


async def test_a_port_that_nobody_listens_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with client_of() as client:
        failed = await failure(client, make_request(scheme="http", host="127.0.0.1", port=port))

    assert (failed.code, failed.status) == ("provider_unreachable", 502)
    assert "Connection refused" in failed.message


async def test_a_name_that_does_not_exist() -> None:
    async with client_of() as client:
        failed = await failure(client, make_request(host="a" * 64 + ".openai.azure.com"))

    assert failed.code == "provider_unreachable"
    assert "could not be resolved" in failed.message
    assert "not a host name" in failed.message


async def test_a_provider_that_hangs_before_the_head() -> None:
    async def script(peer: Peer) -> None:
        await peer.reader.read()
        server.left.set()

    async with Wire(script) as server, client_of() as client:
        failed = await failure(client, plain(server), Timeouts(first_byte=0.05))
        await asyncio.wait_for(server.left.wait(), 1)

    assert (failed.code, failed.status) == ("provider_timeout", 504)
    assert "did not begin to answer within 0.05 s" in failed.message


async def test_a_provider_that_does_not_take_the_request_in() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        request = make_request(LARGE, scheme="http", host="127.0.0.1", port=deaf.getsockname()[1])
        async with client_of() as client:
            failed = await failure(client, request, Timeouts(first_byte=0.2))

    assert failed.code == "provider_timeout"


async def test_a_handshake_that_never_ends() -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        request = make_request(host="127.0.0.1", port=deaf.getsockname()[1])
        async with client_of() as client:
            failed = await failure(client, request, Timeouts(connect=0.05))

    assert failed.code == "provider_timeout"
    assert "timeouts.connect" in failed.message


async def test_what_is_not_http() -> None:
    async with Wire(always(b"SSH-2.0-OpenSSH_9.9\r\n\r\n")) as server, client_of() as client:
        failed = await failure(client, plain(server))

    assert failed.code == "provider_garbled"


async def test_what_is_not_tls() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(status="400 Bad Request"))
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server, client_of() as client:
        port = server.sockets[0].getsockname()[1]
        failed = await failure(client, make_request(host="127.0.0.1", port=port))

    assert failed.code == "provider_tls"


async def test_a_certificate_of_an_unknown_authority(tmp_path: Path, authority: Authority) -> None:
    tls = server_context(tmp_path, authority, "localhost")
    async with Wire(OK, tls) as server, client_of() as client:
        failed = await failure(client, make_request(port=server.port))

    assert failed.code == "provider_tls"
    assert "upstream.ca" in failed.message


# -- where to ------------------------------------------------------------------------------------------------


async def test_the_resolve_table_leads_elsewhere_while_tls_checks_the_real_name(
    tmp_path: Path, authority: Authority
) -> None:
    names: list[str | None] = []
    tls = server_context(tmp_path, authority, "api.openai.com")
    tls.sni_callback = lambda _, name, __: names.append(name)
    async with Wire(OK, tls) as server:
        entry = Resolve(address="127.0.0.1", port=server.port, ca=written(tmp_path / "ca.pem", authority.pem))
        async with client_of(Upstream(resolve={"API.openai.com": entry})) as client:
            assert await ask(client, make_request(host="api.openai.com")) == b"{}"

    assert names == ["api.openai.com"]
    assert server.heard[0].header("host") == "api.openai.com"


async def test_a_client_certificate_is_shown_to_who_asks(tmp_path: Path, authority: Authority) -> None:
    tls = server_context(tmp_path, authority, "localhost", clients=authority)
    ca = written(tmp_path / "ca.pem", authority.pem)
    me = written(tmp_path / "me.pem", authority.issue("tollgate"))
    async with Wire(OK, tls) as server, client_of(Upstream(ca=ca, client_cert=me)) as client:
        assert await ask(client, make_request(port=server.port)) == b"{}"


async def test_a_missing_client_certificate_is_told(tmp_path: Path, authority: Authority) -> None:
    """The server is a thread, since asyncio's own hang up without the alert that says why."""
    tls = server_context(tmp_path, authority, "localhost", clients=authority)

    def serve(listening: socket.socket) -> None:
        connection = tls.wrap_socket(listening.accept()[0], server_side=True, do_handshake_on_connect=False)
        with connection, suppress(ConnectionError):
            with suppress(ssl.SSLError):
                connection.do_handshake()
            while os.read(connection.fileno(), 65536):
                continue

    ca = written(tmp_path / "ca.pem", authority.pem)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        request = make_request(port=listening.getsockname()[1])
        async with client_of(Upstream(ca=ca)) as client:
            failed, _ = await asyncio.gather(failure(client, request), asyncio.to_thread(serve, listening))

    assert failed.code == "provider_tls"
    assert "upstream.client_cert" in failed.message


@pytest.mark.parametrize("host", ["169.254.169.254", "metadata.google.internal", "fd00:ec2::254"])
async def test_metadata_is_refused_before_anything_is_sent(host: str) -> None:
    async with client_of() as client:
        refused = await failure(client, make_request(scheme="http", host=host, port=80))

    assert refused.code == "forbidden_address"


async def test_a_name_that_leads_to_metadata_is_refused_after_dns() -> None:
    settings = Upstream(resolve={"rebind.x": Resolve(address="169.254.169.254")})
    async with client_of(settings) as client:
        refused = await failure(client, make_request(host="rebind.x"))

    assert refused.code == "forbidden_address"


def test_no_socket_is_opened_for_a_forbidden_address() -> None:
    with pytest.raises(ForbiddenAddress):
        open_socket((socket.AF_INET6, socket.SOCK_STREAM, 0, "", ("fe80::1", 443, 0, 2)))


# -- by the egress proxy -------------------------------------------------------------------------------------


def tunnel(authorization: str, heard: list[str]) -> Callable[..., Any]:
    """A proxy that opens tunnels for those who know the password."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        heard.append(request)
        if authorization not in request:
            writer.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        port = int(request.split()[1].rpartition(":")[2])
        inner, outer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.TaskGroup() as group:
            group.create_task(pump(reader, outer))
            group.create_task(pump(inner, writer))

    return serve


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.transport.abort()


def proxied(port: int, ca: Path, user: str | None = "tollgate", **more: Any) -> Upstream:
    return Upstream(
        proxy=f"http://127.0.0.1:{port}",
        proxy_user=user,
        proxy_password_env="PROXY_PASSWORD" if user else None,
        ca=ca,
        **more,
    )


async def test_tls_goes_through_a_tunnel_of_the_proxy(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "sesame")
    tls = server_context(tmp_path, authority, "localhost")
    ca = written(tmp_path / "ca.pem", authority.pem)
    heard: list[str] = []
    proxy = await asyncio.start_server(tunnel("Basic dG9sbGdhdGU6c2VzYW1l", heard), "127.0.0.1", 0)
    async with proxy, Wire(OK, tls) as server:
        port = proxy.sockets[0].getsockname()[1]
        request = make_request(port=server.port)
        async with client_of(proxied(port, ca)) as client:
            assert [await ask(client, request) for _ in range(2)] == [b"{}", b"{}"]
        async with client_of(proxied(port, ca, user=None)) as client:
            failed = await failure(client, request)

    assert heard[0].startswith(f"CONNECT localhost:{server.port} ")
    assert all(name.lower() != "proxy-authorization" for name, _ in server.heard[0].headers)
    assert failed.code == "provider_unreachable"
    assert "HTTP 407" in failed.message
    assert (len(heard), server.connections) == (2, 1)


async def test_without_tls_the_proxy_gets_the_request_itself(
    tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROXY_PASSWORD", "sesame")
    ca = written(tmp_path / "ca.pem", authority.pem)
    async with Wire(OK) as proxy, client_of(proxied(proxy.port, ca)) as client:
        request = make_request(scheme="http", host="vllm.corp", port=8000)
        assert await ask(client, request) == b"{}"

    assert proxy.heard[0].line == "POST http://vllm.corp:8000/v1/chat/completions HTTP/1.1"
    assert proxy.heard[0].header("proxy-authorization") == "Basic dG9sbGdhdGU6c2VzYW1l"
    assert "proxy-authorization" not in request.headers


async def test_hosts_of_the_resolve_table_are_inside_and_need_no_proxy(
    tmp_path: Path, authority: Authority
) -> None:
    ca = written(tmp_path / "ca.pem", authority.pem)
    async with Wire(OK) as server:
        resolve = {"vllm.corp": Resolve(address="127.0.0.1", port=server.port)}
        async with client_of(proxied(1, ca, user=None, resolve=resolve)) as client:
            assert await ask(client, make_request(scheme="http", host="vllm.corp", port=80)) == b"{}"


async def test_a_proxy_that_is_down(tmp_path: Path, authority: Authority) -> None:
    ca = written(tmp_path / "ca.pem", authority.pem)
    async with client_of(proxied(1, ca, user=None)) as client:
        failed = await failure(client, make_request())

    assert failed.code == "provider_unreachable"
    assert "127.0.0.1:1" in failed.message


async def test_metadata_is_refused_though_a_proxy_would_ask_dns(tmp_path: Path, authority: Authority) -> None:
    ca = written(tmp_path / "ca.pem", authority.pem)
    async with client_of(proxied(1, ca, user=None)) as client:
        refused = await failure(client, make_request(scheme="http", host="0xa9fea9fe", port=80))

    assert refused.code == "forbidden_address"


def test_settings_that_cannot_be_used_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"upstream\.ca"):
        Client(Upstream(ca=tmp_path / "missing.pem"))
