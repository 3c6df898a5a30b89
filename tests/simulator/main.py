"""The simulator as a process: ports and certificate made, told in a file, served until a signal."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import ssl
import tempfile
from pathlib import Path
from typing import Any

from aiohttp import web

from simulator.control import Control
from simulator.providers import HOSTS
from simulator.server import Simulator
from support.certs import Authority, server_context, written

LOOPBACK = "127.0.0.1"


def main() -> None:
    asyncio.run(run(_arguments()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="simulator", description="A simulated LLM provider, for tests.")
    parser.add_argument("--port", type=int, default=0, help="TLS port; 0 for any free one")
    parser.add_argument("--ready-file", type=Path, required=True, help="where to write ports and CA, as JSON")
    parser.add_argument("--host", action="append", default=[], help="one more host name for the certificate")
    return parser.parse_args()


async def run(arguments: argparse.Namespace) -> None:
    """Serve until SIGTERM or SIGINT."""
    simulator = Simulator()
    with tempfile.TemporaryDirectory() as folder:
        authority = Authority("simulated provider authority")
        context = server_context(Path(folder), authority, *HOSTS, *arguments.host)
        context.set_alpn_protocols(["http/1.1"])
        simulator.watch_names(context)
        providers = _runner(simulator.app(), auto_decompress=False, handler_cancellation=True)
        control = _runner(Control(simulator).app())
        try:
            ready = {
                "port": await _listen(providers, arguments.port, context),
                "plain_port": await _listen(providers, 0),
                "control_port": await _listen(control, 0),
                "ca": str(written(Path(folder) / "ca.pem", authority.pem)),
            }
            _publish(arguments.ready_file, json.dumps(ready))
            await _signalled()
        finally:
            await providers.cleanup()
            await control.cleanup()


def _runner(app: web.Application, **options: Any) -> web.AppRunner:
    return web.AppRunner(app, access_log=None, shutdown_timeout=0.1, **options)


async def _listen(runner: web.AppRunner, port: int, context: ssl.SSLContext | None = None) -> int:
    """The port that it listens on."""
    if runner.server is None:
        await runner.setup()
    await web.TCPSite(runner, LOOPBACK, port, ssl_context=context, backlog=1024).start()
    return int(runner.addresses[-1][1])


def _publish(path: Path, text: str) -> None:
    """All of the file or nothing, for whoever waits for it."""
    half = path.with_name(path.name + ".part")
    half.write_text(text)
    half.replace(path)


async def _signalled() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
