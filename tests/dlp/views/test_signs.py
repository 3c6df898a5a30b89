"""What a text looks like from afar."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.views.signs import CONTROLS, Signs, matches, stretches


def test_a_text_has_one_byte_for_each_character() -> None:
    assert Signs("a\u200bé\U0001f600.").ascii == b"a???."


@pytest.mark.parametrize("code", CONTROLS)
def test_controls_are_seen(code: int) -> None:
    assert Signs(f"plain {chr(code)} text").has_controls


def test_tabs_line_ends_and_escapes_are_no_controls() -> None:
    assert not Signs("plain\t\r\n\x1b[31m é").has_controls


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("4.1.1.1.1.1", 0),
        ("A K I A Q Y", 0),
        ("4-1_1/1|1*1", 0),
        ("a b c d e", -1),
        ("one two three", -1),
        ("", -1),
    ],
)
def test_characters_with_gaps_are_seen(text: str, place: int) -> None:
    assert Signs(text).spaced() == place
    assert Signs(text).spaced(place + 1) == -1


def test_rows_of_one_class_are_found() -> None:
    flat, rows = Signs("see abcDEF12+/-_ or (0123456789abcdef)").runs(8)

    assert [(start, end) for start, end in rows] == [(4, 16), (21, 37)]
    assert flat[4:16] == b"a" * 12
    assert flat[3:4] == flat[16:17] == b" "


def test_a_row_may_end_with_the_text() -> None:
    assert list(stretches(b"aaa aaaa aaaaa", 4)) == [(4, 8), (9, 14)]


@given(st.text(st.sampled_from("%4aG "), max_size=60))
def test_matches_are_those_of_finditer(text: str) -> None:
    pattern = re.compile("%[0-9A-Fa-f]{2}|%%")

    assert [m.span() for m in matches(pattern, "%", text)] == [m.span() for m in pattern.finditer(text)]


@pytest.mark.parametrize("at", [0, 65_520, 65_525, 65_530, 65_535, 65_536, 65_537, 200_000])
def test_spaced_characters_are_found_wherever_they_stand_in_a_long_text(at: int) -> None:
    signs = Signs("wor  " * (at // 5) + "." * (at % 5) + "A K I A 4 1")

    assert signs.spaced() == at
    assert signs.spaced(at) == at
    assert signs.spaced(at + 1) == -1
