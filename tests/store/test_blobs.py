"""What may be thrown away, on disk: kept under names, for a time, and never more than was put there."""

from __future__ import annotations

import os
import pickle
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import diskcache
import pytest

from tollgate.store import Blobs, New, StateError
from tollgate.store import blobs as module
from tollgate.store.blobs import BytesDisk, RefusedRow

KEY = b"k" * 32
HOUR = 3600.0


@pytest.fixture
def blobs(tmp_path: Path) -> Iterator[Blobs]:
    opened = Blobs(tmp_path / "cache", KEY)
    yield opened
    opened.close()


def change(folder: Path, statement: str, *values: Any) -> None:
    """What somebody does who can write to the file."""
    database = sqlite3.connect(folder / "cache.db")
    with database:
        database.execute(statement, values)
    database.close()


def test_what_is_put_is_there(blobs: Blobs) -> None:
    blobs.put("a", b"value", HOUR)

    assert blobs.get("a") == b"value"
    assert blobs.get("b") is None
    assert (blobs.stamp("a") is None, blobs.stamp("b") is None) == (False, True)


def test_a_newer_value_takes_an_older_ones_place(blobs: Blobs) -> None:
    blobs.put("a", b"old", HOUR)
    stamps = [blobs.stamp("a"), blobs.stamp("a")]
    blobs.put("a", b"new", HOUR)

    assert blobs.get("a") == b"new"
    assert stamps[0] == stamps[1] != blobs.stamp("a")


def test_another_one_that_is_open_finds_it_at_once(tmp_path: Path, blobs: Blobs) -> None:
    other = Blobs(tmp_path / "cache", KEY)
    assert other.stamp("a") is None
    assert other.lacks("a")
    blobs.put("a", b"value", HOUR)

    assert other.stamp("a") == blobs.stamp("a") is not None
    assert not other.lacks("a")
    other.close()


def test_what_older_versions_put_is_found(tmp_path: Path, blobs: Blobs) -> None:
    blobs.put("a", b"value", HOUR)
    blobs.close()
    for key in (b"bytes", 7, "CAST(x'ff' AS TEXT)"):
        change(tmp_path / "cache", "INSERT INTO Cache (key, raw) VALUES (?, 1)", key)
    change(tmp_path / "cache", "UPDATE Cache SET key = CAST(x'ff' AS TEXT) WHERE key LIKE 'CAST%'")
    (tmp_path / "cache" / "names").unlink()  # which those did not have
    again = Blobs(tmp_path / "cache", KEY)

    assert again.stamp("a") is not None
    assert again.get("a") == b"value"
    again.close()


def test_a_value_expires(blobs: Blobs) -> None:
    blobs.put("a", b"value", -1.0)

    assert blobs.get("a") is None
    assert blobs.stamp("a") is None
    assert list(blobs.rows()) == []


def test_a_value_can_be_deleted(blobs: Blobs) -> None:
    blobs.put("a", b"value", HOUR)
    blobs.delete("a")

    assert blobs.get("a") is None


def test_rows_tell_name_value_tag_and_expiry(blobs: Blobs) -> None:
    blobs.put("a", b"value", HOUR, "docs")
    blobs.put("b", b"other", HOUR)

    rows = {row.name: row for row in blobs.rows()}

    assert (rows["a"].value, rows["a"].tag, rows["b"].tag) == (b"value", "docs", "")
    assert rows["a"].expires == pytest.approx(time.time() + HOUR, abs=60)


def test_an_update_sees_what_is_there(blobs: Blobs) -> None:
    for _ in range(3):
        blobs.update("n", lambda old: (old or b"") + b"x", HOUR)

    assert blobs.get("n") == b"xxx"


