"""Our own mitmproxy: only the addons that a forward proxy for LLM traffic needs, and quick hooks."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from mitmproxy import addonmanager, exceptions, hooks, master, options
from mitmproxy.addons import (
    core,
    disable_h2c,
    errorcheck,
    next_layer,
    proxyauth,
    proxyserver,
    script,
    tlsconfig,
    update_alt_svc,
    upstream_auth,
)
from mitmproxy.utils import asyncio_utils

from tollgate.gate.addon import Gate
from tollgate.gate.suite import rooms


class QuickAddonManager(addonmanager.AddonManager):
    """mitmproxy's addon manager, which remembers who has which hook: asking every addon anew at every hook is
    almost half of mitmproxy's time per request."""

    def __init__(self, master: master.Master) -> None:
        self._hooks: dict[str, list[Callable[..., Any]]] = {}
        super().__init__(master)

    def register(self, addon: object) -> object:
        self._hooks.clear()
        try:
            return super().register(addon)
        finally:
            self._hooks.clear()

    def remove(self, addon: object) -> None:
        super().remove(addon)
        self._hooks.clear()

    async def trigger_event(self, event: hooks.Hook) -> None:
        if (heard := self._hooks.get(event.name)) is None:
            pairs = (pair for addon in self.chain for pair in self._iter_hooks(addon, event))
            heard = self._hooks[event.name] = [hook for _, hook in pairs]
        for hook in heard:
            try:
                with addonmanager.safecall():
                    result = hook(*event.args())
                    if result is not None and inspect.isawaitable(result):
                        await result
            except exceptions.AddonHalt:
                return


class TollgateMaster(master.Master):
    """Runs the proxy until it is told to stop, then lets open calls end within `grace` seconds."""

    def __init__(
        self,
        opts: options.Options,
        *,
        grace: float,
        more: list[object],
        ahead: Sequence[object] = (),
        gate: Gate | None = None,
    ) -> None:
        """`more` are addons behind the rooms, nearer the provider; those `ahead` hear of a call's end after
        the rooms, when its cost is known."""
        super().__init__(opts)
        self.grace = grace
        self.gate = gate or Gate()
        self.addons = QuickAddonManager(self)
        self.addons.add(
            core.Core(),
            proxyauth.ProxyAuth(),
            disable_h2c.DisableH2C(),
            proxyserver.Proxyserver(),
            script.ScriptLoader(),
            next_layer.NextLayer(),
            tlsconfig.TlsConfig(),
            upstream_auth.UpstreamAuth(),
            update_alt_svc.UpdateAltSvc(),
            errorcheck.ErrorCheck(),
            self.gate,
            *ahead,
            *rooms(),
            *more,
        )
        self._stopping: asyncio.Task[None] | None = None

    def stop(self) -> None:
        """Take no new calls, wait for the open ones, then end. Asked a second time, end at once."""
        if self._stopping is not None:
            self.shutdown()
        else:
            self._stopping = asyncio_utils.create_task(self._stop(), name="stop", keep_ref=True)

    async def _stop(self) -> None:
        self.gate.health.draining = True
        await self.addons.get("proxyserver").servers.update([])
        await self.gate.drain(self.grace)
        self.shutdown()
