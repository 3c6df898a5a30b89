"""tollgate dlp: show what a policy finds in files, and what it looks for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tollgate.cli.up import PolicyFiles, State
from tollgate.dlp.equipment import build_examiner, cache_folder, thresholds
from tollgate.dlp.examine import Examiner
from tollgate.dlp.known import RULE as KNOWN_VALUE
from tollgate.dlp.named import check_names
from tollgate.dlp.screen import answer_action
from tollgate.dlp.secrets import secret_judges
from tollgate.dlp.settle import action_for
from tollgate.dlp.sight import Found
from tollgate.dlp.span import Span
from tollgate.dlp.treat import as_text
from tollgate.dlp.views.documents import is_container
from tollgate.dlp.windows import DetectionFailed
from tollgate.policy import Policy, load
from tollgate.policy.dlp import Detection, Dlp
from tollgate.store import Digester, load_key, state_folder

app = typer.Typer(no_args_is_help=True, help="Show what is found in files, and what is looked for.")

_WHATEVER_THE_PLACE = ("block", "report", "ignore")
"""Actions that are the same where a value cannot be rewritten."""
_UNUSABLE = (OSError, ValueError, DetectionFailed)
"""PolicyError, RulesMissing and ViewError are ValueErrors."""
_SHOWN = 2
_SHOWN_OF = 4
"""At most one character in so many of a value is shown."""

ScannedFiles = Annotated[
    list[Path] | None,
    typer.Argument(metavar="[FILE...]", help="Texts or documents; - or none for standard input."),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object per finding.")]
Fail = Annotated[bool, typer.Option("--fail", help="Exit with 1 if anything is found that is not ignored.")]


class Row(NamedTuple):
    """A finding as it is shown. It never carries the value."""

    file: str
    line: int | None
    """From 1; None within a document."""
    column: int | None
    """From 1, in characters."""
    entity: str
    rule: str
    score: float
    view: str
    action: str
    hint: str
    """How the value begins, and its length; empty where it does not stand in the file as it is."""


@app.command()
def scan(
    files: ScannedFiles = None,
    policy: PolicyFiles = None,
    state: State = None,
    as_json: Json = False,
    fail: Fail = False,
) -> None:
    """Show what would be found in files and what would become of it, but no value.

    Exits with 2 for a policy or a file that cannot be used; other files are looked into all the same.
    """
    with _or_exit():
        folder = state_folder(str(state or ""))
        settings = _checked(policy, folder)
        with settings.placing():
            examiner = build_examiner(settings.file.detection, folder, Digester(load_key(folder)))
    rows: list[Row] = []
    failed = False
    for path in files or [Path("-")]:
        try:
            rows += rows_of(str(path), _read(path), examiner, settings.file.dlp)
        except _UNUSABLE as e:
            _complain(e, f"{path}: ")
            failed = True
    if rows or not failed:
        _show(rows, as_json)
    if failed:
        raise typer.Exit(2)
    if fail and any(row.action != "ignore" for row in rows):
        raise typer.Exit(1)


@app.command()
def explain(policy: PolicyFiles = None, state: State = None) -> None:
    """List what is looked for, and what becomes of it by the policy's actions."""
    with _or_exit():
        folder = state_folder(str(state or ""))
        checked = _checked(policy, folder)
        settings = checked.file
        scores = thresholds(settings.detection)
        with checked.placing():
            rules = _secret_rules(settings.detection, cache_folder(folder))
    console = Console(highlight=False)
    console.print(_entities_table(settings.dlp, scores))
    console.print(_secrets_table(settings.dlp, settings.detection, rules))
    known = {"SECRET", "PERSONAL", *scores, *rules}
    for key, actions in ("actions", settings.dlp.actions), ("answers.actions", settings.dlp.answers.actions):
        if idle := sorted(set(actions) - known):
            console.print(f"[yellow]not looked for, though dlp.{key} has it:[/] {', '.join(idle)}")
    if not settings.dlp.enabled:
        console.print(
            "[yellow]dlp.enabled is off:[/] only calls for which a rule turns it on are looked into"
        )


def _checked(files: list[Path] | None, state: Path) -> Policy:
    """The policy, in which all names stand for something."""
    policy = load(files or [])
    check_names(policy, cache_folder(state))
    return policy


@contextmanager
def _or_exit() -> Iterator[None]:
    """Exit with 2 for what cannot be used, and say why."""
    try:
        yield
    except _UNUSABLE as e:
        _complain(e)
        raise typer.Exit(2) from e


def _complain(error: Exception, place: str = "") -> None:
    what = error.strerror if place and isinstance(error, OSError) else None
    Console(stderr=True, highlight=False).print(Text(f"{place}{what or error}", "red"), soft_wrap=True)


# -- scan --------------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes:
    return typer.get_binary_stream("stdin").read() if str(path) == "-" else path.read_bytes()


