"""Entries on disk, off the loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tollgate.cache import shelf as module
from tollgate.cache.entry import Entry, compressor, to_bytes
from tollgate.cache.shelf import COUNTS, LEASES, Shelf, added, read_counts
from tollgate.store import Blobs, FileLeases, StateError

KEY = b"k" * 32
ENTRY = Entry(
    created=1.0, ttl=60.0, dialect="d", provider="p", operation="chat", model="m", body=b"{}", tag="t"
)


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    opened = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
    yield opened
    opened.close()


@pytest.mark.parametrize("what", [ENTRY, lambda: ENTRY], ids=["made", "to be made"])
@pytest.mark.parametrize("size", [2, 2**17], ids=["small", "large"])
async def test_what_is_kept_is_found_at_once_and_later(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, what: Entry | module.Make, size: int
) -> None:
    monkeypatch.setattr(module, "_GATHER", 0.0)

    assert shelf.lacks("a")
    assert shelf.keep("a", what, size, 60.0)
    assert await shelf.find("a") == ENTRY
    assert not shelf.lacks("a")
    await written(shelf)

    assert await shelf.find("a") == ENTRY
    assert not shelf.lacks("a")
    assert await shelf.find("b") is None


async def written(shelf: Shelf) -> None:
    async with asyncio.timeout(10):
        while shelf._waiting or shelf._writing:
            await asyncio.sleep(0.001)
    await asyncio.get_running_loop().run_in_executor(shelf._writer, int)  # the end of the last one, too


async def test_what_comes_while_the_disk_is_slow_waits_for_its_turn(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GATHER", 0.0)
    go_on = threading.Event()

    def slow() -> Entry:
        go_on.wait(10)
        return ENTRY

    shelf.keep("a", slow, 2, 60.0)
    while not shelf._writing:
        await asyncio.sleep(0)
    shelf.keep("b", lambda: ENTRY, 2, 60.0)
    for _ in range(5):
        await asyncio.sleep(0)
    assert list(shelf._waiting) == ["b"]
    go_on.set()
    await written(shelf)

    assert await shelf.find("a") == await shelf.find("b") == ENTRY


def test_what_waits_is_written_before_the_end(tmp_path: Path) -> None:
    async def keep() -> Shelf:
        opened = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
        opened.keep("a", lambda: ENTRY, 2, 60.0)
        return opened

    asyncio.run(keep()).close()
    blobs = Blobs(tmp_path / "cache", KEY)

    assert blobs.get("a") is not None
    blobs.close()


@pytest.fixture
async def hot(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A shelf with an entry on disk that was used before."""
    monkeypatch.setattr(module, "_GATHER", 0.0)
    shelf.keep("a", lambda: ENTRY, 2, 60.0)
    await written(shelf)
    assert await shelf.find("a") == ENTRY
    return shelf


async def test_what_was_used_before_is_not_read_again(hot: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Blobs, "get", None)

    assert await hot.find("a") is await hot.find("a")


async def test_what_another_process_clears_is_gone_at_once(hot: Shelf, tmp_path: Path) -> None:
    with closing(Blobs(tmp_path / "cache", KEY)) as other:
        other.delete("a")

    assert await hot.find("a") is None


async def test_what_another_process_replaces_is_read_anew(hot: Shelf, tmp_path: Path) -> None:
    newer = replace(ENTRY, created=2.0)
    with closing(Blobs(tmp_path / "cache", KEY)) as other:
        other.put("a", to_bytes(newer, compressor()), 60.0)

    assert await hot.find("a") == newer


@pytest.fixture
def leases(tmp_path: Path, shelf: Shelf) -> Iterator[FileLeases]:
    """As another process has them."""
    with closing(FileLeases(tmp_path / "cache" / LEASES)) as opened:
        yield opened


async def test_a_lease_is_held_until_the_entry_is_written(shelf: Shelf, leases: FileLeases) -> None:
    shelf.keep("a", lambda: ENTRY, 2, 60.0, await shelf.turn("a"))
    shelf.keep("a", lambda: ENTRY, 2, 60.0)  # by a call that shares with nobody
    assert leases.take("a") is None
    shelf._write()
    await written(shelf)

    assert leases.take("a") is not None


async def test_who_comes_later_knows_soon_what_is_held(
    shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.001)
    lease = shelf.take("a")
    with closing(FileLeases(tmp_path / "cache" / LEASES)) as later:
        async with asyncio.timeout(10):
            while (other := later.take("b")) is None:
                await asyncio.sleep(0.001)
        assert later.take("a") is None
        other.release()
        assert lease is not None
        lease.release()
        assert later.take("a") is not None


async def test_nobody_looks_where_nothing_is_held(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.001)
    with shelf.take("a") or pytest.fail("it is free"):
        assert shelf._due is not None
    async with asyncio.timeout(10):
        while shelf._due is not None:
            await asyncio.sleep(0.001)


async def test_leases_that_cannot_be_looked_at_are_told(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: object) -> None:
        raise StateError("The leases cannot be used: no locks.")

    monkeypatch.setattr(FileLeases, "look", fails)
    shelf._look()

    assert "no locks" in caplog.text
    assert shelf._due is None


