"""The admin port: /healthz says how the proxy is, /readyz whether it takes calls."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web
from mitmproxy import addonmanager, ctx
from mitmproxy.utils import asyncio_utils

from tollgate.gate.place import parse_place

logger = logging.getLogger("tollgate")


class Health:
    """Serves what `report` gives, on a local port of its own."""

    name = "tollgate-health"

    def __init__(self, report: Callable[[], Mapping[str, Any]]) -> None:
        self._report = report
        self._runner: web.AppRunner | None = None
        self.draining = False
        """Set when the proxy is stopping: no new calls, please."""
        self.address: tuple[str, int] | None = None
        """Where it really listens."""

    def load(self, loader: addonmanager.Loader) -> None:
        loader.add_option("tollgate_admin", str, "", "host:port of /healthz and /readyz; empty for none.")

    def running(self) -> None:
        if ctx.options.tollgate_admin:
            asyncio_utils.create_task(
                self._start(ctx.options.tollgate_admin), name="admin port", keep_ref=True
            )

    def done(self) -> None:
        if self._runner is not None:
            asyncio_utils.create_task(self._runner.cleanup(), name="admin port end", keep_ref=True)

    async def _start(self, place: str) -> None:
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/readyz", self._readyz)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, *parse_place(place)).start()
        except (OSError, ValueError) as e:
            logger.error("The admin port %s cannot be opened: %s", place, e)
            ctx.master.shutdown()
        else:
            self.address = self._runner.addresses[0][:2]

    async def _healthz(self, request: web.Request) -> web.Response:
        report = self._report()
        return web.json_response(report, status=200 if report["ok"] else 503)

    async def _readyz(self, request: web.Request) -> web.Response:
        proxyserver = ctx.master.addons.get("proxyserver")
        ready = not self.draining and bool(proxyserver and proxyserver.listen_addrs())
        return web.json_response({"ready": ready}, status=200 if ready else 503)
