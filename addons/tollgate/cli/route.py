"""tollgate route: where a request would go, and what would become of it on its way."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from multidict import CIMultiDict
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tollgate.access.tools import tool_of
from tollgate.calls import Body, BodyError, Call, Checkup, Identity, Leg, Refused, Request, Runtime, Target
from tollgate.calls.credentials import SECRET_HEADERS
from tollgate.calls.quotes import Quote
from tollgate.cli.files import read_bytes
from tollgate.cli.health import checkups_at
from tollgate.dialects import dialect
from tollgate.policy import Facts, load
from tollgate.policy.check import Check
from tollgate.policy.fields import show_duration
from tollgate.providers import Match, Providers
from tollgate.routing.fleet import Board, Fleet, Planned
from tollgate.routing.strategies import Candidate
from tollgate.store import Digester

app = typer.Typer(no_args_is_help=True, help="Say where calls go.")

PolicyFiles = Annotated[
    list[Path] | None, typer.Option("--policy", "-p", help="Policy files; later ones override earlier ones.")
]
_REQUEST = 'JSON: {"host": …, "path": …, "headers": {…}, "body": {…}}'
RequestFile = Annotated[Path, typer.Argument(metavar="FILE", help=f"{_REQUEST}; - for standard input.")]
User = Annotated[str, typer.Option(help="The proxy user, or the client's address.")]
Admin = Annotated[
    str, typer.Option(help="host:port of a running proxy's admin port, whose checks of targets then count.")
]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, one object.")]


class Asked(BaseModel):
    """A request file."""

    model_config = ConfigDict(extra="forbid")

    method: str = "POST"
    host: str = Field(min_length=1)
    port: int = 443
    path: str = Field(pattern=r"/.*")
    headers: dict[str, str] = Field(default_factory=dict)
    body: Any = None


@dataclass(frozen=True, slots=True)
class Step:
    """One target in the order in which they are tried."""

    target: str
    where: str
    model: str
    dialect: str
    key: str
    price: str
    changes: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    check: str = ""
    """How it is asked beside all calls whether it works, and what that says."""
    problem: str = ""


@app.command()
def explain(
    file: RequestFile, policy: PolicyFiles = None, user: User = "", admin: Admin = "", json_: AsJson = False
) -> None:
    """Which targets a request would be sent to, in which order, why, changed how, and for how much.

    No provider is asked anything, and no key is read.
    """
    console = Console(highlight=False)
    try:
        runtime = _runtime(policy or [])
        runtime.checkups.update(checkups_at(admin) if admin else {})
        call = _call(_asked(file), runtime, user)
        fleet = Fleet(runtime, Board())
        quote = _quote(runtime)
        runtime.quotes.ask = quote if runtime.policy.file.cost.enabled else None  # as the proxy would
        planned = asyncio.run(fleet.plan(call))
        runtime.quotes.ask = quote
    except (OSError, ValueError, Refused) as e:  # a PolicyError is a ValueError
        console.print(Text(f"tollgate route explain: {e}", "red"), soft_wrap=True)
        raise typer.Exit(1) from e
    steps = [_step(target, call, fleet, planned.order[n]) for n, target in enumerate(planned.targets)]
    if json_:
        told = {
            "strategy": call.policy.route.strategy,
            "steps": [_plain(step) for step in steps],
            "passed_over": dict(planned.passed_over),
        }
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(console, call, planned, steps)


def _quote(runtime: Runtime) -> Quote:
    from tollgate.cost.desk import Desk  # the public prices take half a second to read

    return Desk(runtime).quote


# -- the call ----------------------------------------------------------------------------------------------


def _runtime(files: list[Path]) -> Runtime:
    policy = load(files)
    providers = Providers.builtin().with_hosts(policy.file.hosts)
    return Runtime(policy, providers, Path(), Digester(b""))


def _asked(file: Path) -> Asked:
    try:
        document = orjson.loads(read_bytes(file))
        if not isinstance(document, dict):
            raise ValueError(f"{file}: a request is {_REQUEST}")
        return Asked.model_validate(document)
    except orjson.JSONDecodeError as e:
        raise ValueError(f"{file}: this is no JSON: {e.msg} at line {e.lineno}") from e
    except ValidationError as e:
        slips = ((".".join(map(str, slip["loc"])), slip["msg"]) for slip in e.errors(include_input=False))
        told = "; ".join(f"{where}: {message}" for where, message in slips)
        raise ValueError(f"{file}: {told}. A request is {_REQUEST}") from e


def _call(asked: Asked, runtime: Runtime, user: str) -> Call:
    """The call that the gate would make of it."""
    match = runtime.providers.recognise(asked.host, asked.port, asked.method, asked.path)
    if match is None:
        raise ValueError(f"{asked.host} is no LLM host: add it under hosts of the policy")
    headers = CIMultiDict(asked.headers)
    text = asked.body if isinstance(asked.body, str) else "" if asked.body is None else json.dumps(asked.body)
    spoken = dialect(match.dialect, headers.get("anthropic-version", ""))
    body = Body(text.encode())
    if text:
        try:
            body.parse(spoken.shape)
        except BodyError as e:
            raise ValueError(str(e)) from e
    request = Request(asked.method, "https", asked.host, asked.port, asked.path, headers, body)
    model = spoken.model(body.json, match.params)
    identity = Identity(user=user, address="", tool=tool_of(headers.get("user-agent", "")))
    return Call(
        id="",
        time=time.time(),
        identity=identity,
        provider=match.provider.id,
        dialect=spoken,
        operation=match.operation,
        model=model,
        stream=spoken.streams(body.json, match.params),
        params=match.params,
        policy=runtime.policy.settings_for(_facts(asked, match, identity, headers, model, runtime)),
        client_request=request,
        request=request,
    )


def _facts(
    asked: Asked, match: Match, identity: Identity, headers: CIMultiDict[str], model: str, runtime: Runtime
) -> Facts:
    return Facts(
        user=identity.user,
        groups=runtime.policy.groups_of(identity.user),
        user_agent=headers.get("user-agent", ""),
        tool=identity.tool,
        host=asked.host,
        provider=match.provider.id,
        dialect=match.dialect,
        operation=match.operation,
        model=model,
        headers=headers,
    )


# -- what becomes of it ------------------------------------------------------------------------------------


def _price(fleet: Fleet, candidate: Candidate, call: Call) -> str:
    nanos = fleet.price(candidate, call)
    return "unknown" if nanos is None else f"about ${nanos / 1e9:.6f}"


def _step(target: Target, call: Call, fleet: Fleet, candidate: Candidate) -> Step:
    key = " or ".join(target.credentials) or "none"
    known = Step(
        target.name,
        target.host,
        target.model,
        dialect="",
        key=key,
        price=_price(fleet, candidate, call),
        check=_check(candidate.spec.settings.check, target.checkup),
    )
    try:
        leg = target.render(call)
    except Refused as e:
        return replace(known, problem=e.message)
    where, changes = leg.request.url.partition("?")[0], tuple(_changes(call, leg))
    return replace(known, where=where, dialect=leg.dialect.name, changes=changes, losses=leg.losses)


def _check(check: Check | None, checkup: Checkup | None) -> str:
    if check is None:
        return ""
    asked = f"checked by GET {check.path.partition('?')[0]} every {show_duration(check.every)}"
    if checkup is None:
        return asked
    return f"{asked}: left alone, for {checkup.problem}" if checkup.problem else f"{asked}, which it passes"


def _changes(call: Call, leg: Leg) -> list[str]:
    """What is another than in the client's request; of headers that may hold secrets only the names."""
    before, after = call.request, leg.request
    found = []
    if leg.back is not None:
        found.append(f"translated from {call.dialect.name} to {leg.dialect.name}")
    else:
        found += _members(_json(before), _json(after))
    gone = {name.lower() for name in before.headers} - {name.lower() for name in after.headers}
    new = {name.lower(): text for name, text in after.headers.items() if before.headers.get(name) != text}
    found += [f"header {name}: left out" for name in sorted(gone)]
    found += [
        f"header {name}: {'…' if name in SECRET_HEADERS else text}" for name, text in sorted(new.items())
    ]
    return found


