"""tollgate cost: put prices on what had none, hand the ledger on, show the budgets."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from math import inf
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.text import Text

from tollgate.cli.money import moment, opened, printable
from tollgate.cli.report import budgets_table
from tollgate.cli.up import PolicyFiles, State
from tollgate.cost import ledger
from tollgate.cost.budgets import Budgets
from tollgate.cost.export import FORMATS
from tollgate.cost.report import report
from tollgate.cost.reprice import reprice_all
from tollgate.providers import Providers
from tollgate.store.purses import all_purses

app = typer.Typer(no_args_is_help=True, help="Reprice and export the ledger, and show the budgets.")

Since = Annotated[str, typer.Option(help="From when on: month, 24h, 7d, 2w, or a day such as 2026-11-01.")]
Until = Annotated[str, typer.Option(help="Up to when; now where it is left out.")]
Every = Annotated[bool, typer.Option("--all", help="Also what has a price: after contracts changed.")]
Format = Annotated[
    Literal["csv", "jsonl", "focus"],
    typer.Option("--format", "-f", help="focus is the FinOps standard, as CSV; the others are row by row."),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")]


@app.command()
def reprice(
    since: Since = "1970-01-02", every: Every = False, policy: PolicyFiles = None, state: State = None
) -> None:
    """Price what had no known price when it was made. Sums and open budgets are put right."""
    from tollgate.cost.desk import price_book  # the public prices take half a second to read

    console = Console(highlight=False)
    with opened(policy or [], state) as books:
        providers = Providers.builtin().with_hosts(books.policy.hosts)
        prices = price_book(books.policy, providers)
        done = reprice_all(books.database, prices, moment(since, books.now, books.zone), every=every)
    change = f"{'+' if done.change >= 0 else ''}{books.money.show(done.change)}"
    console.print(
        f"[green]{done.priced}[/] {'entry' if done.priced == 1 else 'entries'} priced anew, {change}"
    )
    for model, number in done.unknown.most_common():  # clients choose the names
        told = f"{printable(model)}: {number}. Give it a price in cost.prices.overlays."
        console.print(Text.assemble(("unknown ", "yellow"), told), soft_wrap=True)


@app.command()
def export(
    since: Since = "month",
    until: Until = "",
    form: Format = "csv",
    output: Output = None,
    policy: PolicyFiles = None,
    state: State = None,
) -> None:
    """Write the ledger's rows as CSV, lines of JSON, or FOCUS."""
    with opened(policy or [], state) as books, ExitStack() as stack:
        first = moment(since, books.now, books.zone)
        end = moment(until, books.now, books.zone, "--until") if until else inf
        if end <= first:
            raise typer.BadParameter("this is no later than --since", param_hint="--until")
        lines = FORMATS[form](ledger.entries(books.database, first, end))
        out = stack.enter_context(output.open("w", encoding="utf-8")) if output else sys.stdout
        _write(lines, out.write)


def _write(lines: Iterable[str], write: Callable[[str], object]) -> None:
    for line in lines:
        write(line)


@app.command()
def budgets(policy: PolicyFiles = None, state: State = None) -> None:
    """Show how full the budgets are whose windows are open, the fullest first."""
    console = Console(highlight=False)
    with opened(policy or [], state) as books:
        purses = all_purses(books.database, books.now)
        found = report([], purses, Budgets(books.policy.cost), books.now, books.now, books.zone).budgets
    if found:
        console.print(budgets_table(found, books, console.width))
    else:
        console.print("No budget was spent from in a window that is open.")
