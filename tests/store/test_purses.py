"""Purses: counters and reservations that processes share."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.store.purses import ALIVE, SCRIPT, Claim, Level, SqlitePurses, all_purses, fits, lives, machine
from tollgate.store.sqlite import open_sqlite

NOW = 1_800_000_000.0
ENDS = NOW + 3600
A = Claim("a", 100, firm=True, ends=ENDS)
B = Claim("b", 50, firm=True, ends=ENDS)
WATCHED = Claim("w", 10, firm=False, ends=ENDS)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    database = open_sqlite(tmp_path / "x.sqlite", SCRIPT, "ledger")
    yield database
    database.close()


def settle(purses: SqlitePurses, call: str, amount: int) -> int:
    """A call of purse A is over."""
    purses.release([("a", call)])
    return purses.spend(A, amount)


def test_what_is_held_and_spent_is_not_there_for_others(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)

    assert p.reserve("1", 60, [A], NOW).granted
    assert not p.reserve("2", 41, [A], NOW).granted
    assert settle(p, "1", 55) == 55
    assert p.reserve("2", 45, [A], NOW).levels == (Level(55, 0),)
    assert not p.reserve("3", 1, [A], NOW).granted


def test_all_claims_are_granted_or_none(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)

    assert not p.reserve("1", 60, [A, B], NOW).granted
    assert p.reserve("2", 100, [A], NOW).granted


def test_a_call_that_asks_again_holds_only_the_second(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.reserve("1", 90, [A], NOW)

    assert p.reserve("1", 100, [A], NOW).granted
    assert p.reserve("2", 0, [A], NOW).levels == (Level(0, 100),)


def test_a_limit_that_is_only_watched_stops_nobody(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.spend(WATCHED, 500)

    assert p.reserve("1", 60, [WATCHED], NOW).granted


def test_what_costs_nothing_fits_where_all_is_spent() -> None:
    assert fits(0, [A], [Level(200, 0)])
    assert not fits(1, [A], [Level(100, 0)])


def test_a_release_spends_nothing(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.reserve("1", 100, [A], NOW)

    p.release([("a", "1")])
    assert p.reserve("2", 100, [A], NOW).granted


def test_what_a_process_held_that_is_not_heard_of_is_let_go(database: sqlite3.Connection) -> None:
    SqlitePurses(database).reserve("1", 100, [A], NOW)
    other = SqlitePurses(database)

    assert not other.reserve("2", 1, [A], NOW + ALIVE - 1).granted
    assert other.reserve("2", 1, [A], NOW + ALIVE + 1).granted


def test_a_sign_of_life_keeps_what_is_held(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.reserve("1", 100, [A], NOW)
    p.beat(NOW + ALIVE - 1)

    assert not SqlitePurses(database).reserve("2", 1, [A], NOW + ALIVE + 1).granted


def test_what_a_killed_process_of_this_machine_held_is_let_go_at_once(database: sqlite3.Connection) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    database.execute("INSERT INTO owners VALUES ('dead', ?, ?, ?)", (machine(), child.pid, NOW + 1e6))
    database.execute("INSERT INTO holds VALUES ('a', '1', 'dead', 100)")
    p = SqlitePurses(database)
    before = p.reserve("2", 1, [A], NOW)
    child.kill()
    child.communicate()

    assert not before.granted
    assert p.reserve("2", 1, [A], NOW).granted


def test_a_process_of_another_machine_is_not_judged_by_its_number(database: sqlite3.Connection) -> None:
    database.execute("INSERT INTO owners VALUES ('far', 'elsewhere', ?, ?)", (2**22 + 5, NOW + 30))
    database.execute("INSERT INTO holds VALUES ('a', '1', 'far', 100)")
    p = SqlitePurses(database)

    assert not p.reserve("2", 1, [A], NOW).granted
    assert p.reserve("2", 1, [A], NOW + 31).granted


def test_a_process_that_ends_holds_nothing(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.reserve("1", 100, [A], NOW)
    p.leave()

    assert SqlitePurses(database).reserve("2", 100, [A], NOW).granted


def test_open_purses_are_shown_and_closed_ones_forgotten(database: sqlite3.Connection) -> None:
    p = SqlitePurses(database)
    p.spend(A, 30)
    p.reserve("2", 20, [A], NOW)
    p.correct("a", -5)

    assert all_purses(database, NOW) == [("a", 25, 100, ENDS, 20)]
    assert all_purses(database, ENDS) == []
    p.forget(ENDS + 1)
    assert database.execute("SELECT COUNT(*) FROM purses").fetchone() == (0,)


def test_who_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    assert lives(os.getpid())
    assert not lives(2**22 + 5)  # more than Linux counts to

    def kill(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert lives(1)


def test_a_machine_without_proc_has_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", missing)
    monkeypatch.setattr(os, "readlink", missing)

    assert machine().endswith("//")


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.booleans()), max_size=30))
def test_never_more_is_spent_than_the_limit_where_nobody_costs_more_than_held(
    calls: list[tuple[int, int, bool]],
) -> None:
    database = sqlite3.connect(":memory:", isolation_level=None)
    database.executescript(SCRIPT)
    p = SqlitePurses(database)
    spent, open_calls = 0, []
    for n, (held, cost, ends) in enumerate(calls):
        if p.reserve(str(n), held, [A], NOW).granted:
            open_calls.append((str(n), min(held, cost)))
        if ends and open_calls:
            call, amount = open_calls.pop(0)
            settle(p, call, amount)
            spent += amount

    assert spent <= A.limit
    assert sum(purse.spent for purse in all_purses(database, NOW)) == spent
    database.close()
