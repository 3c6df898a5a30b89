"""The simulated provider: one TLS port and one plain one, on which it is every host it knows."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections.abc import Mapping
from weakref import WeakKeyDictionary

from aiohttp import web

from simulator.behaviour import HEADER, Behaviour
from simulator.delivery import Delivery
from simulator.encodings import decode
from simulator.errors import BROKEN
from simulator.exchange import Answer, Ask, Mistake
from simulator.journal import Entry, Gates, Journal
from simulator.providers import COMPATIBLE, HOSTS, Fault, Provider

MAX_BODY = 512 * 1024 * 1024


class Simulator:
    """Answers requests and writes them down."""

    def __init__(self) -> None:
        self.journal = Journal()
        self.gates = Gates()
        self.behaviour = Behaviour()
        """Of requests that bring none of their own."""
        self._names: WeakKeyDictionary[ssl.SSLObject | ssl.SSLSocket, str] = WeakKeyDictionary()

    def app(self) -> web.Application:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", self.handle)
        app.on_response_prepare.append(_drop_unwanted_type)
        return app

    def watch_names(self, context: ssl.SSLContext) -> None:
        """Remember which name each TLS client asks for."""

        def remember(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            self._names[connection] = name or ""

        context.sni_callback = remember

    async def handle(self, request: web.Request) -> web.StreamResponse:
        entry = self._entry(request)
        self.journal.add(entry)
        try:
            entry.body = await request.read()
            return await self._answer(request, entry)
        except (ConnectionError, asyncio.CancelledError):
            entry.disconnected = time.time()
            raise
        finally:
            self.journal.notify()

    async def _answer(self, request: web.Request, entry: Entry) -> web.StreamResponse:
        provider = HOSTS.get(entry.host.partition(":")[0].lower(), COMPATIBLE)
        try:
            behaviour = Behaviour.parse(request.headers.get(HEADER, "{}"), self.behaviour)
        except ValueError as e:
            return web.Response(status=500, text=f"{HEADER}: {e}")
        answer, fault = _exchange(provider, request, entry, behaviour)
        entry.provider, entry.status = provider.name, answer.status
        entry.usage = answer.usage.as_dict() if answer.usage else None
        return await Delivery(request, behaviour, entry, self.journal, self.gates).send(answer, fault)

    def _entry(self, request: web.Request) -> Entry:
        tls = request.get_extra_info("ssl_object")
        return Entry(
            method=request.method,
            target=_target(request.raw_path),
            host=request.headers.get("Host", ""),
            sni=self._names.get(tls, "") if tls else "",
            client_port=request.get_extra_info("peername")[1],
            headers=[
                (name.decode("latin-1"), value.decode("latin-1")) for name, value in request.raw_headers
            ],
        )


def _exchange(
    provider: Provider, request: web.Request, entry: Entry, behaviour: Behaviour
) -> tuple[Answer, Fault]:
    """What the provider answers, and how it would tell of an error in its midst."""
    ask = _ask(request, entry, behaviour)
    fault = provider.routes[0].fault
    try:
        provider.authorise(ask)
        route, ask.params = provider.route(ask)
        fault = route.fault
        ask.body = decode(ask.body, ask.headers.get("content-encoding", "").lower())
        if any(value.encode() in ask.body for value in behaviour.forbidden.splitlines()):
            raise Mistake(400, "A value came that must not come.")
        if behaviour.status and behaviour.error_after < 0:
            raise Mistake(behaviour.status, BROKEN.message)
        answer = route.operation(ask)
    except Mistake as mistake:
        answer = provider.error(mistake, ask)
    answer.headers.setdefault(provider.id_header, f"req_{ask.digest[:24]}")
    return answer, fault


def _target(target: str) -> str:
    """Without scheme and host, which a client of a proxy may send: RFC 9112, section 3.2.2."""
    return re.sub(r"^https?://[^/]*", "", target)


def _ask(request: web.Request, entry: Entry, behaviour: Behaviour) -> Ask:
    headers: Mapping[str, str] = {name.lower(): value for name, value in entry.headers}
    path, _, query = entry.target.partition("?")
    return Ask(
        method=entry.method,
        host=entry.host,
        path=path,
        query=request.query,
        headers=headers,
        raw_headers=entry.headers,
        raw_query=query,
        body=entry.body,
        behaviour=behaviour,
    )


async def _drop_unwanted_type(request: web.Request, response: web.StreamResponse) -> None:
    """aiohttp gives every answer a content type; a test may want none."""
    if response.headers.get("Content-Type") == "none":
        del response.headers["Content-Type"]
