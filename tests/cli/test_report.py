"""tollgate report: the figures and how they look."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date, timedelta
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
def report(tmp_path: Path) -> Any:
    """Runs the command on a ledger, at a width; gives what it prints."""
    make_ledger(tmp_path)
    policy = make_policy(tmp_path)

    def run(*options: str, width: int = 120) -> str:
        arguments = ["report", "--state", str(tmp_path), "--policy", str(policy), *options]
        done = CliRunner().invoke(app, arguments, env={"COLUMNS": str(width)})
        assert done.exit_code == 0, done.output
        return done.output

    return run


def line(text: str, *words: str) -> str:
    """The one line in which all of the words stand."""
    (found,) = [line for line in text.splitlines() if all(word in line for word in words)]
    return found


def test_the_head_says_what_was_billed_what_plans_paid_and_what_was_saved(report: Any) -> None:
    told = report("--since", "1d")

    assert "$0.50" in line(told, "│  $1.00")  # billed, and paid by plans
    assert "saved  $0.60 by providers' prompt caches, $0.70 by our own cache" in told
    assert "1 calls have no known price, and are in no sum: tollgate cost reprice" in told
    assert "forecast for" in told


def test_each_dimension_has_its_lines_and_unknown_is_no_zero(report: Any) -> None:
    told = report("--since", "1d")

    assert "█" in line(told, " ann ", "4 calls")
    assert "$0.50" in line(told, " bob ", "1 calls")
    assert "1 unknown" in line(told, "corp-llm", "calls")
    assert "$" not in line(told, "corp-llm", "calls")
    assert "9.0k" not in told
    assert "(90% cached) → 500" in line(told, "claude-opus-5-5")
    assert "by project" not in told  # nobody named any


def test_only_what_is_asked_for_is_shown_and_the_rest_is_one_line(report: Any) -> None:
    told = report("--since", "1d", "--by", "model", "--by", "project", "--top", "1")

    assert "by user" not in told
    assert "2 calls" in line(told, "… and 2 more")
    assert "(none)" in told


def test_a_budget_that_the_policy_has_no_more_is_said_to_be_gone(tmp_path: Path) -> None:
    make_ledger(tmp_path)
    done = CliRunner().invoke(app, ["report", "--state", str(tmp_path)], env={"COLUMNS": "120"})

    assert "all  (not in this policy)" in done.output


def test_a_name_that_a_client_chose_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    make_ledger(tmp_path)
    database = open_sqlite(tmp_path / FILE, "", "ledger")
    ledger.add(database, [replace(ENTRY, id="x", time=time.time(), model="gpt\x1b[2J\n[/red]")])
    database.close()
    done = CliRunner().invoke(app, ["report", "--state", str(tmp_path)], env={"COLUMNS": "120"})

    assert done.exit_code == 0
    assert "gpt�[2J�[/red]" in done.output


def test_budgets_are_shown_the_fullest_first(report: Any) -> None:
    told = report()
    spent, low = line(told, "all ", "$0.11 of $0.10"), line(told, "team daily  team platform")

    assert told.index(spent) < told.index(low)
    assert "110%" in spent
    assert "81%" in low
    assert "a day until" in low


@pytest.mark.parametrize("width", [60, 80, 95, 120, 200])
def test_no_line_is_wider_than_the_terminal(report: Any, width: int) -> None:
    told = report("--since", "60d", width=width)

    assert max(map(len, told.splitlines())) <= width
    assert ("→" in told) is (width >= 100)


def test_many_days_are_shown_by_the_week(report: Any) -> None:
    assert "week of" in report("--since", "60d")
    assert "week of" not in report("--since", "30d")


def test_a_time_without_calls_says_so(report: Any) -> None:
    told = report("--since", (date.today() + timedelta(days=2)).isoformat())  # noqa: DTZ011

    assert "Nothing was spent in this time." in told
    assert "by user" not in told


def test_programs_get_everything(report: Any) -> None:
    told = json.loads(report("--since", "1d", "--json"))

    assert told["total"]["cost"] == 10**9
    assert told["by"]["user"]["bob"]["plans"] == 5 * 10**8
    assert [purse["budget"] for purse in told["budgets"]] == ["all", "team daily"]


def test_a_dimension_that_is_none_is_told(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["report", "--by", "planet", "--state", str(tmp_path)])

    assert done.exit_code == 2
    assert "planet is none of" in done.output
