"""The options of `tollgate run`, `record` and `replay`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tollgate.cli import child
from tollgate.cli.launch import Launch
from tollgate.cli.main import app

type Ran = tuple[Launch, list[str], dict[str, Any]]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[Ran]:
    ran: list[Ran] = []

    def note(launch: Launch, command: Sequence[str], cassettes: Mapping[str, Any]) -> int:
        ran.append((launch, list(command), dict(cassettes)))
        return 7

    monkeypatch.setattr(child, "run_behind", note)
    return ran


def cassettes(folder: str = "cassettes", mode: str = "none", **more: Any) -> dict[str, Any]:
    names = {"mode": mode, "pace": "at_once", "ignore": [], **more}
    return {"tollgate_cassettes": folder, **{f"tollgate_cassette_{name}": v for name, v in names.items()}}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("run", {}),
        ("record", cassettes(mode="new", unredacted=False)),
        ("replay", cassettes()),
        (
            "record --cassettes c --mode once --pace original --ignore a --ignore b.c --unredacted",
            cassettes("c", "once", pace="original", ignore=["a", "b.c"], unredacted=True),
        ),
        ("replay --cassettes c --pace original --ignore a", cassettes("c", pace="original", ignore=["a"])),
    ],
)
def test_a_command_runs_with_its_own_options(ran: list[Ran], options: str, expected: dict[str, Any]) -> None:
    common = "--policy p --state s --certs c --set k=v"

    result = CliRunner().invoke(
        app, [*options.split(), *common.split(), "--", "pytest", "-x", "--policy", "q"]
    )

    assert result.exit_code == 7
    [(launch, command, told)] = ran
    assert command == ["pytest", "-x", "--policy", "q"]
    assert told == expected
    assert (launch.listen, launch.admin, launch.quiet) == ("127.0.0.1:0", "", True)
    assert (launch.policy, launch.state, launch.certs) == ([Path("p")], Path("s"), Path("c"))
    assert launch.settings == ["k=v"]


def test_the_dashes_may_be_left_out(ran: list[Ran]) -> None:
    CliRunner().invoke(app, ["run", "claude", "-p", "hello"])

    assert ran[0][1] == ["claude", "-p", "hello"]


@pytest.mark.parametrize("command", ["run", "record", "replay"])
def test_without_a_command_there_is_nothing_to_run(ran: list[Ran], command: str) -> None:
    assert CliRunner().invoke(app, [command]).exit_code == 2
    assert ran == []
