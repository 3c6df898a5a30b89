"""`tollgate up`: run the proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tollgate.cli.launch import Launch

Listen = Annotated[str, typer.Option(help="host:port that clients connect to.")]
PolicyFiles = Annotated[list[Path] | None, typer.Option("--policy", help="A policy file; may be repeated.")]
State = Annotated[
    Path | None, typer.Option(help="Folder for keys and the trail. \\[default: the user's own]")
]
Certs = Annotated[Path | None, typer.Option(help="Folder of the authority. \\[default: certs in STATE]")]
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
    from tollgate.cli.serve import serve  # mitmproxy takes two seconds to import; other commands need none

    serve(Launch(listen, policy or [], state, certs, admin, script or [], set_ or [], grace, quiet))