async def test_what_others_wait_for_is_written_at_once(
    shelf: Shelf, leases: FileLeases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_GATHER", 3600.0)
    monkeypatch.setattr(module, "_LOOK", 0.001)
    shelf.keep("b", lambda: ENTRY, 2, 60.0, await shelf.turn("b"))
    with leases.waiting("a"):
        shelf.keep("a", lambda: ENTRY, 2, 60.0, await shelf.turn("a"))
        await written(shelf)
    shelf.keep("b", lambda: ENTRY, 2, 60.0, await shelf.turn("b"))
    with leases.waiting("b"):  # who comes a little later
        await written(shelf)


async def test_a_lease_is_free_also_where_nothing_could_be_written(
    shelf: Shelf, leases: FileLeases, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: object) -> None:
        raise StateError("The cache cannot be used: disk full.")

    monkeypatch.setattr(module, "_GATHER", 0.0)
    monkeypatch.setattr(Blobs, "put_all", fails)
    shelf.keep("a", lambda: ENTRY, 2, 60.0, await shelf.turn("a"))
    await written(shelf)

    assert "disk full" in shelf.problem
    assert leases.take("a") is not None


async def test_leases_that_cannot_be_released_are_told(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: object) -> None:
        raise StateError("The leases cannot be used: no locks.")

    monkeypatch.setattr(module, "_GATHER", 0.0)
    monkeypatch.setattr(FileLeases, "release", fails)
    shelf.keep("a", lambda: ENTRY, 2, 60.0, await shelf.turn("a"))
    await written(shelf)

    assert "no locks" in caplog.text
    assert shelf.counts["errors"] == 1


async def test_what_turns_out_to_be_none_is_not_kept(shelf: Shelf) -> None:
    shelf.keep("a", lambda: None, 2, 60.0)

    assert await shelf.find("a") is None


async def test_a_maker_that_fails_harms_nobody(shelf: Shelf, caplog: pytest.LogCaptureFixture) -> None:
    def make() -> Entry:
        raise ValueError("with a secret in it")

    shelf.keep("a", make, 2, 60.0)

    assert await shelf.find("a") is None
    assert "ValueError" in caplog.text
    assert "secret" not in caplog.text


async def test_too_much_at_once_is_dropped(shelf: Shelf) -> None:
    assert not shelf.keep("a", lambda: ENTRY, 2**30, 60.0)
    assert shelf.counts["dropped"] == 1
    assert shelf.keep("a", lambda: ENTRY, 2, 60.0)


async def test_a_newer_answer_takes_an_older_ones_place(shelf: Shelf) -> None:
    newer = replace(ENTRY, created=2.0)
    shelf.keep("a", lambda: ENTRY, 2, 60.0)
    shelf.keep("a", lambda: newer, 2, 60.0)

    assert await shelf.find("a") == newer


async def test_a_disk_that_fails_is_told_once_and_counts_as_empty(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(self: Blobs, name: str) -> bytes:
        raise StateError("The cache cannot be used: disk full.")

    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Blobs, "stamp", fails)
        assert [await shelf.find("a") for _ in range(3)] == [None] * 3
    assert shelf.counts["errors"] == 3
    assert "disk full" in shelf.problem
    assert caplog.text.count("Nothing is cached for now") == 1

    await shelf.find("a")
    assert shelf.problem == ""


async def test_counts_last_and_add_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FLUSH", 0.0)
    for _ in range(2):
        opened = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
        opened.count("hit")
        opened.count("miss")
        opened.close()
    blobs = Blobs(tmp_path / "cache", KEY)

    assert read_counts(blobs.get(COUNTS)) == {"hit": 2, "miss": 2}
    blobs.close()


async def test_counts_are_written_also_where_no_more_calls_come(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_FLUSH", 0.0)
    shelf.count("miss")
    shelf.count("stored")
    with closing(Blobs(shelf._blobs.folder, KEY)) as blobs:
        async with asyncio.timeout(10):
            while blobs.get(COUNTS) is None:
                await asyncio.sleep(0.001)

        assert read_counts(blobs.get(COUNTS)) == {"miss": 1, "stored": 1}


async def test_a_call_that_outlives_the_shelf_counts_in_memory_only(tmp_path: Path) -> None:
    closed = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
    closed.close()
    closed.count("hit")

    assert (closed.counts, closed._flush_due) == ({"hit": 1}, None)


async def test_a_call_that_outlives_the_shelf_finds_nothing(tmp_path: Path) -> None:
    closed = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
    closed.keep("a", ENTRY, 2, 60.0)
    closed.close()

    assert await closed.find("a") is None


async def test_a_lease_of_an_older_shelf_holds_up_no_other(tmp_path: Path, leases: FileLeases) -> None:
    older = Shelf(tmp_path / "older", KEY, room=2**20, secret=True)
    old = await older.turn("a")
    older.close()
    newer = Shelf(tmp_path / "cache", KEY, room=2**20, secret=True)
    try:
        newer.keep("a", lambda: ENTRY, 2, 60.0, old)
        newer.keep("b", lambda: ENTRY, 2, 60.0, await newer.turn("b"))
        newer._write()
        await written(newer)

        assert leases.take("b") is not None
    finally:
        newer.close()


def test_counts_that_cannot_be_read_begin_anew() -> None:
    assert read_counts(b"garbage") == read_counts(b"[]") == read_counts(None) == {}
    assert read_counts(added(b'{"hit": "many", "miss": 1}', {"miss": 2})) == {"miss": 3}
