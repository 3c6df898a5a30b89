"""The till: one thread that reserves and settles, beside those of other processes."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support import tills
from support.costs import until
from support.tills import EACH, KEEP, LIMIT, entry, share
from tollgate.cost import till as module
from tollgate.cost.till import Settlement, Spent, Till
from tollgate.store import StateError

PROCESS = Path(tills.__file__)
SHARE = share(time.time())
CLAIMS = [SHARE.claim]


class Heard:
    """A till with what it told."""

    def __init__(self, path: Path) -> None:
        self.spent: list[Spent] = []
        self.reports: list[str] = []
        self.path = path
        self.till = Till(path, KEEP, self.spent.append, self.reports.append)


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[Heard]:
    heard = Heard(tmp_path / "ledger.sqlite")
    yield heard
    heard.till.close()


def ask(path: Path, query: str) -> list[tuple[object, ...]]:
    database = sqlite3.connect(path, timeout=10)
    rows = database.execute(query).fetchall()
    database.close()
    return rows


def break_ledger(path: Path) -> None:
    """From now on nobody can write an entry."""
    database = sqlite3.connect(path, timeout=10)
    database.execute(
        "CREATE TRIGGER full BEFORE INSERT ON entries BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    )
    database.commit()
    database.close()


def mend_ledger(path: Path) -> None:
    database = sqlite3.connect(path, timeout=10)
    database.execute("DROP TRIGGER full")
    database.commit()
    database.close()


async def test_a_call_holds_then_spends_and_its_rows_are_there(heard: Heard) -> None:
    reserved = await heard.till.reserve("1", LIMIT, CLAIMS)
    refused = await heard.till.reserve("2", 1, CLAIMS)
    heard.till.settle(Settlement("1", [entry("1", 70)], [SHARE]))
    await until(lambda: heard.spent)

    assert (reserved.granted, refused.granted) == (True, False)
    assert heard.spent == [Spent(SHARE, 0, 70)]
    assert ask(heard.path, "SELECT id, charged FROM entries") == [("1", 70)]
    assert ask(heard.path, "SELECT COUNT(*) FROM holds") == [(0,)]


async def test_only_budgets_that_count_what_was_paid_so_are_spent_from(heard: Heard) -> None:
    """A call whose plan leads to what a subscription pays, and to what is billed, holds on both."""
    plans = replace(SHARE, budget=SHARE.budget.model_copy(update={"counts": "subscription"}))
    plans = replace(plans, claim=replace(SHARE.claim, purse="plans"))
    await heard.till.reserve("1", EACH, [SHARE.claim, plans.claim])
    heard.till.settle(Settlement("1", [replace(entry("1"), paid="subscription")], [SHARE, plans]))
    await until(lambda: heard.spent)

    assert heard.spent == [Spent(plans, 0, EACH)]
    assert (await heard.till.reserve("2", 1, CLAIMS)).levels == ((0, 0),)


async def test_the_same_call_settled_twice_is_spent_once(heard: Heard) -> None:
    await heard.till.reserve("1", EACH, CLAIMS)
    for _ in range(2):
        heard.till.settle(Settlement("1", [entry("1")], [SHARE]))
    await until(lambda: heard.spent)

    assert (await heard.till.reserve("2", 1, CLAIMS)).levels[0] == (EACH, 0)


async def test_who_would_be_refused_is_told_what_was_settled_meanwhile(heard: Heard) -> None:
    """Calls that are over hold what they held until they are written, which is more than they cost."""
    await heard.till.reserve("1", LIMIT, CLAIMS)
    heard.till.settle(Settlement("1", [entry("1")], [SHARE]))

    assert (await heard.till.reserve("2", LIMIT - EACH, CLAIMS)).granted


async def test_what_is_let_go_of_is_there_at_once(heard: Heard) -> None:
    await heard.till.reserve("1", LIMIT, CLAIMS)
    heard.till.settle(Settlement("1", (), [SHARE]))

    assert (await heard.till.reserve("2", LIMIT, CLAIMS)).granted


async def test_a_client_that_leaves_while_it_waits_leaves_nothing_held(heard: Heard) -> None:
    waiting = asyncio.ensure_future(heard.till.reserve("1", LIMIT, CLAIMS))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    heard.till.settle(Settlement("1", (), [SHARE]))

    assert (await heard.till.reserve("2", LIMIT, CLAIMS)).granted


async def test_closing_writes_what_waits_and_lets_go_of_what_is_held(tmp_path: Path) -> None:
    heard = Heard(tmp_path / "ledger.sqlite")
    await heard.till.reserve("1", LIMIT, CLAIMS)
    heard.till.settle(Settlement("2", [entry("2")], [SHARE]))
    heard.till.close()

    assert ask(heard.path, "SELECT id FROM entries") == [("2",)]
    assert (
        ask(heard.path, "SELECT COUNT(*) FROM holds")
        == ask(heard.path, "SELECT COUNT(*) FROM owners")
        == [(0,)]
    )


async def test_while_the_ledger_cannot_be_written_nothing_is_granted_and_nothing_is_lost(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.01)
    await heard.till.reserve("1", LIMIT, CLAIMS)
    break_ledger(heard.path)
    heard.till.settle(Settlement("1", [entry("1")], [SHARE]))
    with pytest.raises(StateError, match="disk is full"):
        await heard.till.reserve("2", 1, CLAIMS)
    assert not heard.till.healthy

    mend_ledger(heard.path)
    await until(lambda: heard.spent)

    assert ask(heard.path, "SELECT id FROM entries") == [("1",)]
    assert heard.till.healthy
    assert [report.partition(" be ")[0].rpartition(" ")[2] for report in heard.reports] == ["cannot", "can"]
    assert heard.till.lost == 0


@pytest.mark.parametrize("another", [False, True])
async def test_a_ledger_that_is_removed_is_told_and_grants_nothing(heard: Heard, another: bool) -> None:
    heard.path.unlink()
    if another:
        heard.path.touch()

    with pytest.raises(StateError, match="was removed while it was in use"):
        await heard.till.reserve("call", EACH, CLAIMS)

    assert not heard.till.healthy
    assert "start Tollgate again" in heard.reports[0]


async def test_a_ledger_that_stays_broken_is_tried_now_and_then(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY", 0.1)
    tries: list[float] = []
    failed = heard.till._failed

    def fails(*told: Any, **more: Any) -> None:
        tries.append(time.monotonic())
        failed(*told, **more)

    monkeypatch.setattr(heard.till, "_failed", fails)
    break_ledger(heard.path)
    heard.till.settle(Settlement("1", [entry("1")]))
    await until(lambda: len(tries) >= 3)
    mend_ledger(heard.path)
    await until(lambda: heard.till.healthy)

    assert min(after - before for before, after in pairwise(tries)) >= 0.1


async def test_a_thread_that_is_gone_keeps_nobody_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LONGEST", 0.05)
    till = tills.make_till(tmp_path / "ledger.sqlite")
    till.close()

    with pytest.raises(StateError, match=r"did not answer in 0\.05 s"):
        await till.reserve("1", 1, CLAIMS)


async def test_what_cannot_be_written_when_it_closes_is_lost_and_counted(tmp_path: Path) -> None:
    heard = Heard(tmp_path / "ledger.sqlite")
    break_ledger(heard.path)
    heard.till.settle(Settlement("1", [entry("1")]))
    heard.till.close()

    assert heard.till.lost == 1
    assert "cannot be written" in heard.reports[0]


async def test_more_than_can_wait_is_counted_as_lost(heard: Heard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 2)
    monkeypatch.setattr(module, "RETRY", 0.01)
    break_ledger(heard.path)
    for n in range(5):
        heard.till.settle(Settlement(str(n), [entry(str(n))]))
    await until(lambda: heard.till.lost == 3)
    mend_ledger(heard.path)

    await until(lambda: len(ask(heard.path, "SELECT id FROM entries")) == 2)


async def test_signs_of_life_are_given_while_something_is_held(
    heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEAT", 0.05)
    await heard.till.reserve("1", 1, CLAIMS)
    before = ask(heard.path, "SELECT expires FROM owners")

    await until(lambda: ask(heard.path, "SELECT expires FROM owners") > before)


async def test_what_is_too_old_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    first = Heard(path)
    first.till.settle(Settlement("1", [entry("1", moment=1000.0)], [SHARE]))
    first.till.close()
    Till(path, (1.0, 1.0), lambda spent: None, print, clock=lambda: time.time() + 1e8).close()

    for table in ("entries", "hours", "purses"):
        assert ask(path, f"SELECT COUNT(*) FROM {table}") == [(0,)]


async def test_a_loop_that_is_closed_is_told_nothing(heard: Heard) -> None:
    other = asyncio.new_event_loop()
    await asyncio.to_thread(other.run_until_complete, heard.till.reserve("1", 5, CLAIMS))
    other.close()
    heard.till.settle(Settlement("1", [entry("1")], [SHARE]))

    await until(lambda: ask(heard.path, "SELECT id FROM entries"))


def test_a_ledger_that_cannot_be_opened_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "ledger.sqlite").mkdir()

    with pytest.raises(StateError):
        tills.make_till(tmp_path / "ledger.sqlite")


def test_four_processes_with_two_hundred_calls_each_never_overspend(tmp_path: Path) -> None:
    path = tmp_path / "ledger.sqlite"
    command = [sys.executable, str(PROCESS), str(path), "overspend", "200"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    granted = [int(process.communicate(timeout=60)[0]) for process in processes]

    assert sum(granted) == LIMIT // EACH
    assert ask(path, "SELECT spent FROM purses") == [(LIMIT,)]
    assert ask(path, "SELECT COUNT(*), SUM(charged) FROM entries") == [(LIMIT // EACH, LIMIT)]
    assert ask(path, "SELECT calls, cost FROM hours") == [(LIMIT // EACH, LIMIT)]


async def test_a_killed_process_loses_no_settled_row_and_what_it_held_is_let_go(heard: Heard) -> None:
    process = subprocess.Popen(
        [sys.executable, str(PROCESS), str(heard.path), "hold"], stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.to_thread(process.stdout.readline) == b"held\n"
    before = await heard.till.reserve("mine", 1, CLAIMS)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=10)
    after = await heard.till.reserve("mine", LIMIT - EACH, CLAIMS)

    assert not before.granted
    assert before.levels[0] == (EACH, LIMIT - EACH)
    assert after.granted
    assert ask(heard.path, "SELECT id, charged FROM entries") == [("settled", EACH)]


async def test_an_entry_that_can_never_be_written_stops_no_other(heard: Heard) -> None:
    bad = [replace(entry("1"), user="\ud800"), replace(entry("2"), cost=10**30)]
    await heard.till.reserve("0", LIMIT, CLAIMS)
    heard.till.settle(Settlement("0", bad, [SHARE]))
    heard.till.settle(Settlement("3", [entry("3")]))
    await until(lambda: ask(heard.path, "SELECT id FROM entries"))

    assert (await heard.till.reserve("4", LIMIT, CLAIMS)).granted
    assert ask(heard.path, "SELECT id FROM entries") == [("3",)]
    assert (heard.till.lost, heard.till.healthy, len(heard.reports)) == (2, True, 2)


async def test_many_calls_at_once_share_transactions(heard: Heard) -> None:
    claims = [replace(SHARE.claim, limit=10**9)]
    granted = await asyncio.gather(*(heard.till.reserve(str(n), 1, claims) for n in range(500)))

    assert all(each.granted for each in granted)
