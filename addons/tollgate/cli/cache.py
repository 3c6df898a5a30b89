"""tollgate cache: what is kept, and for how long; let go of it; fill it beforehand."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tollgate.cache.entry import Entry, from_bytes
from tollgate.cache.forms import FORMS, FormError
from tollgate.cache.shelf import COUNTS, read_counts
from tollgate.cli.up import PolicyFiles, State
from tollgate.policy import load
from tollgate.policy.fields import parse_duration, show_duration
from tollgate.store import Blobs, load_key, state_folder

app = typer.Typer(no_args_is_help=True, help="Kept answers: what is there, letting go of it, filling it.")

_ID = 12
"""Characters of an entry's name that are shown, and that are enough to name it."""
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "m"), (1.0, "s"))


def _named(value: str | None) -> str | None:
    """An empty choice is a shell's variable that is not set, as a rule: it must not mean all."""
    if value == "":
        raise typer.BadParameter("this is empty; leave the option out for all answers")
    return value


Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Name = Annotated[str, typer.Argument(metavar="ID", help="The beginning of an entry's id, as `ls` shows it.")]
Content = Annotated[bool, typer.Option("--content", help="Show the answer too, as it is kept: redacted.")]

Tag = Annotated[str | None, typer.Option(callback=_named, help="Only what the policy's rules tagged so.")]
Model = Annotated[str | None, typer.Option(callback=_named, help="Only answers of this model; a glob.")]
Older = Annotated[str | None, typer.Option(callback=_named, help="Only what is older: 30 m, 12 h, 7 d.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
WarmFile = Annotated[
    Path, typer.Argument(metavar="FILE", help='Requests, one a line: {"url": …, "body": {…}, "headers": {…}}')
]
Proxy = Annotated[str, typer.Option(help="The running proxy.")]
Authority = Annotated[Path | None, typer.Option("--ca", help="Its authority's certificate (PEM).")]
Headers = Annotated[
    list[str] | None,
    typer.Option(
        "--header",
        metavar="NAME=VALUE",
        help="For every request; NAME=$VARIABLE takes it from the environment.",
    ),
]


class Kept(NamedTuple):
    name: str
    entry: Entry
    expires: float

    def as_dict(self, now: float) -> dict[str, Any]:
        e = self.entry
        return {
            "id": self.name,
            "model": e.model,
            "operation": e.operation,
            "dialect": e.dialect,
            "form": "stream" if e.streamed else "whole",
            "bytes": e.size,
            "age": round(now - e.created),
            "left": round(self.expires - now),
            "tag": e.tag,
        }


@app.command()
def stats(policy: PolicyFiles = None, state: State = None, as_json: Json = False) -> None:
    """How much is kept of which model, and how often it was of use."""
    with _opened(policy, state) as blobs:
        kept, counts, size = list(_kept(blobs)), read_counts(blobs.get(COUNTS)), blobs.size()
    if as_json:
        models = Counter(one.entry.model for one in kept)
        typer.echo(json.dumps({"entries": len(kept), "disk": size, "counts": counts, "models": models}))
        return
    console = Console(highlight=False)
    console.print(f"[bold]{len(kept)}[/] answers, {_size(size)} on disk")
    if counts:
        console.print(_use(counts))
    if kept:
        console.print(_models(kept))


@app.command()
def ls(
    policy: PolicyFiles = None,
    state: State = None,
    tag: Tag = None,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """What is kept, the newest first."""
    now = time.time()
    with _opened(policy, state) as blobs:
        kept = sorted(_chosen(blobs, tag, model, 0.0, now), key=lambda one: -one.entry.created)
    if as_json:
        for one in kept:
            typer.echo(json.dumps(one.as_dict(now)))
    elif kept:
        Console(highlight=False).print(_list(kept, now))
    else:
        typer.echo("Nothing is kept.")


@app.command()
def show(name: Name, policy: PolicyFiles = None, state: State = None, content: Content = False) -> None:
    """All that is known of an answer."""
    with _opened(policy, state) as blobs:
        found = [one for one in _kept(blobs) if one.name.startswith(name)]
    if len(found) != 1:
        _stop(f"{len(found) or 'No'} answers have an id that begins with {name}.")
    console = Console(highlight=False)
    console.print(_details(found[0], time.time()))
    if content:
        console.print(_answer(found[0].entry), markup=False)


@app.command()
def clear(
    policy: PolicyFiles = None,
    state: State = None,
    tag: Tag = None,
    model: Model = None,
    older: Older = None,
    yes: Yes = False,
) -> None:
    """Let go of answers: of all, or of those that are chosen."""
    now = time.time()
    try:
        age = parse_duration(older) if older else 0.0
    except ValueError as e:
        raise typer.BadParameter(str(e), param_hint="--older") from e
    with _opened(policy, state) as blobs:
        chosen = list(_chosen(blobs, tag, model, age, now))
        if chosen and not yes:
            _confirm(f"Let go of {_count(len(chosen))}?")
        for one in chosen:
            blobs.delete(one.name)
    typer.echo(f"{_count(len(chosen))} let go of.")


@app.command()
def warm(
    file: WarmFile,
    proxy: Proxy = "http://127.0.0.1:8080",
    ca: Authority = None,
    header: Headers = None,
) -> None:
    """Make calls through a running proxy, so that their answers are there when they are needed."""
    from tollgate.cli.warm import WarmError, read_lines, warm_up  # aiohttp: the others need none

    console = Console(highlight=False)
    try:
        lines = read_lines(file, header or [])
        with console.status(f"0 of {len(lines)}") as status:
            outcomes = warm_up(lines, proxy, ca, lambda done: status.update(f"{done} of {len(lines)}"))
    except (OSError, WarmError) as e:
        _stop(str(e))
    for line, told in outcomes:
        if told.startswith("!"):
            console.print(Text(f"line {line.number}: {told[1:]}", "red"))
    counts = Counter("failed" if told.startswith("!") else told or "not cached" for _, told in outcomes)
    console.print(", ".join(f"{count} {word}" for word, count in counts.most_common()) or "nothing to do")
    if counts["failed"]:
        raise typer.Exit(1)


# -- what is read --------------------------------------------------------------------------------------------


@contextmanager
def _opened(policy: list[Path] | None, state: Path | None) -> Iterator[Blobs]:
    try:
        storage = load(policy or []).file.cache_storage
        folder = state_folder(str(state or ""))
        place = storage.path or folder / "answers"
        if not place.is_dir():
            _stop(f"Nothing was ever kept in {place}.")
        with closing(Blobs(place, load_key(folder), room=storage.room, secret=storage.encrypt)) as blobs:
            yield blobs
    except (OSError, ValueError) as e:  # a PolicyError is a ValueError
        _stop(str(e))


def _kept(blobs: Blobs) -> Iterator[Kept]:
    for row in blobs.rows():
        entry = from_bytes(row.value) if row.name != COUNTS else None
        if entry is not None:
            yield Kept(row.name, entry, row.expires)


def _chosen(blobs: Blobs, tag: str | None, model: str | None, age: float, now: float) -> Iterator[Kept]:
    for one in _kept(blobs):
        fits = not model or fnmatchcase(one.entry.model.lower(), model.lower())
        if fits and (not tag or one.entry.tag == tag) and now - one.entry.created >= age:
            yield one


def _confirm(question: str) -> None:
    """Abort where the answer is no; a script, which gives none, is told what to do."""
    try:
        agreed = typer.confirm(question)
    except typer.Abort:
        if sys.stdin.isatty():
            raise  # Ctrl-C or Ctrl-D
        _stop("\nNothing was let go of, since nobody could be asked: add --yes.")
    if not agreed:
        raise typer.Abort


def _stop(message: str) -> None:
    typer.echo(message, err=True)
    raise typer.Exit(1)


# -- what is shown -------------------------------------------------------------------------------------------


def _use(counts: dict[str, int]) -> Text:
    given = sum(counts.get(word, 0) for word in ("hit", "semantic", "shared", "stale"))
    asked = given + counts.get("miss", 0) + counts.get("stored", 0)
    rate = f"{given / asked:.0%} of {asked} calls" if asked else "no calls"
    words = ", ".join(f"{count} {word}" for word, count in sorted(counts.items(), key=lambda item: -item[1]))
    return Text.assemble(
        (rate, "bold green" if given else "bold"), " were answered from here  ", (words, "dim")
    )


def _models(kept: list[Kept]) -> Table:
    table = Table("model", "answers", "bytes", "oldest", box=box.SIMPLE_HEAD)
    now = time.time()
    for model, count in Counter(one.entry.model for one in kept).most_common():
        entries = [one.entry for one in kept if one.entry.model == model]
        oldest = now - min(entry.created for entry in entries)
        table.add_row(Text(model or "—"), str(count), _size(sum(e.size for e in entries)), _age(oldest))
    for column in table.columns[1:]:
        column.justify = "right"
    return table


def _list(kept: list[Kept], now: float) -> Table:
    table = Table("id", "model", "operation", "form", "bytes", "age", "left", "tag", box=box.SIMPLE_HEAD)
    for one in kept:
        told = one.as_dict(now)
        cells = (told["model"] or "—", told["operation"], told["form"], _size(told["bytes"]))
        ages = (_age(told["age"]), _age(told["left"]))
        table.add_row(Text(one.name[:_ID], "cyan"), *map(Text, (*cells, *ages, told["tag"])))
    for column in table.columns[4:7]:
        column.justify = "right"
    return table


def _details(one: Kept, now: float) -> Table:
    entry = one.entry
    table = Table(box=None, show_header=False)
    told = {
        **one.as_dict(now),
        "age": _age(now - entry.created),
        "left": _age(one.expires - now),
        "fresh for": show_duration(entry.ttl),
        "provider": entry.provider,
        "answered by": entry.answered_model,
        "events": str(len(entry.pieces) or ""),
        "used": ", ".join(f"{name} {count}" for name, count in entry.usage.items()),
        "stand-ins": str(len(entry.tokens) or ""),
    }
    for name, value in told.items():
        if value not in ("", None):
            table.add_row(Text(name, "dim"), Text(str(value)))
    return table


def _answer(entry: Entry) -> str:
    """The answer as a whole, if it can be told so."""
    try:
        whole = FORMS[entry.dialect].fold(entry.events()) if entry.streamed else orjson.loads(entry.body)
    except (FormError, ValueError, KeyError):
        return "The answer cannot be shown as a whole."
    return orjson.dumps(whole, option=orjson.OPT_INDENT_2).decode()


def _count(number: int) -> str:
    return f"{number} answer{'' if number == 1 else 's'}"


def _size(size: int) -> str:
    """Three digits at most: 4 MB, 1.2 KB."""
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            break
        size = round(size / 1024, 1)  # type: ignore[assignment]
    return f"{size:.1f}".removesuffix(".0") + f" {unit}"


def _age(seconds: float) -> str:
    length, unit = next(((length, unit) for length, unit in _UNITS if seconds >= length), _UNITS[-1])
    return f"{max(0, int(seconds / length))} {unit}"
