"""`python -m evaluation dlp DATA…`, `… semantic PAIRS`, `… chaos`: what is measured, and what with."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from evaluation import chaos, data, semantic
from evaluation.dlp import code, measure
from evaluation.tables import show
from support.chaos import play
from tollgate.cache.semantic.models import load
from tollgate.dlp.engine import Engine, build
from tollgate.policy.dlp import Detection
from tollgate.store import Digester, load_key, state_folder

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def evaluation() -> None:
    """Measures how well Tollgate does its work."""


@app.command()
def dlp(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Labelled texts: JSON lines, perhaps gzipped.")
    ] = None,
    package: Annotated[
        str, typer.Option("--code", help="An installed package to look for false alarms in.")
    ] = "",
) -> None:
    """Detection of personal data and secrets, as the default policy has it."""
    show(_tables(files or [], package, _engine()))


@app.command(name="semantic")
def likeness(
    file: Annotated[Path, typer.Argument(help="Pairs of questions: JSON lines.")],
    model: Annotated[Path | None, typer.Option(help="A model's folder; n-grams without.")] = None,
    kind: Annotated[Literal["static", "onnx"], typer.Option(help="Of the model.")] = "static",
    threshold: Annotated[float, typer.Option(help="For the table by kind of pair.")] = 0.8,
    label: Annotated[
        bool, typer.Option("--by-label", help="Answers are yes or no by the label, whatever the file has.")
    ] = False,
) -> None:
    """Hits and precision of answers to like questions, served and in shadow."""
    embedder = load(kind, model) if model else semantic.NGrams()
    title = model.name if model else "n-grams"
    pairs = [semantic.by_label(pair) if label else pair for pair in semantic.pairs(file)]
    show(semantic.measure(title, pairs, embedder, threshold))


@app.command(name="chaos")
def faults() -> None:
    """Each fault of a provider against each strategy of a route; exit code 1 where a rule is broken."""
    with tempfile.TemporaryDirectory() as folder:
        rows = play(Path(folder))
    show([chaos.result(rows)])
    if broken := chaos.problems(rows):
        raise SystemExit("\n".join(broken))


def _engine() -> Engine:
    state = state_folder()
    return build(Detection(), state / "cache", Digester(load_key(state)), environ={})


def _tables(files: list[Path], package: str, engine: Engine) -> Iterator[Table]:
    for path in files:
        yield measure(path.name, data.rows(path), engine)
    if package:
        yield code(data.sources(package), engine)


if __name__ == "__main__":
    app()
