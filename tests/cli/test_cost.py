"""tollgate cost: reprice, export, budgets."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from support.ledgers import ENTRY, make_ledger, make_policy
from tollgate.cli.main import app
from tollgate.cost import ledger
from tollgate.cost.ledger import FILE
from tollgate.store.sqlite import open_sqlite


@pytest.fixture
def cost(tmp_path: Path) -> Any:
    """Runs a command on a ledger; gives what it prints."""
    make_ledger(tmp_path)

    def run(*arguments: str, **policy: Any) -> str:
        options = ["--state", str(tmp_path), "--policy", str(make_policy(tmp_path, **policy))]
        done = CliRunner().invoke(app, ["cost", *arguments, *options], env={"COLUMNS": "120"})
        assert done.exit_code == 0, done.output
        return done.output

    return run


OVERLAY = """
prices:
  - provider: corp
    model: corp-llm
    prices: {input: 1, cache_read: 1, output: 2}
"""


def test_what_is_unknown_is_told_by_its_model(cost: Any) -> None:
    told = cost("reprice")

    assert told.startswith("0 entries priced anew")
    assert "unknown corp/corp-llm: 1" in told


def test_a_model_whose_name_looks_like_markup_is_told_as_it_is(cost: Any, tmp_path: Path) -> None:
    database = open_sqlite(tmp_path / FILE, "", "ledger")
    unknown = replace(ENTRY, id="x", time=1e9, cost=None, model="[/]\x1b[2J", asked="", provider="corp")
    ledger.add(database, [unknown])
    database.close()

    assert "unknown corp/[/]�[2J: 1" in cost("reprice")


def test_what_has_a_price_now_is_priced(cost: Any, tmp_path: Path) -> None:
    (tmp_path / "prices.yaml").write_text(OVERLAY)
    told = cost("reprice", prices={"overlays": [str(tmp_path / "prices.yaml")]})
    report = json.loads(cost_report(tmp_path))

    assert told.startswith("1 entry priced anew, +$0.011")
    assert (report["total"]["unknown"], report["total"]["cost"]) == (0, 10**9 + 11_000_000)


def cost_report(folder: Path) -> str:
    done = CliRunner().invoke(app, ["report", "--since", "1d", "--json", "--state", str(folder)])
    return done.output


def test_price_files_that_are_none_are_told(tmp_path: Path) -> None:
    make_ledger(tmp_path)
    (tmp_path / "prices.yaml").write_text("prices: [{modle: x}]")
    policy = make_policy(tmp_path, prices={"overlays": [str(tmp_path / "prices.yaml")]})
    arguments = ["cost", "reprice", "--state", str(tmp_path), "--policy", str(policy)]
    done = CliRunner().invoke(app, arguments)

    assert done.exit_code == 2
    assert "prices.yaml:1" in done.output


def test_rows_are_written_to_a_file_or_printed(cost: Any, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    printed = cost("export", "--since", "60d", "--until", "1d")
    cost("export", "--since", "60d", "-o", str(out))

    assert [row["user"] for row in csv.DictReader(printed.splitlines())] == ["ann"]
    assert len(list(csv.DictReader(out.read_text().splitlines()))) == 6


@pytest.mark.parametrize(
    ("option", "value"), [("--since", "tomorrow"), ("--until", "2020-01-01"), ("--until", "x")]
)
def test_a_time_that_is_none_is_told_with_its_option(option: str, value: str, tmp_path: Path) -> None:
    make_ledger(tmp_path)
    done = CliRunner().invoke(app, ["cost", "export", "--state", str(tmp_path), option, value])

    assert done.exit_code == 2
    assert f"Invalid value for {option}" in done.output


def test_the_other_formats(cost: Any) -> None:
    lines = [json.loads(line) for line in cost("export", "--since", "1d", "-f", "jsonl").splitlines()]
    focus = list(csv.DictReader(cost("export", "--since", "1d", "--format", "focus").splitlines()))

    assert len(lines) == 5
    assert {row["ServiceCategory"] for row in focus} == {"AI and Machine Learning"}


def test_budgets_whose_windows_are_open_are_shown(cost: Any) -> None:
    assert "$0.81 of $1.00" in cost("budgets")


def test_where_none_is_open_that_is_said(cost: Any, tmp_path: Path) -> None:
    import sqlite3

    with sqlite3.connect(tmp_path / "ledger.sqlite") as database:
        database.execute("DELETE FROM purses")
    database.close()

    assert cost("budgets") == "No budget was spent from in a window that is open.\n"
