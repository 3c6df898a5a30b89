"""mitmproxy's own connections to servers: tunnels, WebSockets, gRPC, and calls where our leg does not fit."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import certifi
from mitmproxy import connection

from tollgate.policy import Upstream
from tollgate.upstream import is_forbidden

_UPSTREAM = "upstream:"
"""What mitmproxy's mode begins with where it goes through another proxy."""


def trusted_authorities(upstream: Upstream, state: Path) -> Path | None:
    """A PEM file of all that mitmproxy's own leg is to trust; None where the policy adds nothing. ValueError,
    naming the policy's key, where a file cannot be read."""
    named = {f"upstream.resolve.{host}.ca": place.ca for host, place in upstream.resolve.items()}
    extra = {path: _pem(key, path) for key, path in {"upstream.ca": upstream.ca, **named}.items() if path}
    if not extra:
        return None
    bundle = state / "upstream-ca.pem"
    bundle.write_bytes(b"\n".join([Path(certifi.where()).read_bytes(), *extra.values()]))
    return bundle


def _pem(key: str, path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise ValueError(f"{key}: {path} cannot be read: {e.strerror}") from e


def two_ways(upstream: Upstream, modes: Sequence[str]) -> str:
    """What is to be said where calls leave another way than what mitmproxy carries: its mode is set at start,
    and a policy may change while it runs. Empty where both are the same."""
    ours = (upstream.proxy or "").rstrip("/")
    others = {
        mode.partition("@")[0].partition(":")[2].rstrip("/") for mode in modes if mode.startswith(_UPSTREAM)
    }
    if others == ({ours} if ours else set()):
        return ""
    calls, rest = (f"through {proxy}" if proxy else "straight" for proxy in (ours, ", ".join(others)))
    return (
        f"calls leave {calls}, as upstream.proxy says, but tunnels, WebSockets and gRPC {rest}."
        " Start Tollgate anew; with mitmproxy's own tools, say the same with --mode"
    )


async def prepare(server: connection.Server, upstream: Upstream) -> None:
    """Point a connection where the policy's `resolve` says; end it where it would reach a forbidden address.

    The name is looked up here and again by mitmproxy, so a name server that changes its answer in between
    is not caught.
    """
    if server.address is None:
        return
    host, port = server.address[:2]
    if place := upstream.resolve.get(host.lower()):
        server.address = (place.address, place.port or port)
    elif server.via is None and await _forbidden(host, port):
        server.error = f"{host} is a link-local or cloud-metadata address"


async def _forbidden(host: str, port: int) -> bool:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return False  # mitmproxy will say so itself
    return any(is_forbidden(str(address[0])) for *_, address in found)
