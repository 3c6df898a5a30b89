from __future__ import annotations

import gzip
import socket
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

from tollgate.cost import ranks
from tollgate.cost.ranks import FILES, find, load

NAME = "cl100k_base"
SOURCE = find(NAME, None)

needs_ranks = pytest.mark.skipif(SOURCE is None, reason="bpe-openai is not installed")


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever opens a connection fails."""

    def refuse(*args: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)


def content() -> bytes:
    assert SOURCE is not None
    return SOURCE()


@needs_ranks
@pytest.mark.usefixtures("offline")
def test_the_package_has_openais_ranks() -> None:
    encoding = load(NAME, content)

    assert encoding.name == NAME
    assert encoding.encode_ordinary("Hello world") == [9906, 1917]  # as OpenAI's own page shows them


@needs_ranks
def test_the_packages_own_code_is_not_loaded() -> None:
    import sys

    load(NAME, content)
    assert "bpe_openai" not in sys.modules


@needs_ranks
@pytest.mark.parametrize("name", [f"{NAME}.tiktoken", FILES[NAME][1]])
def test_a_folder_has_them_by_name_or_as_tiktoken_keeps_them(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(content())

    read = find(NAME, tmp_path)
    assert read is not None
    assert load(NAME, read).n_vocab == 100_277


def test_a_folder_without_them_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no o200k_base\.tiktoken in this folder \(cost\.counting\.ranks\)"):
        find("o200k_base", tmp_path)


def test_a_folders_files_are_checked_before_they_are_needed(tmp_path: Path) -> None:
    (tmp_path / f"{NAME}.tiktoken").write_bytes(b"aGVsbG8= 0\n")

    with pytest.raises(ValueError, match=rf"{NAME}\.tiktoken \(cost\.counting\.ranks\) is not OpenAI's"):
        find(NAME, tmp_path)


def test_what_is_not_openais_is_an_error() -> None:
    with pytest.raises(ValueError, match="is not OpenAI's"):
        load(NAME, lambda: b"aGVsbG8= 0\n")


def test_without_a_folder_and_the_package_there_are_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "find_spec", lambda name: None)

    assert find(NAME, None) is None


def test_a_package_without_the_file_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranks, "find_spec", lambda name: find_spec("tollgate"))

    assert find(NAME, None) is None


def test_the_packages_file_is_packed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Spec:
        submodule_search_locations = (str(tmp_path),)

    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{NAME}.tiktoken.gz").write_bytes(gzip.compress(b"ranks"))
    monkeypatch.setattr(ranks, "find_spec", lambda name: Spec())

    read: Callable[[], bytes] | None = find(NAME, None)
    assert read is not None
    assert read() == b"ranks"
