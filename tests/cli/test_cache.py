"""tollgate cache, as a person sees it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

from tollgate.cache.entry import Entry, Piece, compressor, to_bytes
from tollgate.cache.shelf import COUNTS
from tollgate.cli import cache
from tollgate.cli.cache import _age, _size
from tollgate.cli.main import app
from tollgate.store import Blobs, load_key

ENTRY = Entry(
    created=0.0,
    ttl=3600.0,
    dialect="openai-chat",
    provider="openai",
    operation="chat",
    model="gpt-6",
    answered_model="gpt-6-2026",
    body=b'{"choices":[{"message":{"content":"hello"}}]}',
    usage={"input": 3},
    tag="docs",
    tokens=("qzxsaaaaaaaaaa",),
)
CHUNK = b'{"choices":[{"index":0,"delta":{"content":"streamed"},"finish_reason":"stop"}]}'

type Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command on a state folder with three answers: of now, of an hour ago and of two days ago."""
    now = time.time()
    blobs = Blobs(tmp_path / "answers", load_key(tmp_path))
    stream = replace(
        ENTRY, created=now - 3700, model="claude-x", body=b"", pieces=(Piece(0, "", CHUNK),), tag=""
    )
    for name, entry in (
        ("aaaa", replace(ENTRY, created=now)),
        ("bbbb", stream),
        ("bbcc", replace(ENTRY, created=now - 2 * 86400 - 5, body=b"no json", model="")),
    ):
        blobs.put(name, to_bytes(entry, compressor()), 7200.0, entry.tag)
    blobs.put("other", b"no entry", 7200.0)
    blobs.put(COUNTS, b'{"hit": 3, "stored": 1}', 7200.0)
    blobs.close()
    return lambda *words, **more: CliRunner().invoke(
        app, ["cache", words[0], "--state", str(tmp_path), *words[1:]], env={"COLUMNS": "120"}, **more
    )


def test_stats_say_how_much_is_there_and_of_what_use_it_was(run: Run) -> None:
    told = run("stats").output

    assert "3 answers" in told
    assert "75% of 4 calls were answered from here" in told
    assert "gpt-6" in told
    assert "claude-x" in told


def test_stats_for_machines(run: Run) -> None:
    told = json.loads(run("stats", "--json").output)

    assert (told["entries"], told["counts"]) == (3, {"hit": 3, "stored": 1})
    assert told["models"] == {"gpt-6": 1, "claude-x": 1, "": 1}


def test_ls_shows_the_newest_first(run: Run) -> None:
    told = run("ls").output

    assert told.index("aaaa") < told.index("bbbb") < told.index("bbcc")
    assert "stream" in told
    assert "docs" in told
    assert "1 h" in told


@pytest.mark.parametrize(
    ("choice", "ids"), [(("--model", "GPT-*"), ["aaaa"]), (("--tag", "docs"), ["aaaa", "bbcc"])]
)
def test_ls_of_a_choice_for_machines(run: Run, choice: tuple[str, str], ids: list[str]) -> None:
    lines = run("ls", "--json", *choice).output.splitlines()

    assert [json.loads(line)["id"] for line in lines] == ids


def test_show_says_all_but_the_answer(run: Run) -> None:
    told = run("show", "aa").output

    assert "gpt-6-2026" in told
    assert "input 3" in told
    assert "hello" not in told


@pytest.mark.parametrize(
    ("name", "content"), [("aa", "hello"), ("bbbb", "streamed"), ("bbcc", "cannot be shown")]
)
def test_show_has_the_answer_where_that_is_wanted(run: Run, name: str, content: str) -> None:
    assert content in run("show", name, "--content").output


@pytest.mark.parametrize("name", ["bb", "zz"])
def test_show_needs_one_id(run: Run, name: str) -> None:
    told = run("show", name)

    assert told.exit_code == 1
    assert "begins with" in told.output


