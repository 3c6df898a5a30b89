"""A folder of recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tollgate.cache.cassettes.library import CassetteError, Library, Mode, file_name
from tollgate.cache.cassettes.recording import Recording

REQUEST: dict[str, Any] = {
    "provider": "openai",
    "operation": "chat",
    "body": {"text": "hello", "day": "Monday"},
}
OTHER = {**REQUEST, "body": {"text": "bye", "day": "Monday"}}
LATER = {**REQUEST, "body": {"text": "hello", "day": "Friday"}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two answers to one request."""
    folder = tmp_path / "cassettes"
    library = Library(folder, "new")
    for number in (1, 2):
        library.save(Recording(request=REQUEST, number=number, body=b"answer %d" % number))
    return folder


def answers(library: Library, request: dict[str, Any], times: int = 1) -> list[bytes | None]:
    found = [library.find(library.key(request)) for _ in range(times)]
    return [recording.body if recording else None for recording in found]


def test_answers_come_in_the_order_in_which_they_were_recorded_then_the_last_again(folder: Path) -> None:
    assert answers(Library(folder, "none"), REQUEST, 4) == [
        b"answer 1",
        b"answer 2",
        b"answer 2",
        b"answer 2",
    ]


def test_what_was_not_recorded_is_not_there(folder: Path) -> None:
    assert answers(Library(folder, "none"), OTHER) == [None]


def test_files_are_named_alike_whenever_they_are_recorded(folder: Path) -> None:
    names = sorted(path.name for path in folder.iterdir())

    assert names == [file_name(Recording(request=REQUEST, number=number)) for number in (1, 2)]
    assert all(name.startswith("openai-chat-") and name.endswith(".json") for name in names)


def test_a_name_leads_to_no_other_folder() -> None:
    assert "/" not in file_name(Recording(request={"provider": "../x", "operation": "a b"}))


@pytest.mark.parametrize(
    ("mode", "empty", "records"),
    [
        ("new", True, True),
        ("new", False, True),
        ("once", True, True),
        ("once", False, False),
        ("none", False, False),
    ],
)
def test_what_is_recorded_in_which_mode(
    tmp_path: Path, folder: Path, mode: Mode, empty: bool, records: bool
) -> None:
    assert Library(tmp_path / "nothing" if empty else folder, mode).records is records


def test_each_time_that_a_new_request_is_asked_has_a_number(folder: Path) -> None:
    library = Library(folder, "new")
    keys = [library.key(OTHER), library.key(OTHER), library.key(LATER)]

    assert [library.number(key) for key in keys] == [1, 2, 1]
    assert answers(library, OTHER) == [None]


def test_what_is_ignored_need_not_be_as_recorded(folder: Path) -> None:
    library = Library(folder, "none", ["body.day"])

    assert answers(library, LATER) == [b"answer 1"]
    assert answers(library, OTHER) == [None]


def test_the_nearest_recording_is_named_with_what_differs(folder: Path) -> None:
    said = Library(folder, "none").explain(OTHER)

    assert said.values.startswith("The nearest one, openai-chat-")
    assert 'body.text: recorded "hello", asked "bye"' in said.values
    assert said.places.startswith("The nearest one, openai-chat-")
    assert "differs in body.text." in said.places
    assert "hello" not in said.places
    assert "bye" not in said.places


def test_no_more_than_some_differences_are_told(folder: Path) -> None:
    many = {**REQUEST, "body": {**REQUEST["body"], **{f"field{n}": n for n in range(9)}}}

    for told in Library(folder, "none").explain(many):
        assert "and 4 more." in told


def test_without_recordings_nothing_is_near(tmp_path: Path) -> None:
    assert Library(tmp_path, "new").explain(REQUEST) == ("Nothing is recorded yet.",) * 2


def spoil(folder: Path) -> None:
    (folder / "broken.json").write_text("{}")


def hide(folder: Path) -> None:
    (folder / "folder.json").mkdir()


@pytest.mark.parametrize(
    ("change", "said"),
    [(spoil, r"broken\.json is no recording: version: Field required"), (hide, "cannot be read")],
)
def test_a_folder_that_cannot_be_used_is_told(
    folder: Path, change: Callable[[Path], None], said: str
) -> None:
    change(folder)

    with pytest.raises(CassetteError, match=said):
        Library(folder, "none")


def test_an_empty_folder_answers_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match="Make them with `tollgate record`"):
        Library(tmp_path, "none")


def test_a_path_to_ignore_that_is_none_is_told(folder: Path) -> None:
    with pytest.raises(CassetteError, match="no path to ignore"):
        Library(folder, "none", ["body[0]"])


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(CassetteError, match=r"Nothing can be recorded in .*below: Not a directory"):
        Library(tmp_path / "file" / "below", "new")


def test_one_that_no_longer_can_is_told_too(tmp_path: Path) -> None:
    library = Library(tmp_path / "cassettes", "new")
    (tmp_path / "cassettes").rmdir()
    (tmp_path / "cassettes").write_text("")

    with pytest.raises(CassetteError, match="cannot be written"):
        library.save(Recording(request=REQUEST))


def test_hidden_files_and_drafts_are_no_recordings(folder: Path) -> None:
    (folder / ".draft-1.json").write_text("half")
    (folder / "README.md").write_text("ours")

    assert answers(Library(folder, "none"), REQUEST) == [b"answer 1"]