def rows_of(name: str, data: bytes, examiner: Examiner, dlp: Dlp) -> list[Row]:
    """What is found in a file, overlaps included. ViewError or DetectionFailed where it cannot be read."""
    text = None if is_container(data) else as_text(data)
    if text is None:
        found = examiner.attachment(data, examiner.budget())
        rows = [_row(name, f, outcome(f, dlp, droppable=False)) for f in found]
    else:
        placed = sorted(_once(examiner.text(text, "text", "", examiner.budget())))
        rows = [_row(name, f, outcome(f, dlp), text) for f in placed]
    return list(dict.fromkeys(rows))


def _once(found: tuple[Found, ...]) -> list[Found]:
    """The findings without those that only another view shows again."""
    first: dict[tuple[object, ...], Found] = {}
    for each in found:
        span = each.span
        first.setdefault((span.start, span.end, span.entity, span.rule, each.direct or each.view), each)
    return list(first.values())


def outcome(found: Found, dlp: Dlp, *, droppable: bool = True) -> str:
    """What becomes of a finding: the policy's action, or `on_unrewritable` where that cannot be done."""
    action = action_for(found.span, dlp.actions)
    if found.direct or action in _WHATEVER_THE_PLACE:
        return action
    return "block" if dlp.on_unrewritable == "drop_part" and not droppable else dlp.on_unrewritable


def _row(name: str, found: Found, action: str, text: str | None = None) -> Row:
    span = found.span
    line, column = (None, None) if text is None else _place(text, span.start)
    shown = hint(text[span.start : span.end]) if text is not None and found.direct else ""
    return Row(name, line, column, span.entity, span.rule, round(span.score, 2), found.view, action, shown)


def _place(text: str, index: int) -> tuple[int, int]:
    """Line and column, from 1."""
    return text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index)


def hint(value: str) -> str:
    """How a value begins, and its length: enough to know it again, and not to use it."""
    begin = value[: min(_SHOWN, len(value) // _SHOWN_OF)]
    return f"{''.join(c if c.isprintable() else '·' for c in begin)}… ({len(value)})"


def _show(rows: list[Row], as_json: bool) -> None:
    if as_json:
        for row in rows:
            told = {name: value for name, value in row._asdict().items() if name != "hint"}
            typer.echo(json.dumps(told, ensure_ascii=False))
    elif rows:
        Console(highlight=False).print(_findings_table(rows))
    else:
        typer.echo("nothing found")


def _findings_table(rows: list[Row]) -> Table:
    table = Table("file", "line:column", "entity", "rule", "score", "view", "action", "value")
    for row in rows:
        place = f"{row.line}:{row.column}" if row.line else "–"
        cells = (row.file, place, row.entity, row.rule, f"{row.score:.2f}", row.view, row.action, row.hint)
        table.add_row(*map(Text, cells), style="dim" if row.action == "ignore" else None)
    for column in table.columns:
        column.overflow = "fold"  # in a narrow terminal too, all of it can be read
    return table


# -- explain -----------------------------------------------------------------------------------------------


def _secret_rules(detection: Detection, cache: Path) -> list[str]:
    """The ids of the rules that find secrets."""
    rules = [judge.id for judge in secret_judges(detection.secrets, cache)]
    known = detection.known_values
    return [*rules, KNOWN_VALUE] if known.environment or known.files else rules


def _entities_table(dlp: Dlp, scores: dict[str, float]) -> Table:
    table = Table("entity", "least score", *_actions(dlp), title="PERSONAL", title_justify="left")
    for entity, score in sorted(scores.items()):
        table.add_row(entity, f"{score:.2f}", *_taken(dlp, Span(0, 0, entity, score)))
    return table


def _secrets_table(dlp: Dlp, detection: Detection, rules: list[str]) -> Table:
    """All rules in one line, and those with an action of their own."""
    table = Table("rule", "least confidence", *_actions(dlp), title="SECRET", title_justify="left")
    named = sorted(set(rules) & {*dlp.actions, *(dlp.answers.actions if dlp.answers.scan else ())})
    for rule in [*named, ""]:
        count = f"{len(set(rules)) - len(named)} {'other rules' if named else 'rules'}"
        taken = _taken(dlp, Span(0, 0, "SECRET", 1.0, rule))
        table.add_row(Text(rule or count), detection.secrets.confidence, *taken)
    return table


def _actions(dlp: Dlp) -> list[str]:
    """The columns for actions."""
    return ["action", "in answers"] if dlp.answers.scan else ["action"]


def _taken(dlp: Dlp, span: Span) -> list[str]:
    """The actions for a finding, column by column."""
    asked = action_for(span, dlp.actions)
    return [asked, answer_action(span, dlp.answers)] if dlp.answers.scan else [asked]
