"""What the commands about money share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer

from support.ledgers import make_ledger, make_policy
from tollgate.cli.money import bar, count, moment, opened

NOW = datetime(2026, 11, 22, 17, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("month", "2026-11-01T00:00:00+00:00"),
        ("24h", "2026-11-21T17:00:00+00:00"),
        ("7 d", "2026-11-15T17:00:00+00:00"),
        ("2w", "2026-11-08T17:00:00+00:00"),
        ("99999999d", "1970-01-01T00:00:00+00:00"),
        ("1800-01-01", "1970-01-01T00:00:00+00:00"),
        ("2026-10-03", "2026-10-03T00:00:00+00:00"),
        ("2026-10-03T02:00+02:00", "2026-10-03T00:00:00+00:00"),
    ],
)
def test_times_are_written_as_people_say_them(text: str, expected: str) -> None:
    assert moment(text, NOW, UTC) == datetime.fromisoformat(expected).timestamp()


@pytest.mark.parametrize("text", ["", "yesterday", "7", "7y"])
def test_what_is_no_time_is_told_what_would_be(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write month, a span"):
        moment(text, NOW, UTC)


@pytest.mark.parametrize(
    ("values", "drawn"),
    [
        ((8,), "████████"),
        ((4,), "████"),
        ((1.5,), "█▌"),
        ((4, 4), "████████"),
        ((3.5, 1.5), "████▏"[:3] + "██"),
        ((0, 2), "██"),
        ((0.001,), "▏"),
        ((0,), ""),
        ((), ""),
        ((99,), "████████"),
    ],
)
def test_bars_are_as_long_as_their_values(values: tuple[float, ...], drawn: str) -> None:
    assert bar([(value, "") for value in values], 8, 8).plain == drawn


def test_a_bar_of_nothing_is_empty_and_its_parts_have_their_colours() -> None:
    assert bar([(1, "red")], 0, 8).plain == "▏"
    assert [span.style for span in bar([(4, "red"), (4, "blue")], 8, 8).spans] == ["red", "blue"]


@pytest.mark.parametrize(
    ("number", "shown"),
    [(840, "840"), (1_234, "1.2k"), (98_000, "98k"), (9_960_000, "9M"), (3 * 10**9, "3.0G")],
)
def test_counts_are_short(number: int, shown: str) -> None:
    assert count(number) == shown


def test_books_are_those_of_the_policy(tmp_path: Path) -> None:
    make_ledger(tmp_path)
    policy = make_policy(
        tmp_path, timezone="Europe/Berlin", prices={"currency": {"code": "EUR", "rate": 0.5}}
    )
    with opened([policy], tmp_path) as books:
        assert books.money.show(10**9) == "€0.50"
        assert str(books.zone) == "Europe/Berlin"
        assert books.database.execute("SELECT COUNT(*) FROM entries").fetchone() == (6,)


def test_a_ledger_of_its_own_place_is_found(tmp_path: Path) -> None:
    make_ledger(tmp_path)
    (tmp_path / "ledger.sqlite").rename(tmp_path / "money.sqlite")
    with opened([make_policy(tmp_path, ledger={"path": str(tmp_path / "money.sqlite")})], None) as books:
        assert books.policy.cost.enabled


@pytest.mark.parametrize(("file", "told"), [("", "There is no ledger at"), ("nowhere.yaml", "nowhere.yaml")])
def test_where_there_are_no_books_that_is_told(
    tmp_path: Path, file: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as e, opened([Path(file)] if file else [], tmp_path):
        pass

    assert e.value.exit_code == 2
    assert told in capsys.readouterr().err


def test_a_reader_that_has_all_it_wants_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_ledger(tmp_path)

    with pytest.raises(BrokenPipeError), opened([make_policy(tmp_path)], tmp_path):
        raise BrokenPipeError

    assert capsys.readouterr().err == ""
