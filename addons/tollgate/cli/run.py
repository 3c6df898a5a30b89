"""`tollgate run`, `record` and `replay`: a command whose LLM calls go through a proxy of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tollgate.cli.launch import Launch
from tollgate.cli.up import Certs, PolicyFiles, Set, State

BEFORE_A_COMMAND = {"allow_interspersed_args": False}
"""Options stand before the command; what stands behind its name is its own."""

Command = Annotated[list[str], typer.Argument(metavar="COMMAND…", help="What to run, behind `--`.")]
Cassettes = Annotated[Path, typer.Option(help="The folder of recordings.")]
RecordMode = Annotated[
    Literal["new", "once"],
    typer.Option(help="new: record what is not recorded. once: only where the folder is empty."),
]
Pace = Annotated[
    Literal["at_once", "original"], typer.Option(help="How fast streams are given, once they are recorded.")
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="What of requests need not be as recorded: body.system.text."),
]
Unredacted = Annotated[
    bool, typer.Option("--unredacted", help="Record calls that the policy does not redact, as they are.")
]


def run(
    command: Command, policy: PolicyFiles = None, state: State = None, certs: Certs = None, set_: Set = None
) -> None:
    """Run a command behind a proxy that lives as long as it: tollgate run -- claude"""
    _run(_launch(policy, state, certs, set_), command)


def record(
    command: Command,
    cassettes: Cassettes = Path("cassettes"),
    mode: RecordMode = "new",
    pace: Pace = "at_once",
    ignore: Ignore = None,
    unredacted: Unredacted = False,
    policy: PolicyFiles = None,
    state: State = None,
    certs: Certs = None,
    set_: Set = None,
) -> None:
    """Record a command's LLM calls, redacted, as files for a repository: tollgate record -- pytest"""
    options = _options(cassettes, mode, pace, ignore) | {"tollgate_cassette_unredacted": unredacted}
    _run(_launch(policy, state, certs, set_), command, options)


def replay(
    command: Command,
    cassettes: Cassettes = Path("cassettes"),
    pace: Pace = "at_once",
    ignore: Ignore = None,
    policy: PolicyFiles = None,
    state: State = None,
    certs: Certs = None,
    set_: Set = None,
) -> None:
    """Answer a command's LLM calls from recordings; nobody is connected to: tollgate replay -- pytest"""
    _run(_launch(policy, state, certs, set_), command, _options(cassettes, "none", pace, ignore))


def _launch(
    policy: list[Path] | None, state: Path | None, certs: Path | None, settings: list[str] | None
) -> Launch:
    """On a port that is free."""
    return Launch("127.0.0.1:0", policy or [], state, certs, "", [], settings or [], grace=2.0, quiet=True)


def _options(cassettes: Path, mode: str, pace: str, ignore: list[str] | None) -> dict[str, Any]:
    return {
        "tollgate_cassettes": str(cassettes),
        "tollgate_cassette_mode": mode,
        "tollgate_cassette_pace": pace,
        "tollgate_cassette_ignore": ignore or [],
    }


def _run(launch: Launch, command: list[str], cassettes: dict[str, Any] | None = None) -> None:
    from tollgate.cli.child import run_behind  # mitmproxy takes two seconds to import

    raise typer.Exit(run_behind(launch, command, cassettes or {}))
