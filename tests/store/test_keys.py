"""The key is made once, kept private, and its digests are apart for each purpose."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tollgate.store.keys import KEY_FILE, Digester, load_key
from tollgate.store.state import StateError


def test_the_first_call_makes_a_private_key_that_stays(tmp_path: Path) -> None:
    key = load_key(tmp_path)
    assert len(key) == 32
    assert load_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE], "no draft is left behind"


def test_two_folders_have_two_keys(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    assert load_key(tmp_path) != load_key(tmp_path / "other")


def test_all_that_start_at_once_get_the_same_key(tmp_path: Path) -> None:
    start = Barrier(8)

    def load() -> bytes:
        start.wait()
        return load_key(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        keys = {future.result() for future in [pool.submit(load) for _ in range(8)]}
    assert keys == {(tmp_path / KEY_FILE).read_bytes()}


def test_a_key_that_others_can_read_is_warned_about(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    key = load_key(tmp_path)
    with caplog.at_level(logging.WARNING):
        load_key(tmp_path)
        assert not caplog.records
        (tmp_path / KEY_FILE).chmod(0o640)
        assert load_key(tmp_path) == key
    assert "chmod 600" in caplog.text
    assert key.hex() not in caplog.text


def test_a_file_of_another_length_is_no_key(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).write_bytes(b"short")
    with pytest.raises(StateError, match="has 5 bytes and should have 32"):
        load_key(tmp_path)
    assert (tmp_path / KEY_FILE).read_bytes() == b"short"


def test_a_key_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    """A dangling link is there for a new key and not there for a reader."""
    (tmp_path / KEY_FILE).symlink_to("nowhere")
    with pytest.raises(StateError, match="cannot be used: No such file"):
        load_key(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


@pytest.mark.parametrize("size", [1, 100, 4095, 4096, 4097, 1_000_000])
def test_a_digest_depends_on_key_purpose_and_every_byte(size: int) -> None:
    a, b = Digester(b"a" * 32), Digester(b"b" * 32)
    data = b"x" * size
    made = [
        a.digest("body", data),
        a.digest("body", b"y" + data[1:]),
        a.digest("body", data[:-1] + b"z"),
        a.digest("body", data + b"\0"),
        a.digest("credential", data),
        b.digest("body", data),
    ]
    assert len(set(made)) == 6
    assert a.digest("body", data) == Digester(b"a" * 32).digest("body", data)
    assert all(len(digest) == 32 and set(digest) <= set("0123456789abcdef") for digest in made)


@pytest.mark.parametrize(
    ("size", "digest"),
    [(4095, "9c5f799fc3d4c1954a42a5295932c493"), (4096, "75e49face2cf91a017c20d96d606600f")],
)
def test_digests_stay_the_same_from_version_to_version(size: int, digest: str) -> None:
    """Or records of one body could not be joined any more."""
    assert Digester(b"k" * 32).digest("body", b"x" * size) == digest


def test_no_two_of_many_long_texts_have_one_digest() -> None:
    """Some differ in length only, some in one byte only, some in the order of their blocks."""
    digester = Digester(b"k" * 32)
    block = bytes(range(256)) * 16
    texts = [bytes(n) for n in range(4096, 4224)]
    texts += [block[:n] + bytes([block[n] ^ 1]) + block[n + 1 :] for n in range(0, 4096, 32)]
    texts += [block[n:] + block[:n] for n in range(0, 256, 16)]
    assert len({digester.digest("body", text) for text in texts}) == len(texts)


def test_a_digester_does_not_show_its_key() -> None:
    assert "kkkk" not in repr(Digester(b"k" * 32))


def test_a_purpose_that_is_too_long_is_an_error() -> None:
    with pytest.raises(ValueError, match="person"):
        Digester(b"k" * 32).digest("a purpose of more than sixteen bytes", b"")
