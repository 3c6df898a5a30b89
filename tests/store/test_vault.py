"""The encrypted map on disk."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from tollgate.store import StateError
from tollgate.store.vault import VAULT_FILE, Vault

KEY = bytes(range(32))


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    with closing(Vault(tmp_path, KEY)) as vault:
        yield vault


def test_a_value_comes_back_under_its_name_only(vault: Vault) -> None:
    assert vault.put("resp_1", b"value")

    assert vault.get("resp_1") == b"value"
    assert vault.get("resp_2") is None


def test_a_later_value_takes_an_earlier_ones_place(vault: Vault) -> None:
    vault.put("resp_1", b"old")
    vault.put("resp_1", b"new")

    assert vault.get("resp_1") == b"new"


def test_another_process_with_the_same_key_sees_it_and_one_with_another_key_does_not(
    vault: Vault, tmp_path: Path
) -> None:
    vault.put("resp_1", b"value")

    with closing(Vault(tmp_path, KEY)) as same, closing(Vault(tmp_path, bytes(32))) as other:
        assert same.get("resp_1") == b"value"
        assert other.get("resp_1") is None


def test_nothing_on_disk_shows_name_or_value(vault: Vault, tmp_path: Path) -> None:
    vault.put("resp_visible", b"bob@corp.com")

    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"visible" not in on_disk
    assert b"corp.com" not in on_disk


def test_the_file_is_for_its_owner_only(vault: Vault, tmp_path: Path) -> None:
    vault.put("resp_1", b"value")

    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())


def test_a_changed_or_exchanged_value_is_as_good_as_none(vault: Vault, tmp_path: Path) -> None:
    vault.put("resp_1", b"one")
    vault.put("resp_2", b"two")

    with closing(sqlite3.connect(tmp_path / VAULT_FILE)) as database, database:
        sealed = [row[0] for row in database.execute("SELECT sealed FROM vault ORDER BY name")]
        database.execute("UPDATE vault SET sealed = ?", (sealed[0],))

    assert sorted(filter(None, (vault.get("resp_1"), vault.get("resp_2")))) in ([b"one"], [b"two"])


def test_entries_expire_and_are_removed(tmp_path: Path) -> None:
    now = [1000.0]
    with closing(Vault(tmp_path, KEY, keep=60, clock=lambda: now[0])) as vault:
        vault.put("resp_1", b"value")
        now[0] += 59
        assert vault.get("resp_1") == b"value"
        now[0] += 1
        assert vault.get("resp_1") is None
        for n in range(64):
            vault.put(f"later_{n}", b"")
    with closing(sqlite3.connect(tmp_path / VAULT_FILE)) as database:
        assert database.execute("SELECT COUNT(*) FROM vault").fetchone() == (64,)


def test_a_value_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    with closing(Vault(tmp_path, KEY, largest=10)) as vault:
        assert vault.put("small", bytes(10))
        assert not vault.put("large", bytes(11))
        assert vault.get("large") is None


def test_the_oldest_make_place_when_there_is_no_room(tmp_path: Path) -> None:
    now = [0.0]
    with closing(Vault(tmp_path, KEY, room=20_000, clock=lambda: now[0])) as vault:
        for n in range(129):
            now[0] = n
            vault.put(f"resp_{n}", bytes(1000))

        assert vault.get("resp_128") is not None
        assert vault.get("resp_0") is None
        assert sum(vault.get(f"resp_{n}") is not None for n in range(129)) <= 20


def test_threads_can_share_it(vault: Vault) -> None:
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda n: vault.put(f"resp_{n}", str(n).encode()), range(100)))

    assert [vault.get(f"resp_{n}") for n in range(100)] == [str(n).encode() for n in range(100)]


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / VAULT_FILE).write_bytes(b"no database at all" * 100)

    with pytest.raises(StateError, match=r"vault\.sqlite cannot be opened: .* Remove it"):
        Vault(tmp_path, KEY)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot be opened"):
        Vault(tmp_path / "missing", KEY)