@pytest.mark.parametrize(
    ("choice", "left"),
    [
        ((), []),
        (("--model", "gpt-*"), ["bbbb", "bbcc"]),
        (("--tag", "docs"), ["bbbb"]),
        (("--older", "1 d"), ["aaaa", "bbbb"]),
        (("--older", "30 m", "--model", "claude*"), ["aaaa", "bbcc"]),
    ],
)
def test_clear_lets_go_of_what_is_chosen(run: Run, choice: tuple[str, ...], left: list[str]) -> None:
    assert run("clear", "--yes", *choice).exit_code == 0

    told = run("ls", "--json").output
    assert sorted(json.loads(line)["id"] for line in told.splitlines()) == left


def test_clear_asks_first(run: Run) -> None:
    assert run("clear", input="n\n").exit_code == 1
    assert "3 answers" in run("stats").output
    assert "3 answers let go of" in run("clear", input="y\n").output
    assert "Nothing is kept" in run("ls").output


def test_a_script_is_told_how_to_clear_without_a_question(run: Run) -> None:
    told = run("clear")

    assert told.exit_code == 1
    assert "add --yes" in told.output
    assert "3 answers" in run("stats").output


def test_ctrl_c_at_a_terminal_needs_no_advice(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    told = run("clear")

    assert told.exit_code == 1
    assert "Aborted" in told.output
    assert "--yes" not in told.output


@pytest.mark.parametrize("option", ["--tag", "--model", "--older"])
def test_an_empty_choice_does_not_mean_all(run: Run, option: str) -> None:
    told = run("clear", "--yes", option, "")

    assert told.exit_code == 2
    assert "this is empty" in told.output
    assert "3 answers" in run("stats").output


def test_clear_wants_a_duration(run: Run) -> None:
    told = run("clear", "--older", "long ago")

    assert told.exit_code == 2
    assert "a duration is" in told.output


def test_where_nothing_was_ever_kept_nothing_is_made(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["cache", "stats", "--state", str(tmp_path)])

    assert told.exit_code == 1
    assert "Nothing was ever kept" in told.output
    assert not (tmp_path / "answers").exists()


def test_a_policy_that_is_not_valid_is_told(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("cache: {enabled: maybe}")

    told = CliRunner().invoke(
        app, ["cache", "ls", "--policy", str(tmp_path / "p.yaml"), "--state", str(tmp_path)]
    )

    assert told.exit_code == 1
    assert "cache.enabled" in told.output


@pytest.mark.parametrize("lines", ["no json", '{"url": "https://api.openai.com/v1/x"}'])
def test_warm_says_which_line_is_wrong(tmp_path: Path, lines: str) -> None:
    (tmp_path / "calls.jsonl").write_text(f"\n{lines}\n")

    told = CliRunner().invoke(app, ["cache", "warm", str(tmp_path / "calls.jsonl")])

    assert told.exit_code == 1
    assert "calls.jsonl:2" in told.output


def test_warm_tells_what_came_of_each_line(tmp_path: Path) -> None:
    (tmp_path / "calls.jsonl").write_text('{"url": "https://api.openai.com/v1/x", "body": {}}\n')

    told = CliRunner().invoke(
        app, ["cache", "warm", str(tmp_path / "calls.jsonl"), "--proxy", "http://127.0.0.1:9"]
    )

    assert told.exit_code == 1
    assert "line 1: ClientProxyConnectionError" in told.output
    assert "1 failed" in told.output


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 B"), (999, "999 B"), (2048, "2 KB"), (5 * 2**20, "5 MB"), (3 * 2**30, "3 GB")]
)
def test_sizes_are_short(size: int, told: str) -> None:
    assert _size(size) == told


@pytest.mark.parametrize(
    ("seconds", "told"), [(-1, "0 s"), (5, "5 s"), (90, "1 m"), (7200, "2 h"), (200_000, "2 d")]
)
def test_ages_are_short(seconds: float, told: str) -> None:
    assert _age(seconds) == told
