"""`tollgate up`: run the proxy."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from pathlib import Path
from typing import Annotated

import typer
from mitmproxy import options
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from tollgate.gate.authority import BUNDLE_FILE, CERT_FILE, ensure_authority, uncovered
from tollgate.gate.master import TollgateMaster
from tollgate.policy import Policy, PolicyError, PolicySource
from tollgate.providers import Providers
from tollgate.store import state_folder
from tollgate.trail.console import Console as CallConsole

FORBIDDEN_OPTIONS = ("emudhra",)
"""Options of mitmproxy 12.3 that sign with a publicly trusted, leaked key."""

Listen = Annotated[str, typer.Option(help="host:port that clients connect to.")]
PolicyFiles = Annotated[
    list[Path] | None, typer.Option("--policy", help="A policy file; may be given again.")
]
State = Annotated[
    Path | None, typer.Option(help="Folder for keys and the trail.", show_default="the user's own")
]
Certs = Annotated[
    Path | None, typer.Option(help="Folder of the certificate authority.", show_default="STATE/certs")
]
Admin = Annotated[str, typer.Option(help="host:port of /healthz and /readyz; empty for none.")]
Scripts = Annotated[list[Path] | None, typer.Option("--script", "-s", help="An addon script of your own.")]
Set = Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="An option of mitmproxy.")]
Grace = Annotated[float, typer.Option(help="Seconds that open calls have when the proxy stops.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print no line per call.")]


def up(
    listen: Listen = "127.0.0.1:8080",
    policy: PolicyFiles = None,
    state: State = None,
    certs: Certs = None,
    admin: Admin = "127.0.0.1:8081",
    script: Scripts = None,
    set_: Set = None,
    grace: Grace = 10.0,
    quiet: Quiet = False,
) -> None:
    """Run the proxy until it is stopped (Ctrl-C or SIGTERM)."""
    console = Console(stderr=True)
    try:
        files = [p.resolve() for p in policy or ()]
        loaded = PolicySource(files).current
        folder = state_folder(str(state or ""))
        authority = (certs or folder / "certs").resolve()
        made = ensure_authority(authority, _hosts(loaded))
        opts = _options(listen, set_ or [])
        deferred = {
            "tollgate_policy": [str(p) for p in files],
            "tollgate_state": str(folder),
            "tollgate_admin": admin,
            "scripts": [str(p.resolve()) for p in script or ()],
        }
    except (PolicyError, OSError, ValueError) as e:
        console.print(f"[bold red]tollgate up:[/] {e}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from e
    opts.update(confdir=str(authority), **_proxy_mode(loaded))
    opts.update_defer(**deferred)
    _log_to(console)
    _greet(console, listen, admin, authority, loaded, folder, made=made)
    raise typer.Exit(asyncio.run(_run(opts, grace, [] if quiet else [CallConsole(console)], set_ or [])))


async def _run(opts: options.Options, grace: float, more: list[object], settings: list[str]) -> int:
    master = TollgateMaster(opts, grace=grace, more=more)
    opts.set(*settings)
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, master.stop)
    gc.freeze()  # what is loaded by now stays: no need to look through it at every collection
    await master.run()
    return 0


def _hosts(policy: Policy) -> list[str]:
    """Every host for which a certificate may be needed."""
    providers = Providers.builtin().with_hosts(policy.file.hosts)
    return [host for provider in providers.rows if not provider.opaque for host in provider.hosts]


def _options(listen: str, settings: list[str]) -> options.Options:
    host, _, port = listen.rpartition(":")
    if not port.isdecimal():
        raise ValueError(f"--listen takes host:port, such as 127.0.0.1:8080, not {listen!r}")
    for name in (setting.partition("=")[0] for setting in settings):
        if name.startswith(FORBIDDEN_OPTIONS):
            raise ValueError(
                f"the option {name!r} signs certificates with a leaked key, and is not available"
            )
    return options.Options(listen_host=host.strip("[]"), listen_port=int(port))


def _proxy_mode(policy: Policy) -> dict[str, object]:
    """Where the policy has an egress proxy, mitmproxy's own leg goes through it as well as ours."""
    proxy = policy.file.upstream.proxy
    return {"mode": [f"upstream:{proxy}"]} if proxy else {}


def _log_to(console: Console) -> None:
    """Ours from INFO on, mitmproxy's from WARNING on: its lower levels quote traffic."""
    handler = RichHandler(console=console, show_path=False, markup=False, rich_tracebacks=False)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(message)s", force=True)
    logging.getLogger("tollgate").setLevel(logging.INFO)


def _greet(
    console: Console, listen: str, admin: str, authority: Path, policy: Policy, state: Path, *, made: bool
) -> None:
    table = Table.grid(padding=(0, 2))
    trail = policy.file.trail.path or state / "trail" / "calls.jsonl"
    bundle = authority / BUNDLE_FILE
    rows = {
        "policy": f"{', '.join(map(str, policy.paths)) or 'built-in defaults'} ({policy.digest})",
        "trail": str(trail),
        "authority": f"{authority / CERT_FILE}{' (new)' if made else ''}",
        "health": f"http://{admin}/healthz" if admin else "off",
    }
    for name, value in rows.items():
        table.add_row(f"[bold]{name}[/]", value)
    console.print(f"[bold green]Tollgate[/] listens on [bold]{listen}[/]. In the shell of your tools:\n")
    for line in (
        f"export HTTPS_PROXY=http://{listen} https_proxy=http://{listen} NODE_USE_ENV_PROXY=1",
        f"export SSL_CERT_FILE={bundle} REQUESTS_CA_BUNDLE={bundle} AWS_CA_BUNDLE={bundle}",
        f"export NODE_EXTRA_CA_CERTS={authority / CERT_FILE}",
    ):
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    console.print()
    console.print(table)
    if missing := uncovered(authority, _hosts(policy)):
        console.print(
            f"[yellow]The authority may not vouch for {', '.join(missing)}: clients will refuse them. "
            f"Move {authority} away and start again to make a new one.[/]",
            soft_wrap=True,
        )
    console.print()
