"""tollgate policy: check policy files, print their schema, explain what governs a call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from multidict import CIMultiDict
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tollgate.dlp.named import check_names
from tollgate.policy import Facts, Policy, PolicyError, Problem, json_schema, load
from tollgate.policy.vocabulary import unknown, vocabularies
from tollgate.providers import Providers

app = typer.Typer(no_args_is_help=True, help="Check policy files, and explain what they mean for a call.")

_PLAIN_FACTS = [name for name in Facts.__dataclass_fields__ if name not in ("groups", "headers")]

_NO_WORD = re.compile(r"[^\w.-]")
_NEIGHBOURS = re.compile(r"[{\[].*,")
"""What stands before an entry of a {flow: mapping} or [flow, list]."""
_AFTER_SCHEME = re.compile(r"(?<=://).*")

CheckedFiles = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Policy files; later ones override earlier ones.")
]
ExplainedFiles = Annotated[
    list[Path] | None, typer.Argument(metavar="[FILE...]", help="Policy files; none for the defaults.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", help="Write it to this file.")]
HostName = Annotated[str, typer.Option("--host", help="The host called; it tells the provider too.")]
Port = Annotated[int, typer.Option(help="The port called, where a provider has its own.")]
Model = Annotated[str, typer.Option(help="The model asked for.")]
User = Annotated[str, typer.Option(help="The proxy user, or the client's address.")]
Groups = Annotated[
    list[str] | None, typer.Option("--group", help="A group of the user, if not those of the policy.")
]
Client = Annotated[str, typer.Option(help="The client's address.")]
Provider = Annotated[str, typer.Option(help="The provider's id.")]
Dialect = Annotated[str, typer.Option(help="How the API speaks: openai-chat, anthropic-messages, …")]
Operation = Annotated[str, typer.Option(help="What is asked for: chat, embeddings, …")]
Tool = Annotated[str, typer.Option(help="The client program: claude-code, codex, …")]
UserAgent = Annotated[str, typer.Option(help="The whole user-agent header.")]
Headers = Annotated[
    list[str] | None, typer.Option("--header", metavar="NAME=VALUE", help="A header of the request.")
]


@app.command()
def check(files: CheckedFiles) -> None:
    """Say all that is wrong with policy files, line by line."""
    console = Console(highlight=False)
    policy = _load(files, console)
    _check_names(policy, console)
    _check_prices(policy, console)
    counts = f"{_count(len(policy.file.rules), 'rule')}, {_count(len(policy.file.hosts), 'host')}"
    console.print(f"[green]valid[/]: {counts}, digest {policy.digest}")


@app.command()
def schema(output: Output = None) -> None:
    """Print the JSON Schema of policy files, for editors."""
    text = json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"
    if output:
        output.write_text(text, encoding="utf-8")
    else:
        typer.echo(text, nl=False)


@app.command()
def explain(
    files: ExplainedFiles = None,
    host: HostName = "",
    port: Port = 443,
    model: Model = "",
    user: User = "",
    group: Groups = None,
    client: Client = "",
    provider: Provider = "",
    dialect: Dialect = "",
    operation: Operation = "",
    tool: Tool = "",
    user_agent: UserAgent = "",
    header: Headers = None,
) -> None:
    """Show every setting of a call, and which file or rule set it."""
    console = Console(highlight=False)
    policy = _load(files or [], console)
    facts = Facts(
        user=user,
        groups=tuple(group or policy.groups_of(user)),
        client=client,
        user_agent=user_agent,
        tool=tool,
        host=host,
        provider=provider or _provider_of(host, port, policy),
        dialect=dialect,
        operation=operation,
        model=model,
        headers=_headers(header or []),
    )
    _refuse_unknown(facts, policy)
    console.print(_facts_line(facts))
    if host and not facts.provider:
        choice = policy.file.connections.other_hosts
        console.print(f"{host} is no LLM host, so this is no call: connections.other_hosts is {choice}")
    if policy.file.rules:
        console.print(_rules_table(policy, facts))
    console.print(_settings_table(policy, facts))


def _load(files: list[Path], console: Console) -> Policy:
    with _told(console):
        return load(files)


def _check_names(policy: Policy, console: Console) -> None:
    """What redaction is told to look for is known by packages, not by the policy's schema."""
    with _told(console), TemporaryDirectory() as cache:
        check_names(policy, Path(cache))


