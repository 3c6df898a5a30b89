"""Runs the proxy as a process: folders, authority, options, signals, and what a person is told."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import typer
from mitmproxy import exceptions, options
from rich.console import Console
from rich.logging import RichHandler
from rich.table import Table

from tollgate.calls import Runtime
from tollgate.cli.launch import Launch
from tollgate.gate.authority import BUNDLE_FILE, CERT_FILE, ageing, ensure_authority, uncovered
from tollgate.gate.master import TollgateMaster
from tollgate.gate.place import parse_place
from tollgate.gate.tidy import Tidy
from tollgate.policy import Policy, PolicySource
from tollgate.providers import Providers
from tollgate.store import state_folder
from tollgate.trail.console import Console as CallConsole

FORBIDDEN_OPTIONS = ("emudhra",)
"""Options of mitmproxy 12.3 that sign with a publicly trusted, leaked key."""
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- to listen at all addresses is allowed
"""Where a client on this machine finds who listens everywhere: not every system connects to 0.0.0.0."""
_AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "AWS_CA_BUNDLE")


def serve(launch: Launch) -> None:
    """Run the proxy until it is told to stop. Exits with 1, and says why, where it cannot."""
    console = Console(stderr=True)
    try:
        for option, where in (("--listen", launch.listen), ("--admin", launch.admin)):
            if where:
                _refuse_taken(option, where)
        place = place_of(launch)
        opts = options_of(launch, place)
    except (OSError, ValueError) as e:  # a PolicyError is a ValueError
        console.print(f"[bold red]tollgate up:[/] {e}", highlight=False, soft_wrap=True)
        raise typer.Exit(1) from e
    log_to(console)
    asyncio.run(_run(launch, opts, place, console))


def _refuse_taken(option: str, where: str) -> None:
    """OSError where nobody can listen: mitmproxy says it later, and advises options that are not ours."""
    host, port = parse_place(where)
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind((host, port))
    except OSError as e:
        raise OSError(f"{option} {where}: {e.strerror}; say {option} with another host:port") from e


@dataclass(frozen=True, slots=True)
class Place:
    """Where things are on this machine."""

    policy: Policy
    state: Path
    authority: Path
    new: bool
    """True where the authority was just made."""

    @property
    def hosts(self) -> list[str]:
        """Every host for which a certificate may be needed."""
        return hosts_of(self.policy)


def hosts_of(policy: Policy) -> list[str]:
    """Every host that is decrypted under a policy."""
    rows = Providers.builtin().with_hosts(policy.file.hosts).rows
    return [host for provider in rows if not provider.opaque for host in provider.hosts]


def place_of(launch: Launch) -> Place:
    policy = PolicySource(launch.policy).current
    state = state_folder(str(launch.state or ""))
    authority = (launch.certs or state / "certs").absolute()
    place = Place(policy, state, authority, new=False)
    return Place(policy, state, authority, new=ensure_authority(authority, place.hosts))


def options_of(launch: Launch, place: Place) -> options.Options:
    """mitmproxy's own options."""
    host, port = parse_place(launch.listen)
    if leaked := next((s for s in launch.settings if s.startswith(FORBIDDEN_OPTIONS)), ""):
        name = leaked.partition("=")[0]
        raise ValueError(f"the option {name!r} signs certificates with a leaked key, and is not available")
    return options.Options(listen_host=host, listen_port=port, confdir=str(place.authority))


def addon_options(launch: Launch, place: Place) -> dict[str, object]:
    """The options that addons have, to be set when they are there."""
    return {
        "tollgate_policy": [str(path.absolute()) for path in launch.policy],
        "tollgate_state": str(place.state),
        "tollgate_admin": launch.admin,
        "scripts": [str(path.absolute()) for path in launch.scripts],
        **_egress(place.policy),
    }


def _egress(policy: Policy) -> dict[str, object]:
    """Where the policy has an egress proxy, mitmproxy's own leg goes through it as ours does."""
    upstream = policy.file.upstream
    if not upstream.proxy:
        return {}
    password = os.environ.get(upstream.proxy_password_env or "", "")
    login = f"{upstream.proxy_user}:{password}" if upstream.proxy_user else None
    return {"mode": [f"upstream:{upstream.proxy}"], "upstream_auth": login}


