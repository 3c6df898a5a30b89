"""Leases: one holder among threads and processes, and none once that one is gone."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import pytest

from tollgate.store import FileLeases, StateError
from tollgate.store import leases as module

POSIX = """
import fcntl
for name in [name for name in vars(fcntl) if name.startswith("F_OFD")]:
    delattr(fcntl, name)  # as where there are none
"""
HOLDER = """
import sys
from pathlib import Path
from tollgate.store import FileLeases
leases = FileLeases(Path(sys.argv[1]))
for line in sys.stdin:
    word, name = line.split()
    if word == "take":
        held = leases.take(name)
        print("taken" if held else "refused", flush=True)
    elif word == "release":
        held.release()
        print("released", flush=True)
    elif word == "look":
        print("alone" if leases.look() else "done", flush=True)
    elif word == "wait":
        with leases.waiting(name):
            print("waiting", flush=True)
            sys.stdin.readline()
        print("gone", flush=True)
"""
RACER = """
import sys
from pathlib import Path
from tollgate.store import FileLeases, leases as module
module._COMPANY = 0.0  # so that who is left is alone again at once
leases, log = FileLeases(Path(sys.argv[1])), open(sys.argv[2], "ab", buffering=0)
for number in range(int(sys.argv[3])):
    while (lease := leases.take("one")) is None:
        pass
    with lease:
        log.write(b"(")
        leases.look()
        log.write(b")")
"""


class Other:
    """Another process that takes leases of the same file."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def say(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()