def test_updates_of_several_processes_are_all_counted(tmp_path: Path, blobs: Blobs) -> None:
    program = (
        "import sys; from pathlib import Path; from tollgate.store import Blobs\n"
        "b = Blobs(Path(sys.argv[1]), b'k' * 32)\n"
        "for _ in range(50): b.update('n', lambda old: (old or b'') + b'x', 3600.0)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "cache")]
    running = [subprocess.Popen(command) for _ in range(2)]

    assert [process.wait(60) for process in running] == [0, 0]
    assert blobs.get("n") == b"x" * 100


def test_the_oldest_make_place(tmp_path: Path) -> None:
    small = Blobs(tmp_path / "small", KEY, room=1_000_000)
    for number in range(100):
        with small.together():
            small.put(str(number), os.urandom(20_000), HOUR)

    kept = [number for number in range(100) if small.get(str(number))]
    small.close()

    assert kept == list(range(kept[0], 100))
    assert 30 <= len(kept) <= 50


def test_what_is_kept_can_be_opened_with_the_key_only(tmp_path: Path, blobs: Blobs) -> None:
    blobs.put("a", b"a secret of nobody", HOUR)
    blobs.close()

    other = Blobs(tmp_path / "cache", b"x" * 32)

    assert other.get("a") is None
    assert b"a secret of nobody" not in b"".join(p.read_bytes() for p in (tmp_path / "cache").iterdir())
    other.close()


def test_nobody_else_may_read_the_files(tmp_path: Path, blobs: Blobs) -> None:
    folder = tmp_path / "cache"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "cache.db").stat().st_mode) == 0o600


# -- what goes wrong -----------------------------------------------------------------------------------------


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StateError, match="file/cache"):
        Blobs(tmp_path / "file" / "cache", KEY)