async def _run(launch: Launch, opts: options.Options, place: Place, console: Console) -> None:
    told: list[object] = [Tidy(), Greeting(console, launch, place)]
    lines = [] if launch.quiet else [CallConsole(console)]
    master = TollgateMaster(opts, grace=launch.grace, more=told, ahead=lines)
    for number in stopping():
        asyncio.get_running_loop().add_signal_handler(number, master.stop)
    try:
        opts.update(**addon_options(launch, place))
        opts.set(*launch.settings)
        await master.run()
    except exceptions.OptionsError as e:
        raise SystemExit(f"tollgate up: {e}") from e


def stopping() -> list[signal.Signals]:
    """What stops the proxy. SIGHUP, a terminal that closes, is ignored where nohup says so."""
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    return [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hangs_up else [])]


def log_to(console: Console, level: int = logging.INFO) -> None:
    """Ours from that level on, mitmproxy's from WARNING on: its lower levels quote traffic."""
    handler = RichHandler(console=console, show_path=False, markup=False, rich_tracebacks=False)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], format="%(message)s", force=True)
    logging.getLogger("tollgate").setLevel(level)


class Greeting:
    """Says, once the proxy listens, what to set and where things are."""

    name = "tollgate-greeting"

    def __init__(self, console: Console, launch: Launch, place: Place) -> None:
        self._console = console
        self._launch = launch
        self._place = place
        self._greeted = False

    def running(self) -> None:
        listen, console = self._launch.listen, self._console
        console.print(f"[bold green]Tollgate[/] listens on [bold]{listen}[/]. In the shell of your tools:\n")
        for line in exports(listen, self._place.authority):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
        console.print("\n", self._table(), "\n", sep="")
        self._warn(self._place.hosts)
        self._greeted = True

    def llm_setup(self, runtime: Runtime) -> None:
        """A policy that is saved while we run may name hosts that the authority does not cover."""
        if self._greeted:
            self._warn(hosts_of(runtime.policy))

    def _warn(self, hosts: list[str]) -> None:
        folder = self._place.authority
        problems = []
        if age := ageing(folder, datetime.now(UTC)):
            problems.append(f"The authority {age}: clients refuse it from then on.")
        if missing := uncovered(folder, hosts):
            problems.append(
                f"The authority may not vouch for {', '.join(missing)}: clients will refuse them."
            )
        if problems:
            advice = f"Move {folder} away and start again to make a new one, which clients have to trust."
            self._console.print(f"[yellow]{' '.join([*problems, advice])}[/]\n", soft_wrap=True)

    def _table(self) -> Table:
        place, admin = self._place, self._launch.admin
        trail = place.policy.file.trail.path or place.state / "trail" / "calls.jsonl"
        table = Table.grid("", "", padding=(0, 2))
        files = ", ".join(map(str, self._launch.policy)) or "built-in defaults"
        table.add_row("[bold]policy[/]", f"{files} ({place.policy.digest})")
        table.add_row("[bold]rooms[/]", ", ".join(rooms(place.policy)))
        table.add_row("[bold]trail[/]", str(trail))
        table.add_row("[bold]authority[/]", f"{place.authority / CERT_FILE}{' (new)' if place.new else ''}")
        table.add_row("[bold]health[/]", f"http://{admin}/healthz" if admin else "off")
        return table


def rooms(policy: Policy) -> list[str]:
    """What a policy can turn on, and whether it does."""
    file, rules = policy.file, [rule.set for rule in policy.file.rules]
    chosen = {
        "redaction": file.dlp.enabled or any(settings.dlp.enabled for settings in rules),
        "cache": file.cache.enabled or any(settings.cache.enabled for settings in rules),
        "costs": file.cost.enabled,
    }
    return [f"{name} {'on' if on else 'off'}" for name, on in chosen.items()]


def exports(listen: str, authority: Path) -> list[str]:
    """The shell lines after which most clients use the proxy and trust it."""
    settings = variables(listen, authority)
    lines = (("HTTPS_PROXY", "https_proxy", "NODE_USE_ENV_PROXY"), _AUTHORITIES, ("NODE_EXTRA_CA_CERTS",))
    return [" ".join(["export", *(f"{name}={quote(settings[name])}" for name in names)]) for names in lines]


def variables(listen: str, authority: Path) -> dict[str, str]:
    """The environment in which most clients use the proxy and trust it."""
    host, port = parse_place(listen)
    host = _REACHED_AT.get(host, host)
    proxy = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return {
        **dict.fromkeys(("HTTPS_PROXY", "https_proxy"), proxy),
        "NODE_USE_ENV_PROXY": "1",
        **dict.fromkeys(_AUTHORITIES, str(authority / BUNDLE_FILE)),
        "NODE_EXTRA_CA_CERTS": str(authority / CERT_FILE),
    }
