"""The control port: what tests ask the simulator about, and tell it to do.

GET    /journal?until=ended&count=3&timeout=5   the entries, once that many have that moment behind them
DELETE /journal                                 forget them
PUT    /behaviour                               of requests that bring none of their own
POST   /release/{name}                          let answers go on that hold or hang on that name
"""

from __future__ import annotations

import asyncio

from aiohttp import web

from simulator.behaviour import Behaviour
from simulator.server import Simulator

MOMENTS = ("arrived", "writes", "ended", "disconnected")


class Control:
    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes(
            [
                web.get("/journal", self.read),
                web.delete("/journal", self.clear),
                web.put("/behaviour", self.behave),
                web.post("/release/{name}", self.release),
            ]
        )
        return app

    async def read(self, request: web.Request) -> web.Response:
        """504 where what is waited for does not happen in time."""
        moment, count = request.query.get("until", MOMENTS[0]), int(request.query.get("count", 0))
        if moment not in MOMENTS:
            return web.Response(status=400, text=f"until: one of {', '.join(MOMENTS)}")
        try:
            async with asyncio.timeout(float(request.query.get("timeout", 10))):
                await self.simulator.journal.wait(count, moment)
        except TimeoutError:
            return web.Response(status=504, text=f"{len(self.simulator.journal.entries)} arrived")
        return web.json_response([entry.as_dict() for entry in self.simulator.journal.entries])

    async def clear(self, request: web.Request) -> web.Response:
        self.simulator.journal.clear()
        return web.Response(status=204)

    async def behave(self, request: web.Request) -> web.Response:
        try:
            self.simulator.behaviour = Behaviour.parse(await request.text())
        except ValueError as e:
            return web.Response(status=400, text=str(e))
        return web.Response(status=204)

    async def release(self, request: web.Request) -> web.Response:
        self.simulator.gates.release(request.match_info["name"])
        return web.Response(status=204)
