"""The options of `tollgate up`."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tollgate.cli import serve as serving
from tollgate.cli.launch import Launch
from tollgate.cli.main import app


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Launch]:
    launched: list[Launch] = []
    monkeypatch.setattr(serving, "serve", launched.append)
    return launched


def test_it_runs_without_any_option(launched: list[Launch]) -> None:
    assert CliRunner().invoke(app, ["up"]).exit_code == 0
    assert launched == [Launch("127.0.0.1:8080", [], None, None, "127.0.0.1:8081", [], [], 10.0, False)]


def test_every_option_arrives(launched: list[Launch]) -> None:
    options = (
        "--listen h:1 --policy a --policy b --state s --certs c --admin h:2 -s x -s y --set k=v --grace 3"
    )

    assert CliRunner().invoke(app, ["up", "-q", *options.split()]).exit_code == 0
    [launch] = launched
    assert launch == Launch(
        listen="h:1",
        policy=[Path("a"), Path("b")],
        state=Path("s"),
        certs=Path("c"),
        admin="h:2",
        scripts=[Path("x"), Path("y")],
        settings=["k=v"],
        grace=3.0,
        quiet=True,
    )
