"""Connections before there is a call: which are looked into, which are tunnelled, which are refused."""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TypeGuard
from weakref import WeakKeyDictionary

from mitmproxy import connection, ctx, http, tls
from mitmproxy.proxy import context, server_hooks
from mitmproxy.proxy import layer as proxy_layer
from mitmproxy.proxy.layers import ClientTLSLayer, DNSLayer, HttpLayer, ServerTLSLayer, TCPLayer
from mitmproxy.proxy.layers.http import HTTPMode

from tollgate.calls import Connection, Runtime, Sight
from tollgate.gate import layer
from tollgate.gate.connections import on_connect, on_tls
from tollgate.gate.openings import user_of
from tollgate.gate.ownleg import prepare, trusted_authorities, two_ways

logger = logging.getLogger("tollgate")


class Tunnels:
    """The part of the gate that has mitmproxy's connection hooks."""

    name = "tollgate-connections"

    def __init__(
        self, runtime: Callable[[], Runtime], saw: Callable[[Connection], None], *, streams: bool
    ) -> None:
        self._runtime = runtime
        self._saw = saw
        self._streams = streams
        """Whether our stream layer fits this mitmproxy."""
        self._users: WeakKeyDictionary[connection.Client, str] = WeakKeyDictionary()
        """Who is logged in, where the proxy asks for that."""

    def llm_setup(self, runtime: Runtime) -> None:
        upstream = runtime.policy.file.upstream
        authorities = trusted_authorities(upstream, runtime.state)
        ctx.options.update(ssl_verify_upstream_trusted_ca=str(authorities) if authorities else None)
        if difference := two_ways(upstream, ctx.options.mode):
            logger.warning("Tollgate: %s", difference)

    def client_connected(self, client: connection.Client) -> None:
        """Lift mitmproxy's limit of five requests at once from one HTTP/2 client to one HTTP/1 server."""
        handler = ctx.master.addons.get("proxyserver").connections.get(client.id)
        if handler is not None:
            handler.max_conns = defaultdict(lambda: asyncio.Semaphore(1000))

    def http_connect(self, flow: http.HTTPFlow) -> None:
        self._users[flow.client_conn] = user_of(flow)
        refuse(flow, self._runtime(), self._saw)

    def next_layer(self, next_layer: proxy_layer.NextLayer) -> None:
        """Choose as mitmproxy does, but with our streams, with raw tunnels to other hosts, and with none to
        LLM hosts."""
        if next_layer.layer is None:  # a script stands before the addon that chooses
            ctx.master.addons.get("nextlayer").next_layer(next_layer)
        chosen = next_layer.layer
        if isinstance(chosen, HttpLayer | TCPLayer) and self._is_tunnel(next_layer.context):
            next_layer.context.layers.remove(chosen)
            next_layer.layer = TCPLayer(next_layer.context, ignore=True)
        elif _passes_unseen(chosen) and self._is_looked_into(next_layer.context):
            next_layer.context.layers.remove(chosen)
            next_layer.layer = HttpLayer(next_layer.context, HTTPMode.transparent)
        if self._streams:
            layer.replace_http_layer(next_layer)

    def _is_tunnel(self, ctx: context.Context) -> bool:
        """True for a CONNECT without TLS in it to a host that is not looked into."""
        connects = any(isinstance(above, HttpLayer) for above in ctx.layers)
        encrypted = any(isinstance(above, ClientTLSLayer | ServerTLSLayer) for above in ctx.layers)
        if not connects or encrypted or not ctx.server.address:
            return False
        host, port = ctx.server.address[:2]
        runtime = self._runtime()
        verdict = on_connect(host, port, runtime.policy.file, runtime.providers)
        if verdict.decision == "tunnel":
            self._note("tunnelled", host, port, ctx.client, verdict.why)
        return verdict.decision == "tunnel"

    def _is_looked_into(self, ctx: context.Context) -> bool:
        """True where nothing may pass that is not HTTP: on a connection to an LLM host, by either name."""
        if not ctx.server.address:
            return False
        host, port = ctx.server.address[:2]
        runtime = self._runtime()
        verdict = on_tls(host, port, ctx.client.sni or "", runtime.policy.file, runtime.providers)
        return verdict.decision != "tunnel"

    def tls_clienthello(self, data: tls.ClientHelloData) -> None:
        if not data.context.server.address:
            return
        host, port = data.context.server.address[:2]
        runtime = self._runtime()
        verdict = on_tls(host, port, data.client_hello.sni or "", runtime.policy.file, runtime.providers)
        if verdict.decision == "tunnel":
            data.ignore_connection = True
            self._note("tunnelled", host, port, data.context.client, verdict.why)

    def tls_failed_client(self, data: tls.TlsData) -> None:
        """Most often a client does not take our certificate: its CA is missing, or it pins the provider's."""
        host, port = (data.context.server.address or ("", 443))[:2]
        host = data.context.client.sni or host
        why, text = why_tls_failed(data.conn.error or "", begun=data.ssl_conn is not None)
        self._note("tls_failed", host, port, data.context.client, why)
        logger.warning(text, host or "this proxy itself")

    async def server_connect(self, data: server_hooks.ServerConnectionHookData) -> None:
        """mitmproxy's own leg: where the policy says, and never to link-local or metadata addresses."""
        await prepare(data.server, self._runtime().policy.file.upstream)

    def _note(self, sight: Sight, host: str, port: int, client: connection.Client, why: str) -> None:
        address = client.peername[0] if client.peername else ""
        self._saw(Connection(sight, host, port, address, self._users.get(client, ""), why))


def why_tls_failed(error: str, *, begun: bool) -> tuple[str, str]:
    """What the trail and the log (with the host) say of a client's handshake, by mitmproxy's error. `begun`:
    there was a ClientHello."""
    if not begun:
        return "no_tls", "A client began no TLS handshake that could be read, for %s."
    if "cannot agree on a TLS version" in error:
        return "tls_version", "A client offered no TLS version above 1.1 for %s."
    # Many clients that do not trust a certificate say so, many just hang up.
    text = "A client did not trust Tollgate's certificate for %s: is the CA installed there?"
    return "certificate_not_trusted", text


def _passes_unseen(chosen: proxy_layer.Layer | None) -> TypeGuard[TCPLayer | DNSLayer]:
    """True where mitmproxy guesses that it is no HTTP. What its user has it ignore is no guess."""
    return isinstance(chosen, DNSLayer) or (isinstance(chosen, TCPLayer) and chosen.flow is not None)


def refuse(flow: http.HTTPFlow, runtime: Runtime, saw: Callable[[Connection], None]) -> None:
    """Answer a CONNECT, or a plain request, that may not go where it wants to. No LLM host is meant here."""
    host, port = flow.request.host, flow.request.port
    verdict = on_connect(host, port, runtime.policy.file, runtime.providers)
    if verdict.decision != "refuse" or flow.response is not None:
        return
    peer = flow.client_conn.peername
    text = f"Tollgate refused this connection: {verdict.reason}\n"
    flow.response = http.Response.make(403, text, {"content-type": "text/plain; charset=utf-8"})
    saw(Connection("refused", host, port, peer[0] if peer else "", user_of(flow), verdict.why))