def _json(request: Request) -> Any:
    try:
        return orjson.loads(request.body.render())
    except orjson.JSONDecodeError:
        return None


def _members(before: Any, after: Any, above: str = "") -> list[str]:
    """Members that differ, by their paths. Texts of a conversation never do."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return [] if before == after else [f"{above or 'body'}: {_short(before)} → {_short(after)}"]
    found = []
    for key in dict.fromkeys((*before, *after)):
        path = f"{above}.{key}" if above else str(key)
        if key not in after:
            found.append(f"{path}: left out")
        elif key not in before:
            found.append(f"{path}: {_short(after[key])}")
        else:
            found += _members(before[key], after[key], path)
    return found


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _plain(step: Step) -> Mapping[str, Any]:
    return {name: getattr(step, name) for name in Step.__dataclass_fields__}


def _show(console: Console, call: Call, planned: Planned, steps: list[Step]) -> None:
    route = call.policy.route
    console.print(
        Text(f"{call.operation} in {call.dialect.name}, model {call.model or '–'}, for {call.request.host}")
    )
    note = "where the client wanted, untouched, once" if route.idle else f"strategy {route.strategy}"
    table = Table(
        "", "target", "where", "model", "key", "price", title=f"Route: {note}", title_justify="left"
    )
    for number, step in enumerate(steps, 1):
        cells = (str(number), step.target, step.where, step.model, step.key, step.price)
        table.add_row(*map(Text, cells))
    console.print(table)
    for step in steps:
        for line in (step.problem, step.check, *step.changes, *(f"lost: {loss}" for loss in step.losses)):
            if line:
                style = "red" if line == step.problem else "yellow" if line.startswith("lost") else None
                console.print(Text(f"  {step.target}: {line}", style or ""), soft_wrap=True)
    for name, why in planned.passed_over:
        console.print(Text(f"  {name}: passed over, {why}", "dim"), soft_wrap=True)
