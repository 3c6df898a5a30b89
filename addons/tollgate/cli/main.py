"""The tollgate command: its sub-commands, and what it says of itself."""

from __future__ import annotations

from typing import Annotated

import typer
from mitmproxy import version as mitmproxy_version

from tollgate import __version__
from tollgate.cli import cache, cost, dlp, policy, route
from tollgate.cli.report import report
from tollgate.cli.run import BEFORE_A_COMMAND, record, replay, run
from tollgate.cli.translate import translate
from tollgate.cli.up import up

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # they show local variables, which may be secrets
    help="A forward proxy for LLM traffic: inspected, governed and recorded.",
)
app.command()(up)
app.command(context_settings=BEFORE_A_COMMAND)(run)
app.command(context_settings=BEFORE_A_COMMAND)(record)
app.command(context_settings=BEFORE_A_COMMAND)(replay)
app.command()(report)
app.command()(translate)
app.add_typer(policy.app, name="policy")
app.add_typer(dlp.app, name="dlp")
app.add_typer(cost.app, name="cost")
app.add_typer(cache.app, name="cache")
app.add_typer(route.app, name="route")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tollgate {__version__} on mitmproxy {mitmproxy_version.VERSION}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """The options of the command itself."""