@pytest.mark.parametrize("content", [b"this is no database" * 500, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_cache_is_begun_anew(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    (folder / "cache.db").write_bytes(content)

    blobs = Blobs(folder, KEY)
    blobs.put("a", b"value", HOUR)

    assert blobs.get("a") == b"value"
    blobs.close()


@pytest.mark.parametrize("name", ["get", "_directory", "disk_surprise"])
def test_settings_that_would_change_the_program_are_not_taken(
    tmp_path: Path, blobs: Blobs, name: str
) -> None:
    blobs.close()
    change(tmp_path / "cache", "INSERT OR REPLACE INTO Settings VALUES (?, ?)", name, "/elsewhere")

    again = Blobs(tmp_path / "cache", KEY)
    again.put("a", b"value", HOUR)

    assert again.get("a") == b"value"
    again.close()


def test_pages_that_were_overwritten_are_an_error_that_is_told(tmp_path: Path, blobs: Blobs) -> None:
    for number in range(50):
        blobs.put(str(number), os.urandom(3000), HOUR)
    blobs.close()
    size = (tmp_path / "cache" / "cache.db").stat().st_size
    with (tmp_path / "cache" / "cache.db").open("r+b") as file:
        file.seek(size // 2)
        file.write(os.urandom(size // 2))

    with pytest.raises(StateError, match="malformed"):
        _read_all(tmp_path / "cache")


def _read_all(folder: Path) -> None:
    """Opening or reading: which of both fails depends on the pages."""
    blobs = Blobs(folder, KEY)
    try:
        list(blobs.rows())
    finally:
        blobs.close()


def test_a_value_that_was_changed_is_not_given(tmp_path: Path, blobs: Blobs) -> None:
    blobs.put("a", b"value", HOUR)
    blobs.put("b", b"other", HOUR)
    change(
        tmp_path / "cache",
        "UPDATE Cache SET value = (SELECT value FROM Cache WHERE key = 'b') WHERE key = 'a'",
    )

    assert blobs.get("a") is None
    assert blobs.get("b") == b"other"


class Bomb:
    """Unpickled, it would make a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (Path(self.path),)


def test_a_crafted_row_runs_no_code_and_touches_no_file(tmp_path: Path, blobs: Blobs) -> None:
    """CVE-2025-69872, and the paths that a row may name."""
    mark, victim = tmp_path / "ran", tmp_path / "victim"
    victim.write_text("mine")
    bomb = pickle.dumps(Bomb(str(mark)))
    blobs.put("a", b"value", HOUR)
    folder = tmp_path / "cache"
    columns = "key, raw, store_time, expire_time, mode, filename, value"
    row = f"INSERT INTO Cache ({columns}) VALUES (?, ?, 0, ?, ?, ?, ?)"
    later = time.time() + HOUR
    change(folder, row, "pickled", 1, later, 4, None, bomb)
    change(folder, row, "file", 1, later, 2, "../victim", None)
    change(folder, row, "text", 1, later, 1, None, "text")
    change(folder, row, bomb, 0, later, 1, None, b"x")
    change(folder, row, "old", 1, 1.0, 2, "../victim", None)  # expired: diskcache would remove its file

    assert [blobs.get(name) for name in ("pickled", "file", "text", "old")] == [None] * 4
    assert [row.name for row in blobs.rows()] == ["a"]
    blobs._cache.cull()  # which removes what has expired
    assert not mark.exists()
    assert victim.read_text() == "mine"


def test_the_disk_takes_text_names_and_bytes_only(tmp_path: Path) -> None:
    disk = BytesDisk(str(tmp_path))

    for key in (1, b"a", ("a",)):
        with pytest.raises(TypeError):
            disk.put(key)
    for value in ("text", 1, [b"x"]):
        with pytest.raises(TypeError):
            disk.store(value, read=False)
    with pytest.raises(RefusedRow):
        disk.fetch(diskcache.core.MODE_PICKLE, None, b"", False)


def test_a_full_disk_is_an_error_that_is_told_and_passes(tmp_path: Path, blobs: Blobs) -> None:
    """SQLite's own answer to a full disk, brought about by a limit of pages."""
    blobs.put("a", b"value", HOUR)
    ((pages,),) = blobs._cache._sql("PRAGMA page_count").fetchall()
    blobs._cache._sql(f"PRAGMA max_page_count = {pages}").fetchall()

    with pytest.raises(StateError, match="full"):
        blobs.put("b", os.urandom(1_000_000), HOUR)

    assert blobs.get("a") == b"value"
    blobs._cache._sql("PRAGMA max_page_count = 1000000").fetchall()
    blobs.put("b", b"now", HOUR)
    assert blobs.get("b") == b"now"


def test_a_failure_of_which_nothing_is_said_has_its_likely_causes(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(name: str) -> None:
        raise diskcache.Timeout

    monkeypatch.setattr(blobs._cache, "delete", silent)

    with pytest.raises(StateError, match="its disk is full, or another process has locked it"):
        blobs.delete("a")


def test_a_process_that_is_killed_while_it_writes_leaves_whole_values_only(tmp_path: Path) -> None:
    """kill -9 in the midst of writing: what can be read was written whole."""
    program = (
        "import sys, itertools; from pathlib import Path; from tollgate.store import Blobs\n"
        "b = Blobs(Path(sys.argv[1]), b'k' * 32)\n"
        "for n in itertools.count():\n"
        "    b.put(str(n % 40), b'%d' % (n % 40) * 20_000, 3600.0); print(n, flush=True)\n"
    )
    folder = tmp_path / "cache"
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(folder)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            while int(process.stdout.readline()) < 60:
                pass
            process.send_signal(signal.SIGKILL)
        blobs = Blobs(folder, KEY)
        found = {row.name: row.value for row in blobs.rows()}
        blobs.put("after", b"all", HOUR)
        blobs.close()

        assert len(found) >= 40
        assert all(value == name.encode() * 20_000 for name, value in found.items() if name != "after")


def test_many_values_replace_older_ones_at_once(blobs: Blobs) -> None:
    names = [str(number) for number in range(150)]
    blobs.put("7", b"older", HOUR, "old")
    blobs.put_all([New(name, name.encode(), HOUR, "new") for name in names])

    assert [blobs.get(name) for name in names] == [name.encode() for name in names]
    assert {(row.name, row.tag) for row in blobs.rows()} == {(name, "new") for name in names}
    assert len(blobs._cache) == len(names), "diskcache counts them as its own"


def test_of_many_values_none_is_kept_where_one_is_no_value(blobs: Blobs) -> None:
    with pytest.raises(TypeError):
        blobs.put_all([New("a", b"1", HOUR), New("b", "2", HOUR)])  # type: ignore[arg-type]

    assert blobs.get("a") is None


def test_the_table_is_as_diskcache_makes_it(blobs: Blobs) -> None:
    told = blobs._cache._sql("PRAGMA table_info(Cache)").fetchall()

    assert ("rowid", *module._COLUMNS) == tuple(name for _, name, *_ in told)
