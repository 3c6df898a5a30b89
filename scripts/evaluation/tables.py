"""Tables of figures, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.table import Table


def table(*columns: str, title: str = "") -> Table:
    """An empty table: names on the left, figures on the right."""
    made = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left")
    return made


def show(tables: Iterable[RenderableType]) -> None:
    """Print each as soon as it is there, and what is said of them."""
    console = Console(highlight=False)
    for each in tables:
        console.print(each)
