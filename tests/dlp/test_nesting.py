"""How deep in JSON a place is."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echoes import pieces
from tollgate.dlp.nesting import Nesting, escaped, needs_escapes, unescaped

MARK = "QZX"


def depth(text: str, *, is_json: bool = False) -> int:
    """The depth of the mark in a text."""
    nesting = Nesting(is_json=is_json)
    nesting.feed(text[: text.index(MARK)], final=True)
    return nesting.depth


def wrapped(text: str, times: int) -> str:
    for _ in range(times):
        text = json.dumps({'a "quoted" {key': "C:\\new", "list": [1, {"it": text}]})
    return text


@pytest.mark.parametrize("times", range(5))
@pytest.mark.parametrize("around", ["{}", "You said: {}", "```json\n{}\n```", '{{"a": 1}} {}'])
def test_each_json_in_a_string_is_one_deeper(times: int, around: str) -> None:
    assert depth(around.format(wrapped(MARK, times))) == times


@pytest.mark.parametrize("indent", [None, 2])
def test_indented_json_is_json(indent: int | None) -> None:
    inner = json.dumps({"a": [["x", MARK]]}, indent=indent)
    assert depth(json.dumps({"file": inner}, indent=indent)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f'"{MARK}"', 0),
        (f'say "{MARK}" to {{him, her}}', 0),
        (f'if (x) {{ login("{MARK}") }}', 0),
        (f'{{"a": "b"}} "{MARK}', 0),
        (f'{{"a": "b\\\\", "c": "{MARK}', 1),
        (f'{{"a": "it\n "b": "{MARK}', 1),
        (f'{{"a": [1]}}]] {{"b": "{MARK}', 1),
        (f'{{"a": "x \\"not json\\" {MARK}', 1),
        (f'["a", {MARK}', 0),
    ],
)
def test_only_what_is_json_counts(text: str, expected: int) -> None:
    assert depth(text) == expected


def test_what_is_json_begins_with_its_first_character() -> None:
    assert depth(f'"{MARK}"', is_json=True) == 1
    assert depth(f'{{}}}}"{MARK}"', is_json=True) == 1
    assert depth(MARK, is_json=True) == 0


@given(st.lists(st.integers(1, 9)), st.integers(0, 3), st.booleans())
def test_pieces_are_followed_as_the_whole(cuts: list[int], times: int, is_json: bool) -> None:
    text = wrapped(f"x {MARK}", times)
    text = text[: text.index(MARK)]
    nesting = Nesting(is_json=is_json)
    for piece in pieces(text, cuts):
        nesting.feed(piece)
    nesting.feed("", final=True)

    assert nesting.depth == depth(text + MARK, is_json=is_json)


@given(st.text(), st.integers(0, 4))
def test_escapes_are_undone(value: str, times: int) -> None:
    assert unescaped(escaped(value, times), times) == value
    assert (escaped(value, 1) != value) is needs_escapes(value)


@pytest.mark.parametrize("text", ["a\\", 'a"b', "\\q", "\n"])
def test_a_piece_of_no_string_has_no_value(text: str) -> None:
    assert unescaped(text, 1) is None


@pytest.mark.parametrize("text", ["\\" * 200_000, "[ " * 100_000, "{" + " " * 200_000, '"' * 200_000])
def test_hostile_text_takes_time_in_proportion(text: str) -> None:
    started = time.process_time()
    nesting = Nesting()
    nesting.feed(text)
    nesting.feed(text, final=True)

    assert time.process_time() - started < 5
