"""tollgate report: what was spent, for whom and on what, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, timedelta
from typing import Annotated, Literal

import typer
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tollgate.cli.money import Books, bar, count, moment, opened, printable
from tollgate.cli.up import PolicyFiles, State
from tollgate.cost import ledger
from tollgate.cost.budgets import PERIODS, Budgets
from tollgate.cost.report import BY, Filled, Line, Report, as_json, needed_since
from tollgate.cost.report import report as make_report
from tollgate.store.purses import all_purses

BILLED, PLAN = "cyan", "magenta"
MOST_DAYS = 45
"""More than that are shown by the week."""
_WIDE, _MIDDLE = 100, 90
"""Characters from which on a terminal has room for all, and for all but tokens."""
_FULL, _LOW = 1.0, 0.8

Since = Annotated[
    str, typer.Option(help="From when on: month (its first day), 24h, 7d, 2w, or a day such as 2026-11-01.")
]
By = Annotated[list[str] | None, typer.Option("--by", help=f"One of {', '.join(BY)}; may be repeated.")]
Top = Annotated[int, typer.Option(min=1, help="Lines of each table; the rest is one line.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, with all lines; money in nano-dollars.")]


def report(
    since: Since = "month",
    by: By = None,
    top: Top = 8,
    policy: PolicyFiles = None,
    state: State = None,
    as_json_: Json = False,
) -> None:
    """Show what was spent, by day, user, team, model, project and client, how full budgets are, and what the
    month will come to."""
    if wrong := sorted(set(by or ()) - set(BY)):
        raise typer.BadParameter(f"{wrong[0]} is none of {', '.join(BY)}", param_hint="--by")
    with opened(policy or [], state) as books:
        start = moment(since, books.now, books.zone)
        rows = ledger.sums(books.database, needed_since(start, books.now, books.zone))
        purses = all_purses(books.database, books.now)
        budgets = Budgets(books.policy.cost)
        found = make_report(rows, purses, budgets, start, books.now, books.zone, by or BY)
    if as_json_:
        typer.echo(json.dumps(as_json(found), indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False)
    console.print(page(found, books, console.width, top, chosen=bool(by)))


def page(found: Report, books: Books, width: int, top: int, *, chosen: bool = False) -> Group:
    """The whole report. A dimension of which nothing is known is left out, unless it was chosen."""
    parts: list[RenderableType] = [_head(found, books)]
    if found.total.calls:
        parts += [_titled("by day", _days(found, books, width))]
    for name, lines in found.by.items():
        if lines and (chosen or set(lines) != {""}):
            title = "by client" if name == "tool" else f"by {name}"
            parts.append(_titled(title, _lines(lines, books, width, top)))
    if found.budgets:
        parts.append(_titled("budgets", budgets_table(found.budgets, books, width)))
    return Group(*parts)


def _titled(title: str, body: RenderableType) -> Padding:
    return Padding(Group(Text(title, "bold"), body), (1, 0, 0, 1))


# -- the head ----------------------------------------------------------------------------------------------


def _head(found: Report, books: Books) -> Panel:
    total, show = found.total, books.money.show
    first, last = found.since.date(), found.until.date()
    grid = Table.grid(padding=(0, 3))
    grid.add_row(
        _figure(show(total.cost), "billed", f"bold {BILLED}"),
        _figure(show(total.plans), "paid by plans", f"bold {PLAN}") if total.plans else "",
        _figure(show(found.forecast.expected), f"forecast for {found.forecast.month:%B}", "bold"),
        _figure(f"{total.calls:,}", "calls", "bold"),
    )
    lines: list[RenderableType] = [grid, *_savings(total, books)]
    if total.unknown:
        text = f"{total.unknown:,} calls have no known price, and are in no sum: tollgate cost reprice"
        lines.append(Text(text, "yellow"))
    if not total.calls:
        lines.append(Text("Nothing was spent in this time.", "dim"))
    title = f"[bold]Tollgate[/] [dim]{first:%-d %b} to {last:%-d %b %Y}, {books.policy.cost.timezone}[/]"
    return Panel(
        Group(*lines), title=title, title_align="left", box=box.ROUNDED, border_style="dim", padding=(1, 2)
    )


def _figure(value: str, what: str, style: str) -> Text:
    return Text.assemble((value, style), "\n", (what, "dim"))


def _savings(total: Line, books: Books) -> list[RenderableType]:
    saved = [
        (total.saved, "by providers' prompt caches"),
        (total.cache_saved, "by our own cache"),
    ]
    told = [f"{books.money.show(nanos)} {by}" for nanos, by in saved if nanos]
    return [Text.assemble("\n", ("saved  ", "dim"), (", ".join(told), "green"))] if told else []


# -- the tables --------------------------------------------------------------------------------------------


def _days(found: Report, books: Books, width: int) -> Table:
    days = found.days if len(found.days) <= MOST_DAYS else _weeks(found.days)
    form = "%a %-d %b" if days is found.days else "week of %-d %b"
    return _table({day.strftime(form): line for day, line in days.items()}, books, width, "right")


def _weeks(days: Mapping[date, Line]) -> dict[date, Line]:
    weeks: dict[date, Line] = {}
    for day, line in days.items():
        monday = day - timedelta(days=day.weekday())
        weeks[monday] = together([weeks.get(monday, Line()), line])
    return weeks


def _lines(lines: Mapping[str, Line], books: Books, width: int, top: int) -> Table:
    shown = {name or "(none)": line for name, line in list(lines.items())[:top]}
    if rest := list(lines.values())[top:]:
        shown[f"… and {len(rest)} more"] = together(rest)
    return _table(shown, books, width, "left")


def _table(lines: Mapping[str, Line], books: Books, width: int, names: Literal["left", "right"]) -> Table:
    """A line for each name, with a bar. A column in which nothing would stand is left out."""
    most = max(line.cost + line.plans for line in lines.values())
    cells = _cells_of(books, width)
    columns = [cell for cell in cells if any(cell(line) for line in lines.values())]
    table = Table.grid(padding=(0, 2))
    table.add_column(justify=names, no_wrap=True, max_width=max(16, width // 4), overflow="ellipsis")
    table.add_column(width=_bar_width(width), no_wrap=True)
    for _ in columns:
        table.add_column(justify="right", no_wrap=True)
    for name, line in lines.items():
        bars = bar([(line.cost, BILLED), (line.plans, PLAN)], most, _bar_width(width))
        table.add_row(Text(printable(name)), bars, *(cell(line) for cell in columns))
    return table


def _cells_of(books: Books, width: int) -> list[Callable[[Line], Text]]:
    """What stands beside a bar. What is not known is said to be so, and is no zero."""
    show = books.money.show
    cells: list[tuple[int, Callable[[Line], Text]]] = [
        (0, lambda line: Text(show(line.cost) if line.cost else "")),
        (0, lambda line: Text(show(line.plans) if line.plans else "", PLAN)),
        (0, lambda line: Text(f"{line.unknown:,} unknown" if line.unknown else "", "yellow")),
        (_MIDDLE, lambda line: Text(f"{line.calls:,} calls" if line.calls else "", "dim")),
        (_WIDE, lambda line: Text(_tokens(line), "dim")),
    ]
    return [cell for least, cell in cells if width >= least]


def together(lines: Iterable[Line]) -> Line:
    """Their sum."""
    whole = Line()
    for line in lines:
        for name in Line.__slots__:
            setattr(whole, name, getattr(whole, name) + getattr(line, name))
    return whole


def _bar_width(width: int) -> int:
    return max(8, min(40, width // 4))


def _tokens(line: Line) -> str:
    """Input, what of it was cached, output: 12M (88% cached) → 1.2M"""
    if not line.input + line.output:
        return ""
    cached = f" ({line.cached / line.input:.0%} cached)" if line.cached and line.input else ""
    return f"{count(line.input)}{cached} → {count(line.output)}"


def budgets_table(budgets: Iterable[Filled], books: Books, width: int) -> Table:
    """How full each purse is, the fullest first."""
    every = {budget.name: PERIODS[budget.every] for budget in books.policy.cost.budgets}
    space = max(8, width // 5)
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True, max_width=max(20, width // 3), overflow="ellipsis")
    table.add_column(width=space, no_wrap=True)
    for _ in range(3 if width >= _WIDE else 2):
        table.add_column(justify="right", no_wrap=True)
    for purse in budgets:
        style = "red" if purse.share >= _FULL else "yellow" if purse.share >= _LOW else "green"
        gone = "" if purse.in_force else "  (not in this policy)"
        whose = f"  {printable(purse.whose)}" if purse.whose else ""
        name = Text.assemble(purse.budget, (gone + whose, "dim"))
        filled = bar([(purse.spent, style), (purse.held, "dim")], purse.limit or 1, space)
        filled.append("·" * (space - len(filled)), "dim")
        spent = f"{books.money.show(purse.spent)} of {books.money.show(purse.limit)}"
        until = f"{every.get(purse.budget, '')} until {purse.reopens:%-d %b %H:%M}".strip()
        cells = [name, filled, Text(f"{purse.share:.0%}", style), Text(spent), Text(until, "dim")]
        table.add_row(*cells[: len(table.columns)])
    return table
