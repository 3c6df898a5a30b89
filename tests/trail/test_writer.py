"""Lines reach the file whole and in order, whatever the disk, a crash or a log rotation does."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tollgate
from tollgate.trail.writer import LineFile, TrailWriter

ADDONS = str(Path(tollgate.__file__).parent.parent)


class Disk:
    """A disk that can be full, or take only so many bytes of each write."""

    def __init__(self) -> None:
        self.full = False
        self.takes: int | None = None

    def write(self, fd: int, data: bytes) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(fd, data[: self.takes])


class Trail:
    """A writer under test, with its disk and what it reported."""

    def __init__(self, path: Path, limit: int = 10_000_000) -> None:
        self.path = path
        self.disk = Disk()
        self.reports: list[str] = []
        self.writer = TrailWriter(path, 0.01, self.reports.append, limit, write=self.disk.write)

    def put(self, *lines: bytes) -> None:
        for line in lines:
            self.writer.put(lambda line=line: line, len(line))  # type: ignore[misc]

    @property
    def content(self) -> bytes:
        return self.path.read_bytes()


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[Trail]:
    trail = Trail(tmp_path / "trail" / "calls.jsonl")
    yield trail
    trail.writer.close()


def until(condition: Callable[[], bool], putting: Callable[[], None] = lambda: None) -> None:
    """Wait for what another thread or process does."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        putting()
        time.sleep(0.002)


def thread_name() -> bytes:
    """A line that says who made it."""
    return threading.current_thread().name.encode() + b"\n"


def lines_of(count: int, start: int = 0) -> list[bytes]:
    return [b"%d\n" % n for n in range(start, start + count)]


# -- the writer --------------------------------------------------------------------------------------------


def test_lines_are_written_in_order_without_being_asked(trail: Trail) -> None:
    trail.put(*lines_of(1000))
    until(lambda: trail.content == b"".join(lines_of(1000)))
    assert trail.writer.healthy


def test_close_writes_what_is_left(trail: Trail) -> None:
    trail.put(*lines_of(1000))
    trail.writer.close()
    assert trail.content == b"".join(lines_of(1000))
    assert not trail.reports


def test_file_and_folder_are_private(trail: Trail) -> None:
    assert trail.path.stat().st_mode & 0o777 == 0o600
    assert trail.path.parent.stat().st_mode & 0o777 == 0o700


def test_more_than_one_batch_is_written_in_order(trail: Trail) -> None:
    big = [bytes([65 + n]) * 90_000 + b"\n" for n in range(20)]
    trail.disk.full = True
    trail.put(*big)
    until(lambda: not trail.writer.healthy)
    trail.disk.full = False
    trail.writer.close()
    assert trail.content == b"".join(big)


def test_a_path_that_cannot_be_opened_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileExistsError):
        TrailWriter(tmp_path / "file" / "calls.jsonl", 1.0, print, 1000)


def test_the_line_is_made_on_the_thread(trail: Trail) -> None:
    trail.writer.put(thread_name, 20)
    trail.writer.close()
    assert trail.content == b"tollgate-trail\n"


def test_where_memory_is_short_the_line_is_made_at_once(trail: Trail) -> None:
    """Large bodies that wait to be hashed must not cost records while the disk is well."""
    trail.writer.put(thread_name, 9_000_000)
    trail.writer.close()
    assert trail.content == thread_name()
    assert trail.writer.lost == 0


def test_a_full_disk_loses_nothing_while_memory_lasts(trail: Trail) -> None:
    trail.put(*lines_of(10))
    until(lambda: trail.content == b"".join(lines_of(10)))
    trail.disk.full = True
    trail.put(*lines_of(10, start=10))
    until(lambda: not trail.writer.healthy)
    trail.put(*lines_of(10, start=20))
    trail.disk.full = False
    until(lambda: trail.writer.healthy)
    trail.writer.close()
    assert trail.content == b"".join(lines_of(30))
    assert trail.writer.lost == 0


def test_it_says_once_that_it_cannot_write_and_once_that_it_can(trail: Trail) -> None:
    trail.disk.full = True
    trail.put(*lines_of(5))
    until(lambda: not trail.writer.healthy)
    trail.put(*lines_of(5))
    trail.disk.full = False
    until(lambda: len(trail.reports) == 2)
    assert "cannot be written: No space left on device" in trail.reports[0]
    assert trail.reports[1].endswith("can be written again. 0 records were lost.")


def test_beyond_the_limit_lines_are_lost_and_counted(tmp_path: Path) -> None:
    trail = Trail(tmp_path / "calls.jsonl", limit=100)
    trail.disk.full = True
    trail.put(*[b"123456789\n"] * 25)
    until(lambda: len(trail.reports) == 1)
    trail.disk.full = False
    until(lambda: trail.writer.healthy)
    trail.put(b"after\n")
    trail.writer.close()
    assert trail.content == b"123456789\n" * 10 + b"after\n"
    assert trail.writer.lost == 15
    assert trail.reports[1].endswith("15 records were lost.")


def test_what_cannot_be_written_at_the_end_is_counted(trail: Trail) -> None:
    trail.disk.full = True
    trail.put(*lines_of(7))
    trail.writer.close()
    assert trail.writer.lost == 7
    assert "7 records were lost" in trail.reports[-1]
    assert not trail.writer.healthy


def test_a_line_after_the_end_is_counted(trail: Trail) -> None:
    trail.writer.close()
    trail.put(b"late\n")
    assert trail.writer.lost == 1
    assert trail.content == b""


