"""Reading events by a table."""

from typing import Any

import pytest

from tollgate.dlp.place import Marks, Path, Place, Places, another, ended, goes_on, kind_of, marks, names

TEXT = Place("text", piece=True)
INPUT = Place("input")
TABLE = Places(
    at={
        "choices.delta.text": TEXT,
        "say:text": TEXT,
        "call.args": INPUT,
        "start.text": Place("text", piece=True, continued={"type": "say", "text": "$text"}),
    },
    end_types=(".done", "stop"),
    end_fields=("choices.finish", "over"),
    keeps=frozenset({"role"}),
)


@pytest.mark.parametrize(
    ("path", "kind", "place"),
    [
        (("choices", 0, "delta", "text"), "", TEXT),
        (("choices", 0, "delta"), "", Place("text")),
        (("choices", 0, "delta", "text", 1, "more"), "", Place("text")),
        (("text",), "say", TEXT),
        (("text",), "", Place("text")),
        (("call", "args"), "", INPUT),
        (("call", "args", "deep", 3, "down"), "", INPUT),
        (("call",), "", Place("text")),
        ((), "", Place("text")),
        ((0, 1), "", Place("text")),
    ],
)
def test_a_path_has_the_place_of_its_row_or_of_what_stands_above(path: Path, kind: str, place: Place) -> None:
    assert TABLE.place(path, kind) == place


def test_names_leave_out_positions() -> None:
    assert names(("choices", 3, "delta", "text")) == "choices.delta.text"


@pytest.mark.parametrize(
    ("document", "name", "kind"),
    [
        ({"type": "a", "event_type": "b"}, "c", "a"),
        ({"event_type": "b"}, "c", "b"),
        ({}, "c", "c"),
        ({"type": 3}, "", ""),
        ([], "c", "c"),
    ],
)
def test_the_kind_of_an_event(document: Any, name: str, kind: str) -> None:
    assert kind_of(document, name) == kind


@pytest.mark.parametrize(
    ("document", "path", "found"),
    [
        ({"index": 3, "delta": {"text": ""}}, ("delta", "text"), (3,)),
        ({"output_index": 1, "content_index": 2, "item_id": "x"}, (), (1, 2)),
        ({"choices": [{"index": 7, "text": ""}]}, ("choices", 0, "text"), ((7, None, None))),
        ({"parts": [{"text": ""}, {"text": ""}]}, ("parts", 1, "text"), (0, None, None)),
        ({"parts": [{"thought": True, "text": ""}]}, ("parts", 0, "text"), (0, True, None)),
        ("text", (), ()),
        (["text"], (0,), ()),
    ],
)
def test_marks_are_the_numbers_on_the_way(document: Any, path: Path, found: Marks) -> None:
    assert marks(document, path) == found


@pytest.mark.parametrize(
    ("document", "kind", "ends"),
    [
        ({"index": 3}, "block_stop", [(3,)]),
        ({}, "text.done", [()]),
        ({"index": 3}, "delta", []),
        ({"over": True}, "", [()]),
        ({"over": {}, "index": 1}, "", [(1,)]),
        ({"over": False}, "", []),
        ({"over": None, "choices": None}, "", []),
        ({"choices": [{"finish": "stop"}, {"finish": None}, 3, {"index": 2, "finish": ""}]}, "",
         [(0, None, None), (2, None, None)]),
        ([{"choices": {"finish": 1}}], "", [(0, None, None)]),
    ],
)  # fmt: skip
def test_what_ends_with_an_event(document: Any, kind: str, ends: list[Marks]) -> None:
    assert TABLE.ends(document, kind) == ends


def test_another_event_has_its_text_and_what_numbers_it() -> None:
    delta = {"role": "assistant", "text": "x", "name": "write", "more": [1]}
    choices = [{"index": 0}, {"index": 1, "type": "t", "id": "i", "delta": delta, "finish": None}]
    document = {"id": "1", "n": 1, "usage": {}, "choices": choices}

    made = another(document, ("choices", 1, "delta", "text"), "rest", TABLE)

    assert made == {
        "id": "1",
        "n": 1,
        "choices": [{"index": 1, "type": "t", "delta": {"role": "assistant", "text": "rest"}}],
    }


def test_the_event_after_a_first_one_looks_as_its_row_says() -> None:
    document = {"type": "begin", "index": 4, "start": {"text": "x"}}

    assert another(document, ("start", "text"), "rest", TABLE) == {"type": "say", "index": 4, "text": "rest"}


def test_a_text_ends_with_all_that_its_marks_begin_with() -> None:
    assert ended((1, 2), [(1,)])
    assert ended((1, 2), [()])
    assert not ended((1, 2), [(2,), (1, 3)])


def test_a_field_beside_a_piece_may_say_that_it_goes_on() -> None:
    piece = Place("input", piece=True, more="goes_on")

    assert goes_on({"a": [{"b": "x", "goes_on": True}]}, ("a", 0, "b"), piece)
    assert not goes_on({"a": [{"b": "x"}]}, ("a", 0, "b"), piece)
    assert goes_on({"a": "x"}, ("a",), TEXT)