def _check_prices(policy: Policy, console: Console) -> None:
    """Price files are no part of a policy, but Tollgate does not start with wrong ones."""
    from tollgate.cost.desk import price_book  # the public prices take half a second to read

    if policy.file.cost.prices.overlays:
        with _told(console):
            price_book(policy.file, Providers.builtin().with_hosts(policy.file.hosts))


@contextmanager
def _told(console: Console) -> Iterator[None]:
    """Exits with 1, and shows every problem, where there is one."""
    try:
        yield
    except PolicyError as e:
        for problem in e.problems:
            console.print(Text(str(problem)), Text(excerpt(problem), "dim"), sep="\n", soft_wrap=True)
        console.print(f"[red]not valid[/]: {_count(len(e.problems), 'problem')}")
        raise typer.Exit(1) from e


def excerpt(problem: Problem) -> str:
    """The line a problem is in, with a mark under what is wrong; empty where there is no line. Other entries
    of the line, what an unknown key holds and the rest of a URL are left out: a password may stand there."""
    mark = problem.mark
    try:
        lines = Path(mark.file).read_text("utf-8-sig", errors="replace").splitlines()
    except OSError:
        return ""
    if not 0 < mark.line <= len(lines):
        return ""
    line = lines[mark.line - 1].replace("\t", " ")
    start, end = mark.column - 1, mark.column - 1 + mark.width
    before = _NEIGHBOURS.sub("{…,", line[:start])
    wrong = _AFTER_SCHEME.sub("…", line[start:end] + _NO_WORD.split(line[end:], maxsplit=1)[0])
    return f"    {before}{wrong}\n    {' ' * len(before)}{'^' * max(len(wrong), 1)}\n"


def _provider_of(host: str, port: int, policy: Policy) -> str:
    found = Providers.builtin().with_hosts(policy.file.hosts).provider_of(host, port)
    return found.id if found else ""


def _refuse_unknown(facts: Facts, policy: Policy) -> None:
    """BadParameter for a word that no call has."""
    for what, known in vocabularies(policy.file).items():
        given = facts.groups if what == "group" else (getattr(facts, what),)
        for word in filter(None, given):
            if word.lower() not in map(str.lower, known):
                raise typer.BadParameter(unknown(what, word, known), param_hint=f"--{what}")


def _headers(pairs: list[str]) -> CIMultiDict[str]:
    headers: CIMultiDict[str] = CIMultiDict()
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"a header is given as NAME=VALUE, not {name!r}", param_hint="--header")
        headers.add(name.strip(), value.strip())
    return headers


def _facts_line(facts: Facts) -> Text:
    known = {name: getattr(facts, name) for name in _PLAIN_FACTS}
    known |= {"groups": ", ".join(facts.groups)} | {f"header {k}": v for k, v in facts.headers.items()}
    shown = "; ".join(f"{name} {value}" for name, value in known.items() if value)
    return Text(f"A call with {shown}" if shown else "A call of which nothing is known")


def _rules_table(policy: Policy, facts: Facts) -> Table:
    table = Table("rule", "governs the call", title="Rules", title_justify="left")
    for rule, mismatch in policy.judge(facts):
        table.add_row(Text(rule.name), f"no: {mismatch} does not match" if mismatch else "[green]yes[/]")
    return table


def _settings_table(policy: Policy, facts: Facts) -> Table:
    title = f"Settings of policy {policy.digest}"
    table = Table("setting", "value", "set by", title=title, title_justify="left")
    for row in policy.explain(facts):
        style = "dim" if row.source == "default" else "bold" if row.source.startswith("rule") else None
        table.add_row(*map(Text, row), style=style)
    return table


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