@contextmanager
def another(path: Path, before: str = "") -> Iterator[Other]:
    command = [sys.executable, "-c", before + HOLDER, str(path)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Other(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "leases"


@pytest.fixture
def leases(path: Path) -> Iterator[FileLeases]:
    with closing(FileLeases(path)) as opened:
        yield opened


def test_a_lease_is_had_once(leases: FileLeases) -> None:
    lease = leases.take("a")

    assert lease is not None
    assert lease.name == "a"
    assert leases.take("a") is None
    assert leases.take("b") is not None


def test_a_lease_that_was_released_can_be_had_again(leases: FileLeases) -> None:
    first = leases.take("a")
    assert first is not None
    first.release()
    second = leases.take("a")
    first.release()

    assert second is not None
    assert leases.take("a") is None


def test_a_block_holds_a_lease_to_its_end(leases: FileLeases) -> None:
    lease = leases.take("a")
    assert lease is not None
    with suppress(KeyError), lease:
        assert leases.take("a") is None
        raise KeyError

    assert leases.take("a") is not None


@pytest.mark.parametrize("company", [False, True])
def test_many_are_released_at_once_and_no_others(leases: FileLeases, path: Path, company: bool) -> None:
    with ExitStack() as stack:
        if company:
            stack.enter_context(closing(FileLeases(path)))
        held = {name: leases.take(name) for name in map(str, range(300))}
        ended, kept = [name for name in held if int(name) % 3], [name for name in held if not int(name) % 3]
        leases.release(lease for name in ended if (lease := held[name]))

        other = stack.enter_context(closing(FileLeases(path)))
        leases.look()
        assert [name for name in held if other.take(name)] == ended
        leases.release(lease for name in held if (lease := held[name]))  # with some that are released already
        assert all(other.take(name) for name in kept)
        assert not any(leases.take(name) for name in held)


def test_one_of_another_file_is_released_there(leases: FileLeases, path: Path, tmp_path: Path) -> None:
    with closing(FileLeases(tmp_path / "other")) as before, closing(FileLeases(path)) as judge:
        old, ours, same = before.take("old"), leases.take("one"), leases.take("old")
        assert same is not None

        leases.release(lease for lease in (old, ours) if lease)

        assert before.take("old")
        assert judge.take("one")
        assert judge.take("old") is None


def test_neighbours_are_told_apart(leases: FileLeases, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    last = 2**62 - 1
    places = {"first": 0, "second": 16, "last": last}  # of two files
    places |= {f"near {n}": 16 * n for n in range(2, 5)}
    monkeypatch.setattr("tollgate.store.leases._place", places.__getitem__)
    with closing(FileLeases(path)) as other:
        held = {name: lease for name in places if (lease := leases.take(name))}
        leases.release([held["second"], held["near 3"]])

        assert {name for name in places if other.take(name)} == {"second", "near 3"}


def test_two_that_opened_the_file_do_not_share(leases: FileLeases, path: Path) -> None:
    with closing(FileLeases(path)) as other:
        lease = leases.take("a")
        assert other.take("a") is None
    assert lease is not None
    with closing(FileLeases(path)) as third:  # what `other` closed has freed nothing
        assert third.take("a") is None


def test_another_process_has_what_we_do_not(leases: FileLeases, path: Path) -> None:
    with another(path) as other:
        assert other.say("take a") == "taken"
        assert leases.take("a") is None
        mine = leases.take("b")
        assert other.say("take b") == "refused"

        assert mine is not None
        mine.release()
        assert other.say("take b") == "taken"


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_who_dies_holds_nothing(leases: FileLeases, path: Path, how: signal.Signals) -> None:
    with another(path) as other:
        assert other.say("take a") == "taken"
        assert leases.take("a") is None
        os.kill(other.process.pid, how)
        other.process.wait(10)

        assert leases.take("a") is not None


def test_only_one_process_at_a_time_is_within(path: Path, tmp_path: Path) -> None:
    log, turns = tmp_path / "log", 300
    command = [sys.executable, "-c", RACER, str(path), str(log), str(turns)]
    racers = [subprocess.Popen(command) for _ in range(3)]

    assert [racer.wait(60) for racer in racers] == [0] * 3
    assert log.read_bytes() == b"()" * (3 * turns)


# -- who is alone --------------------------------------------------------------------------------------------


def test_who_is_alone_asks_the_kernel_nothing(leases: FileLeases, monkeypatch: pytest.MonkeyPatch) -> None:
    first = leases.take("a")
    monkeypatch.setattr(FileLeases, "_ask", None)
    second = leases.take("b")

    assert first is not None
    assert second is not None
    assert leases.take("b") is None
    assert not leases.awaited(["a", "b"])
    leases.release([first])
    second.release()
    assert leases.take("b") is not None


@pytest.mark.parametrize("before", ["", POSIX], ids=["of the open file", "of the process"])
def test_who_comes_later_has_what_is_free_once_it_is_seen(
    leases: FileLeases, path: Path, before: str
) -> None:
    lease = leases.take("a")
    assert leases.look()  # nobody is there yet
    with another(path, before) as other:
        assert [other.say(f"take {name}") for name in "ab"] == ["refused", "refused"]
        assert not leases.look()

        assert [other.say(f"take {name}") for name in "ab"] == ["refused", "taken"]
        assert leases.take("b") is None
        assert lease is not None
        lease.release()
        assert other.say("take a") == "taken"


@pytest.mark.parametrize("before", ["", POSIX], ids=["of the open file", "of the process"])
def test_who_was_there_first_has_what_we_do_not_get(path: Path, before: str) -> None:
    with another(path, before) as other:
        assert other.say("take a") == "taken"
        with closing(FileLeases(path)) as leases:
            assert leases.take("a") is leases.take("b") is None
            assert other.say("look now") == "done"

            assert leases.take("a") is None
            assert leases.take("b") is not None
            assert other.say("take b") == "refused"


def test_who_dies_alone_bars_nobody(path: Path) -> None:
    with another(path) as other:
        assert other.say("take a") == "taken"
        with closing(FileLeases(path)) as leases:
            assert leases.take("a") is None
            other.process.kill()
            other.process.wait(10)

            assert leases.take("a") is not None
            assert leases.look()  # alone from now on


def test_who_dies_before_it_was_seen_leaves_us_alone(leases: FileLeases, path: Path) -> None:
    lease = leases.take("a")
    with another(path) as other:
        assert other.say("take b") == "refused"
        other.process.kill()
        other.process.wait(10)

    assert lease is not None
    assert leases.look()
    assert leases.take("b") is not None


def test_who_holds_nothing_bars_nobody(leases: FileLeases, path: Path) -> None:
    with leases.take("a") or pytest.fail("it is free"):
        assert leases.look()
    assert not leases.look()

    with closing(FileLeases(path)) as other:
        assert other.take("a") is not None


def test_who_is_left_is_alone_again_and_keeps_what_it_has(
    leases: FileLeases, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_COMPANY", 0.0)
    with closing(FileLeases(path)):
        first = leases.take("a")
        assert not leases.look()
    second = leases.take("b")
    assert leases.look()
    with closing(FileLeases(path)) as other:
        assert not leases.look()

        assert other.take("a") is other.take("b") is None
        assert first is not None
        assert second is not None
        leases.release([first, second])
        assert other.take("a") is not None
        assert other.take("b") is not None


def test_who_does_not_look_is_passed_by(
    leases: FileLeases, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stuck = leases.take("a"), leases.take("b")
    with closing(FileLeases(path)) as other:
        assert other.take("a") is None
        now += 0.9
        assert other.take("a") is None
        now += 0.2
        passing = other.take("a")

        assert passing is not None
        assert not leases.look()  # it goes on
        assert other.take("b") is None
        leases.release(lease for lease in stuck if lease)
        assert leases.take("a") is None
        passing.release()
        assert leases.take("a") is not None


def test_where_there_are_no_locks_it_is_told_when_one_is_taken(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object) -> bytes:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "fcntl", fails)
    with closing(FileLeases(path)) as leases, pytest.raises(StateError, match="No locks available"):
        leases.take("a")


# -- who waits -----------------------------------------------------------------------------------------------


def test_who_waits_is_known_to_others(leases: FileLeases, path: Path) -> None:
    with another(path) as other:
        assert not leases.awaited(["a"])
        assert other.say("wait a") == "waiting"
        assert leases.awaited(["b", "a"])
        assert not leases.awaited(["b"])
        assert other.say("go on") == "gone"
        assert not leases.awaited(["a"])


def test_to_wait_takes_nothing(leases: FileLeases, path: Path) -> None:
    with another(path) as other, leases.waiting("a"):
        assert not leases.awaited(["a"])  # others, that is
        assert other.say("take a") == "taken"


def test_what_is_closed_holds_nothing_and_gives_nothing(leases: FileLeases, path: Path) -> None:
    with closing(FileLeases(path)) as other:
        lease = other.take("a")
        with other.waiting("a"):
            other.close()

    assert lease is not None
    assert leases.take("a") is not None
    lease.release()
    assert leases.take("a") is None
    with pytest.raises(StateError, match="leases"):
        other.take("a")


def test_what_was_closed_may_be_released_all_the_same(leases: FileLeases) -> None:
    held = [lease for name in "ab" if (lease := leases.take(name))]
    leases.close()
    leases.release(held)

    assert not leases._held


def test_a_lease_of_one_that_was_closed_is_none_of_the_next_one(leases: FileLeases, path: Path) -> None:
    with closing(FileLeases(path)) as other:
        old = other.take("a")
    assert old is not None
    mine = leases.take("b")
    leases.release([old])

    assert mine is not None
    assert leases.take("b") is None
    assert leases.take("a") is not None


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="missing"):
        FileLeases(tmp_path / "missing" / "leases")


def test_where_one_cannot_be_opened_none_stays_open(path: Path) -> None:
    path.with_name("leases-7").mkdir()
    before = os.listdir("/dev/fd")
    with pytest.raises(StateError, match="leases"):
        FileLeases(path)

    assert os.listdir("/dev/fd") == before


def test_only_its_owner_can_open_the_file(leases: FileLeases, path: Path) -> None:
    assert {file.stat().st_mode & 0o777 for file in path.parent.glob("leases*")} == {0o600}
