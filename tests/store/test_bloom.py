"""A filter misses nothing that was added, by whatever process, and lets little else pass."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.store.bloom import SIZE, Bloom

ADDER = """
import sys
from pathlib import Path
from tollgate.store.bloom import Bloom
Bloom(Path(sys.argv[1]), list).add(sys.argv[2:])
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "names"


def names(count: int, word: str = "name") -> list[str]:
    return [f"{word} {number}" for number in range(count)]


def never() -> Iterable[str]:
    raise AssertionError("a filter that is there is not made anew")


@given(st.sets(st.text()))
def test_what_was_added_is_in_it(tmp_path_factory: pytest.TempPathFactory, added: set[str]) -> None:
    bloom = Bloom(tmp_path_factory.mktemp("bloom") / "names", list)
    bloom.add(added)

    assert all(name in bloom for name in added)


def test_little_else_is_in_it(path: Path) -> None:
    bloom = Bloom(path, list)
    assert "a" not in bloom
    bloom.add(names(20_000))

    assert sum(name in bloom for name in names(20_000, "other")) < 20


def test_a_new_one_has_what_it_is_made_of(path: Path) -> None:
    bloom = Bloom(path, lambda: names(100))

    assert all(name in bloom for name in names(100))
    assert "other" not in bloom
    assert path.stat().st_size == SIZE
    assert path.stat().st_mode & 0o777 == 0o600


def test_what_another_process_adds_is_in_it_at_once(path: Path) -> None:
    bloom = Bloom(path, list)
    subprocess.run([sys.executable, "-c", ADDER, str(path), "a", "b"], check=True, timeout=60)

    assert "a" in bloom
    assert "b" in bloom
    assert "c" not in bloom


def test_what_was_added_stays(path: Path) -> None:
    Bloom(path, list).add(["a"])

    assert "a" in Bloom(path, never)


def test_one_that_is_full_is_made_anew_while_others_look(path: Path) -> None:
    bloom = Bloom(path, list)
    path.write_bytes(b"\xff" * SIZE)  # in place: the same file
    assert "anything" in bloom
    again = Bloom(path, lambda: ["a"])

    for one in (bloom, again):
        assert "a" in one
        assert "anything" not in one


@pytest.mark.parametrize("size", [7, SIZE + 1])
def test_a_file_that_is_something_else_is_made_anew(path: Path, size: int) -> None:
    path.write_bytes(b"x" * size)
    bloom = Bloom(path, lambda: ["a"])

    assert "a" in bloom
    assert "b" not in bloom
    assert path.stat().st_size == SIZE


def test_one_whose_names_cannot_be_had_is_made_by_who_comes_next(path: Path) -> None:
    with pytest.raises(AssertionError):
        Bloom(path, never)

    assert "a" in Bloom(path, lambda: ["a"])


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        Bloom(tmp_path / "missing" / "names", list)
