"""Entries in memory."""

from __future__ import annotations

from dataclasses import replace

from tollgate.cache.entry import Entry, Piece
from tollgate.cache.hot import Hot

ENTRY = Entry(created=1.0, ttl=60.0, dialect="d", provider="p", operation="chat", model="m", body=b"{}")
ROOM = 16 * 1024


def test_an_entry_is_found_under_its_stamp_only() -> None:
    hot = Hot(ROOM)
    hot.put("a", 1.0, ENTRY)

    assert hot.get("a", 1.0) is ENTRY
    assert hot.get("a", 2.0) is None
    assert hot.get("b", 1.0) is None


def test_another_entry_takes_its_place() -> None:
    hot, newer = Hot(ROOM), replace(ENTRY, body=b"[]")
    hot.put("a", 1.0, ENTRY)
    hot.put("a", 2.0, newer)

    assert hot.get("a", 1.0) is None
    assert hot.get("a", 2.0) is newer


def test_what_is_gone_on_disk_is_let_go_of() -> None:
    hot = Hot(ROOM)
    hot.put("a", 1.0, ENTRY)
    hot.put("a", 2.0, None)

    assert hot.get("a", 1.0) is None


def test_the_least_recently_used_make_room() -> None:
    hot, large = Hot(ROOM), replace(ENTRY, body=b"x" * 1000)
    for name in "abcdefgh":
        hot.put(name, 1.0, large)
    assert hot.get("a", 1.0) is large
    hot.put("i", 1.0, large)

    kept = [name for name in "abcdefghi" if hot.get(name, 1.0)]
    assert kept == ["a", "c", "d", "e", "f", "g", "h", "i"]


def test_room_comes_back() -> None:
    hot, large = Hot(ROOM), replace(ENTRY, body=b"x" * 1000)
    for stamp in range(100):
        hot.put("a", stamp, large)
    for name in "bcdef":
        hot.put(name, 1.0, large)

    assert hot.get("a", 99) is large


def test_what_is_too_large_is_not_kept_events_counted() -> None:
    hot = Hot(ROOM)
    hot.put("a", 1.0, replace(ENTRY, body=b"x" * 1100))
    hot.put("b", 1.0, replace(ENTRY, body=b"", pieces=(Piece(0, "", b""),) * 9))

    assert hot.get("a", 1.0) is None
    assert hot.get("b", 1.0) is None
