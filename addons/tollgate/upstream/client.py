"""The one file that opens connections: a pool of them to the providers, shared by all clients.

aiohttp speaks HTTP/1.1. What it would add, change or follow by itself is switched off, so that a request
arrives as the client wrote it.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from multidict import CIMultiDict
from yarl import URL

from tollgate.calls import Headers, Request
from tollgate.policy.schema import Resolve, Timeouts, Upstream
from tollgate.upstream.addresses import is_forbidden
from tollgate.upstream.egress import Egress, egress_of
from tollgate.upstream.failures import EXPECTED, ForbiddenAddress, Where, before_the_head, forbidden
from tollgate.upstream.reply import Reply
from tollgate.upstream.tls import contexts
from tollgate.upstream.upload import Connections, Upload

_LONGEST_HEADER = 64 * 1024
_ADDED_BY_AIOHTTP = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")

# A model may think for minutes without a byte; NAT gateways and load balancers forget connections that are
# silent for as long. The values are those of the Anthropic SDKs, which do the same.
_KEEPALIVE = [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)] + [
    (socket.IPPROTO_TCP, getattr(socket, name), value)
    for name, value in (("TCP_KEEPIDLE", 60), ("TCP_KEEPINTVL", 60), ("TCP_KEEPCNT", 5))
    if hasattr(socket, name)  # not every system has them all
]


class Client:
    """Sends requests to providers as the `upstream` part of a policy says. Lives on one event loop.

    ValueError, naming the policy's key, where a file or an environment variable cannot be used.
    """

    def __init__(self, settings: Upstream) -> None:
        self.settings = settings
        self._usual_tls, self._own_tls = contexts(settings)
        self._egress = egress_of(settings)
        self._resolve = {host.lower(): entry for host, entry in settings.resolve.items()}
        self._session: aiohttp.ClientSession | None = None
        self._known = Connections()
        self._open = 0
        self._retired = False
        self._closing: asyncio.Task[None] | None = None

    async def send(self, request: Request, headers: Headers, body: bytes, timeouts: Timeouts) -> Reply:
        """Send a request, and wait for the head of its answer. CallError where there is none."""
        if is_forbidden(request.host):
            raise forbidden(request.host)
        self._open += 1
        try:
            return await self._send(request, headers, body, timeouts)
        except BaseException:
            self._ended()
            raise

    def retire(self) -> None:
        """Close as soon as the answers that are still running have ended. Nothing more may be sent."""
        self._retired = True
        if not self._open:
            self.close()

    def close(self) -> None:
        """Close all connections at once. Not async, since mitmproxy's `done` must not be."""
        session, self._session = self._session, None
        if session is not None:
            loop = asyncio.get_running_loop()
            self._closing = asyncio.Task(session.close(), loop=loop, eager_start=True)

    def _ended(self) -> None:
        self._open -= 1
        if self._retired:
            self.retire()

    async def _send(self, request: Request, headers: Headers, body: bytes, timeouts: Timeouts) -> Reply:
        egress = Egress() if request.host.lower() in self._resolve else self._egress
        where = Where(request.host, timeouts, egress.name)
        while True:
            upload = Upload(body, timeouts.first_byte, self._known)
            try:
                response = await self._request(request, headers, upload, egress, timeouts)
            except EXPECTED as e:
                upload.hang_up()
                if not upload.lost_a_race(e):
                    raise before_the_head(e, where) from e
            except asyncio.CancelledError:
                upload.hang_up()
                raise
            else:
                return Reply(response, upload.sent, where, self._ended)

    async def _request(
        self, request: Request, headers: Headers, upload: Upload, egress: Egress, timeouts: Timeouts
    ) -> aiohttp.ClientResponse:
        if egress.headers and request.scheme == "http":  # no tunnel, so the proxy reads the request itself
            headers = CIMultiDict([*headers.items(), *egress.headers.items()])
        bodyless = not upload.size and request.method in ("GET", "HEAD", "OPTIONS", "DELETE")
        return await self._pool().request(
            request.method,
            URL(request.url, encoded=True),
            headers=headers,
            data=None if bodyless else upload,
            ssl=self._own_tls.get(request.host.lower(), self._usual_tls),
            proxy=egress.url,
            proxy_headers=egress.headers,
            timeout=aiohttp.ClientTimeout(connect=timeouts.connect, sock_read=timeouts.first_byte),
            allow_redirects=False,
        )

    def _pool(self) -> aiohttp.ClientSession:
        """The session, made when it is first needed: it belongs to the event loop that then runs."""
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=0,
                keepalive_timeout=self.settings.keepalive,
                resolver=_Resolver(self._resolve),
                socket_factory=open_socket,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=_ADDED_BY_AIOHTTP,
                max_line_size=_LONGEST_HEADER,
                max_field_size=_LONGEST_HEADER,
            )
        return self._session


class _Resolver(AbstractResolver):
    """The system's resolver, below the policy's own table. TLS never hears of it: it checks the real name."""

    def __init__(self, table: Mapping[str, Resolve]) -> None:
        self._table = table
        self._system = aiohttp.ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if entry := self._table.get(host.lower()):
            host, port = entry.address, entry.port or port
        try:
            return await self._system.resolve(host, port, family)
        except UnicodeError as e:  # a label of more than 63 characters, which DNS is not even asked for
            raise socket.gaierror(socket.EAI_NONAME, "not a host name") from e

    async def close(self) -> None:
        await self._system.close()


def open_socket(info: aiohttp.AddrInfoType) -> socket.socket:
    """A socket for an address that is about to be connected to; ForbiddenAddress for those that never are.

    It is asked for every connection, after DNS, so that no name can lead where an address may not.
    """
    family, kind, protocol, _, address = info
    if is_forbidden(str(address[0])):
        raise ForbiddenAddress("a link-local or cloud-metadata address")
    sock = socket.socket(family, kind, protocol)
    for option in _KEEPALIVE:
        sock.setsockopt(*option)
    return sock
