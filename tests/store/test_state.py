"""The state folder is found, made private, and refused clearly where it cannot be used."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tollgate.store.state import StateError, state_folder


@pytest.mark.parametrize(
    ("chosen", "environ", "expected"),
    [
        ("{tmp}/chosen", {"TOLLGATE_STATE": "{tmp}/env"}, "chosen"),
        ("", {"TOLLGATE_STATE": "{tmp}/env", "XDG_STATE_HOME": "{tmp}/xdg"}, "env"),
        ("", {"XDG_STATE_HOME": "{tmp}/xdg", "HOME": "{tmp}/home"}, "xdg/tollgate"),
        ("", {"XDG_STATE_HOME": "", "HOME": "{tmp}/home"}, "home/.local/state/tollgate"),
        ("", {"XDG_STATE_HOME": "relative", "HOME": "{tmp}/home"}, "home/.local/state/tollgate"),
    ],
)
def test_the_nearest_setting_says_where(
    tmp_path: Path, chosen: str, environ: dict[str, str], expected: str
) -> None:
    filled = {name: value.format(tmp=tmp_path) for name, value in environ.items()}
    assert state_folder(chosen.format(tmp=tmp_path), filled) == tmp_path / expected


def test_without_any_setting_it_is_in_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert state_folder("", {}) == tmp_path / ".local/state/tollgate"


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    folder = state_folder(str(tmp_path / "a" / "b"))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    assert state_folder(str(tmp_path)) == tmp_path
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o750


def test_a_relative_path_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_folder("state") == tmp_path / "state"


def test_what_cannot_be_a_folder_is_named_with_what_helps(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(
        StateError, match=r"file/state cannot be written: Not a directory\. Set TOLLGATE_STATE"
    ):
        state_folder(str(file / "state"))


def test_a_user_without_a_home_is_told_what_helps() -> None:
    with pytest.raises(StateError, match=r"this user has no home\. Set TOLLGATE_STATE"):
        state_folder("~no-such-user/state", {})
