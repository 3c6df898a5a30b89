"""The Cost room: prices every call, keeps the ledger, and stops what a budget has no money for."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Mapping

from mitmproxy.utils import asyncio_utils

from tollgate.calls import Answer, Call, Event, Runtime, Usage
from tollgate.cost import include_usage
from tollgate.cost.admission import admit
from tollgate.cost.alerts import alert, post
from tollgate.cost.bill import Account, bill, total, untold
from tollgate.cost.budgets import crossed
from tollgate.cost.desk import Carried, Desk
from tollgate.cost.ledger import FILE, Entry
from tollgate.cost.plans import paid_by
from tollgate.cost.till import Settlement, Spent, Till
from tollgate.policy.cost import CostSettings

logger = logging.getLogger(__name__)

COST = "x-tollgate-cost"


class Cost:
    """Estimates and reserves on the way down; settles, attempt by attempt, when a call is over."""

    name = "cost"

    def __init__(self) -> None:
        self._prepared: Desk | None = None
        self._desk: Desk | None = None
        self._till: Till | None = None

    # -- life ----------------------------------------------------------------------------------------------

    def llm_prepare(self, runtime: Runtime) -> None:
        """Read the prices. ValueError where they are none, or the webhook's variable is not set."""
        settings, before = runtime.policy.file.cost, self._desk
        if not settings.enabled:
            self._prepared = None
            return
        if before is not None and before.runtime is runtime:
            self._prepared = before  # where a new policy fails, the old one needs no price file that failed
            return
        webhook(settings)
        learned = before.estimator if before and before.settings.counting == settings.counting else None
        self._prepared = Desk(runtime, learned)

    def llm_setup(self, runtime: Runtime) -> None:
        """Open the ledger where the policy says. StateError where that cannot be; an open one then stays."""
        if self._prepared is not None:
            self._open(runtime)
        self._desk = self._prepared
        runtime.quotes.ask = self._desk.quote if self._desk else None

    def _open(self, runtime: Runtime) -> None:
        settings = runtime.policy.file.cost.ledger
        path, keep = settings.path or runtime.state / FILE, (settings.keep, settings.keep_hours)
        if self._till is None or (path, keep) != (self._till.path, self._till.keep):
            opened = Till(path, keep, self._spent, logger.warning)
            self.done()
            self._till = opened

    def llm_health(self) -> Mapping[str, object]:
        """Without a ledger no call is made that a budget governs; all others go on, and are counted."""
        till = self._till
        return {"ok": True, **({"healthy": till.healthy, "lost": till.lost} if till else {})}

    def done(self) -> None:
        if self._till is not None:
            self._till.close()

    # -- a call --------------------------------------------------------------------------------------------

    async def llm_request(self, call: Call) -> None:
        if self._desk is None:
            return
        carried = self._carried(call, self._desk)
        if carried.desk.budgets:
            await admit(self._ready(), call, carried)
        counting = carried.desk.settings.counting
        if call.stream and counting.include_usage and call.policy.mode == "enforce":
            carried.hides = include_usage.ask(call)

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        carried: Carried | None = call.notes.get("cost")
        if carried is None or event.data is None:
            return (event,)
        carried.desk.estimator.see(call, event)
        return include_usage.hide(call, event) if carried.hides else (event,)

    async def llm_response(self, call: Call, answer: Answer) -> None:
        """What a whole answer costs is known before its head goes out."""
        carried: Carried | None = call.notes.get("cost")
        if carried is None:
            return
        if untold(call):
            carried.desk.estimator.see(call, Event(answer.body))
        elif carried.desk.settings.headers:
            cost = total(entries(call, carried))
            call.extra_headers[COST] = "unknown" if cost is None else carried.desk.money.plain(cost)

    def llm_end(self, call: Call) -> None:
        carried: Carried | None = call.notes.pop("cost", None)
        if carried is None and call.cache == "hit" and self._desk is not None:
            carried = self._carried(call, self._desk)  # the cache stands above us
        if carried is None:
            return
        estimator = carried.desk.estimator
        if not untold(call):
            self._settle(call, carried)
        elif estimator.quick(call):
            self._settle(call, carried, estimator.so_far(call))
        else:
            asyncio_utils.create_task(self._count(call, carried), name="count", keep_ref=True)

    def _carried(self, call: Call, desk: Desk) -> Carried:
        carried = Carried(desk, desk.payer(call), paid_by(call), call.model)
        call.notes["cost"], call.paid = carried, carried.paid
        return carried

    def _ready(self) -> Till:
        if self._till is None:
            raise RuntimeError("the gate calls llm_setup before the first call")
        return self._till

    # -- its end -------------------------------------------------------------------------------------------

    async def _count(self, call: Call, carried: Carried) -> None:
        """Settle by what was seen of the answer."""
        counted: Usage | None = None
        try:
            counted = await carried.desk.estimator.cut_off(call)
        finally:
            self._settle(call, carried, counted)

    def _settle(self, call: Call, carried: Carried, counted: Usage | None = None) -> None:
        found = entries(call, carried, counted)
        call.cost = total(found)
        call.paid = found[-1].paid if found else call.paid
        if call.usage is not None and counted is None:
            carried.desk.estimator.observe(call, call.usage)
        if found or carried.held:
            self._ready().settle(Settlement(call.id, found, carried.shares))

    def _spent(self, spent: Spent) -> None:
        """A budget was spent from: tell of it where that has reached one of its warnings."""
        desk, share = self._desk, spent.share
        reached = crossed(share.budget, share.claim.limit, spent.before, spent.after)
        if not reached or desk is None:
            return
        told = alert(share, max(reached), spent.after, desk.money, time.time())
        logger.warning("%s", told["text"])
        if url := webhook(desk.settings):
            asyncio_utils.create_task(post(url, told), name="alert", keep_ref=True)


def entries(call: Call, carried: Carried, counted: Usage | None = None) -> list[Entry]:
    """The ledger's entries of a call."""
    account = Account(carried.payer, carried.paid, carried.model, carried.shares, carried.held)
    return bill(carried.desk.prices, call, account, counted)


def webhook(settings: CostSettings) -> str:
    """The URL that alerts go to; empty for none. ValueError where its variable is not set."""
    name = settings.alerts.webhook_env
    if name and not os.environ.get(name):
        raise ValueError(f"cost.alerts.webhook_env: the environment variable {name} is not set")
    return os.environ[name] if name else ""