def test_a_disk_that_fills_up_in_the_middle_of_a_line_leaves_no_torn_line(trail: Trail) -> None:
    trail.disk.takes = 9
    trail.put(b"first\nsecond\n")
    until(lambda: not trail.writer.healthy)
    assert trail.content == b"first\n"
    trail.disk.takes = None
    until(lambda: trail.writer.healthy)
    assert trail.content == b"first\nsecond\n"


def test_a_disk_that_cannot_keep_up_is_not_healthy(tmp_path: Path) -> None:
    """Calls are turned away before their records are lost."""
    trail = Trail(tmp_path / "calls.jsonl", limit=100)
    holding = threading.Event()

    def slow() -> bytes:
        holding.wait()
        return b"first\n"

    trail.writer.put(slow, 10)
    trail.put(*[b"123456789\n"] * 6)
    assert trail.writer.healthy
    trail.put(b"123456789\n")
    assert not trail.writer.healthy
    holding.set()
    until(lambda: trail.writer.healthy)
    trail.writer.close()
    assert trail.writer.lost == 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_ended_is_not_healthy(trail: Trail) -> None:
    """A bug there must turn calls away, not leave them unrecorded."""
    trail.writer.put(lambda: bytes(1 // 0), 1)
    until(lambda: not trail.writer.healthy)
    trail.put(b"x\n")
    assert trail.writer.lost == 1


def test_a_moved_file_is_followed_by_a_new_one(trail: Trail) -> None:
    """What logrotate does."""
    rotated = trail.path.with_suffix(".1")
    trail.put(b"old\n")
    until(lambda: trail.content == b"old\n")
    trail.path.rename(rotated)
    trail.put(b"last of the old\n")
    until(trail.path.exists, putting=lambda: trail.put(b"new\n"))
    trail.writer.close()
    lines = (rotated.read_bytes() + trail.content).splitlines()
    assert lines[:2] == [b"old", b"last of the old"]
    assert set(lines[2:]) == {b"new"}


# -- the file ----------------------------------------------------------------------------------------------


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=12)), st.lists(st.integers(0, 30)))
def test_whatever_the_disk_takes_the_file_holds_whole_lines_in_order(
    texts: list[bytes], takes: list[int]
) -> None:
    whole = b"".join(text.replace(b"\n", b"") + b"\n" for text in texts)
    disk, left = Disk(), whole
    with tempfile.TemporaryDirectory() as folder:
        file = LineFile(Path(folder, "lines"), disk.write)
        for disk.takes in [*takes, None]:
            left = left[file.append(left) :]
            assert file.path.read_bytes() + left == whole
        file.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"new\n"),
        (b"old\n", b"old\nnew\n"),
        (b'old\n{"torn', b'old\n{"torn\nnew\n'),
    ],
)
def test_a_torn_line_of_a_killed_process_is_ended(tmp_path: Path, before: bytes, after: bytes) -> None:
    path = tmp_path / "lines"
    path.write_bytes(before)
    file = LineFile(path)
    assert file.append(b"new\n") == 4
    file.close()
    assert path.read_bytes() == after


def test_several_writers_may_share_a_file(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    trails = [Trail(path) for _ in range(3)]
    for n in range(300):
        for which, trail in enumerate(trails):
            trail.put(b"%d-%d\n" % (which, n))
    for trail in trails:
        trail.writer.close()
    lines = path.read_bytes().splitlines()
    assert len(lines) == 900
    for which in range(3):
        mine = [line for line in lines if line.startswith(b"%d-" % which)]
        assert mine == [b"%d-%d" % (which, n) for n in range(300)]


def test_a_file_can_be_closed_and_synced_without_having_been_opened(tmp_path: Path) -> None:
    file = LineFile(tmp_path / "lines")
    file.sync()
    file.close()
    assert not file.path.exists()


# -- the process -------------------------------------------------------------------------------------------

ENDLESS = """
import itertools, sys, time
from pathlib import Path
from tollgate.trail.writer import TrailWriter

writer = TrailWriter(Path(sys.argv[1]), 0.05, print, 1_000_000)
for n in itertools.count():
    line = b'{"n": %d, "padding": "%s"}\\n' % (n, b"x" * (n % 700))
    writer.put(lambda line=line: line, len(line))
    time.sleep(0)
"""
FORGETFUL = """
import sys
from pathlib import Path
from tollgate.trail.writer import TrailWriter

TrailWriter(Path(sys.argv[1]), 0.05, print, 1_000_000).put(lambda: b"line\\n", 5)
"""


def test_a_killed_process_leaves_every_line_it_wrote_intact(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    process = subprocess.Popen([sys.executable, "-c", ENDLESS, str(path)], env={"PYTHONPATH": ADDONS})
    until(lambda: path.exists() and path.stat().st_size > 100_000)
    written = path.read_bytes()
    process.send_signal(signal.SIGKILL)
    process.wait()
    after = path.read_bytes()
    assert after.startswith(written)
    whole = after[: after.rfind(b"\n") + 1]
    assert [json.loads(line)["n"] for line in whole.splitlines()] == list(range(whole.count(b"\n")))
    next_trail = Trail(path)
    next_trail.put(b'{"n": "next"}\n')
    next_trail.writer.close()
    assert next_trail.content.startswith(whole)
    assert next_trail.content.splitlines()[-1] == b'{"n": "next"}'


def test_a_process_that_forgets_to_close_ends_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    subprocess.run(
        [sys.executable, "-c", FORGETFUL, str(path)], env={"PYTHONPATH": ADDONS}, check=True, timeout=30
    )
    assert path.read_bytes() == b"line\n"
