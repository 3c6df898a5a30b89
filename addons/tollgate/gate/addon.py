"""The Gate: the only addon with HTTP hooks. It turns flows into calls, and their answers into responses."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from mitmproxy import addonmanager, ctx, http

from tollgate.calls import Connection, Notice, Outcome, Runtime
from tollgate.gate import layer
from tollgate.gate.exchange import Exchange
from tollgate.gate.flows import failure_of
from tollgate.gate.guards import Explained, FailClosed, Harmless, failure_response
from tollgate.gate.health import Health
from tollgate.gate.keeper import Keeper
from tollgate.gate.native import Native
from tollgate.gate.openings import open_call, open_request, settle, user_of
from tollgate.gate.relay import Relay
from tollgate.gate.tunnels import Tunnels, refuse
from tollgate.gate.waiting import wait_for
from tollgate.gate.walk import Room, name_of, rooms_of

logger = logging.getLogger("tollgate")

FORCED = {
    "connection_strategy": "lazy",  # a provider that is down must not stop a call that does not need it
    "upstream_cert": False,  # a leaf that copies a provider's names does not fit a name-constrained CA
    "tcp_timeout": 3600,  # a reasoning model may think for longer than the default ten minutes
    "onboarding": False,
    "stream_large_bodies": None,  # it lets bodies through before they are seen
}
"""Options of mitmproxy that Tollgate does not work without."""


STOPPED = "Tollgate was stopped before the answer was complete"
GIVING_UP = 2.0
"""The longest time, in seconds, that calls have to hang up when the proxy stops."""


class Gate:
    """Recognises LLM calls, walks them through the addons, answers them in the client's own dialect."""

    def __init__(self, problem: str = layer.problem()) -> None:
        """`problem`: why our stream layer cannot be used; then mitmproxy's own upstream leg is."""
        self.coverage: Counter[str] = Counter()
        """What was seen, by kind: how far calls were inspected, and what was not looked into."""
        self.open: set[Exchange] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        """Those that carry the open calls."""
        self.keeper = Keeper(self)
        self.health = Health(self.report)
        tunnels = Tunnels(self.keeper.runtime, self._saw, streams=not problem)
        self.addons: list[object] = [self.keeper, tunnels, self.health, *([Native(self)] if problem else [])]
        self._problem = problem
        self._chain: list[object] = []
        self._rooms: tuple[Room, ...] = ()

    def running(self) -> None:
        ctx.options.update(**{name: value for name, value in FORCED.items() if name in ctx.options})
        if self._problem:
            logger.warning(
                "Tollgate falls back to mitmproxy's own upstream leg, without retries: %s", self._problem
            )

    # -- what the rooms are told -----------------------------------------------------------------------------

    def rooms(self) -> tuple[Room, ...]:
        """The addons with LLM hooks, as they are now: scripts come and go while mitmproxy runs."""
        chain = _chain()
        if chain != self._chain:
            new = [addon for addon in chain if addon not in self._chain]
            self._tell(new, "llm_prepare", self.keeper.runtime())
            self._tell(new, "llm_setup", self.keeper.runtime())
            self._chain, self._rooms = chain, rooms_of(chain)
        return self._rooms

    def prepare(self, runtime: Runtime) -> None:
        self._tell(_chain(), "llm_prepare", runtime)

    def setup(self, runtime: Runtime) -> None:
        self._chain = _chain()
        self._rooms = rooms_of(self._chain)
        self._tell(self._chain, "llm_setup", runtime)

    def notice(self, notice: Notice) -> None:
        self._hear("llm_notice", notice)

    def _saw(self, seen: Connection) -> None:
        self.coverage[seen.sight] += 1
        self._hear("llm_connection", seen)

    def _tell(self, addons: list[object], hook: str, runtime: Runtime) -> None:
        for addon in addons:
            if callable(told := getattr(addon, hook, None)):
                with Explained(f"{hook} of {name_of(addon)}"):
                    told(runtime)

    def _hear(self, hook: str, news: Notice | Connection) -> None:
        for addon in _chain():
            if callable(heard := getattr(addon, hook, None)):
                with Harmless(f"{hook} of {name_of(addon)}"):
                    heard(news)

    # -- calls -----------------------------------------------------------------------------------------------

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if not flow.response and not flow.error and flow.live:
            with FailClosed("Reading a request's head", flow):
                self._open(flow)

    def _open(self, flow: http.HTTPFlow) -> None:
        opening = open_request(flow, self.keeper.runtime())
        if opening is None:
            refuse(flow, self.keeper.runtime(), self._saw)
        elif opening.native:
            address = opening.identity.address
            host, port = opening.host, flow.request.port
            self._saw(Connection(opening.native, host, port, address, user_of(flow), opening.why))
            flow.request.stream = opening.native == "opaque"  # gRPC speaks both ways at once
        else:
            setattr(flow, layer.RELAY, Relay(flow, opening))

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        """What is no call passes as it comes: mitmproxy would wait for its end."""
        if flow.response is not None and getattr(flow, layer.RELAY, None) is None:
            flow.response.stream = True

    def response(self, flow: http.HTTPFlow) -> None:
        self._note_untold(flow, "answered")

    def error(self, flow: http.HTTPFlow) -> None:
        self._note_untold(flow, "failed")

    def _note_untold(self, flow: http.HTTPFlow, outcome: Outcome) -> None:
        """A call that another addon of mitmproxy answered, or that never was complete, is on record too."""
        relay: Relay | None = getattr(flow, layer.RELAY, None)
        if relay is None or relay.taken:
            return
        relay.taken = True
        with Harmless("Recording a call that was not ours to answer"):
            exchange = self.exchange(relay)
            exchange.call.status = flow.response.status_code if flow.response else None
            exchange.close(outcome, failure_of(flow))
            exchange.finish()
            self.done_with(exchange)

    async def llm_answer(self, relay: Relay) -> None:
        """Our stream layer's own hook: a request is complete, and nobody has answered it."""
        handler = ctx.master.addons.get("proxyserver").connections.get(relay.flow.client_conn.id)
        if handler is None:
            return  # the client is gone
        with FailClosed("Opening a call", relay.flow) as opened:
            exchange = self.exchange(relay)
        if opened.failed:
            await relay.give_up(handler, failure_response())
            return
        task = asyncio.current_task()
        assert task is not None, "a coroutine that runs is run by a task"
        self._tasks.add(task)
        try:
            await relay.run(handler, exchange)
        finally:
            self._tasks.discard(task)
            self.done_with(exchange)

    def exchange(self, relay: Relay, *, native: bool = False) -> Exchange:
        """The exchange for a complete request; `native` leaves out the room that would send it."""
        runtime = self.keeper.runtime()
        call = open_call(relay.flow, relay.opening)
        rooms = [r for r in self.rooms() if not (native and r.last)]
        exchange = Exchange(call, rooms, partial(settle, relay.opening, runtime))
        relay.taken = True
        exchange.refusal = relay.opening.refusal
        exchange.dropped = relay.oversize
        self.open.add(exchange)
        return exchange

    def done_with(self, exchange: Exchange) -> None:
        self.open.discard(exchange)
        self.coverage[exchange.call.coverage] += 1

    async def drain(self, grace: float) -> None:
        """Wait until the open calls are done, at most `grace` seconds."""
        await wait_for(lambda: not self.open, grace)

    async def done(self) -> None:
        """Give up the calls that are still open, while the rooms can hear of it: these are done after us."""
        for exchange in self.open:
            exchange.give_up("failed", STOPPED)
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=GIVING_UP)
        for exchange in list(self.open):
            exchange.finish()
            self.done_with(exchange)

    def report(self) -> Mapping[str, Any]:
        """How the proxy is, for /healthz: `ok` is False where it turns calls away."""
        rooms = {name_of(a): a.llm_health() for a in _chain() if hasattr(a, "llm_health")}
        return {
            "ok": all(health.get("ok", True) for health in rooms.values()),
            "policy": {"digest": self.keeper.runtime().policy.digest, "problem": self.keeper.problem},
            "open_calls": len(self.open),
            "coverage": dict(self.coverage),
            "rooms": rooms,
        }


def _chain() -> list[object]:
    """Every addon there is, nested ones too, in mitmproxy's order."""
    return list(addonmanager.traverse(ctx.master.addons.chain))
