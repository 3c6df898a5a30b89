"""Text that is still being written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echoes import pieces
from tollgate.dlp.running import Running, RunningJson, Stretch

CUTS = st.lists(st.integers(0, 80), max_size=20)


def reading(text: Running, raw: str, cuts: list[int]) -> Running:
    for piece in pieces(raw, cuts):
        text.append(piece)
    text.close()
    return text


@given(text=st.text(max_size=40), cuts=CUTS, ascii=st.booleans())
def test_a_string_of_json_is_read_as_it_is_meant_wherever_it_is_cut(
    text: str, cuts: list[int], ascii: bool
) -> None:
    raw = json.dumps(text, ensure_ascii=ascii)
    running = reading(RunningJson(), raw, cuts)

    pairs = ascii and any(ord(c) > 0xFFFF for c in text)
    assert pairs or running.text == f'"{text}"'
    assert running.stretches(1, running.end - 1) == ([Stretch(1, len(raw) - 1)] if text else [])


@given(cuts=CUTS, before=st.text('ab\n"\\é', max_size=20))
def test_what_stands_in_json_is_found_where_it_came(cuts: list[int], before: str) -> None:
    raw = json.dumps({"a": f"{before}VALUE"})
    running = reading(RunningJson(), raw, cuts)
    at = running.text.index("VALUE")

    (stretch,) = running.stretches(at, at + 5)

    assert raw[stretch.start : stretch.end] == "VALUE"


@pytest.mark.parametrize("broken", ["\\", "\\u", "\\u00", "\\uZZZZ", "a\\u12"])
def test_a_broken_escape_stands_for_itself(broken: str) -> None:
    running = reading(RunningJson(), broken, list(range(len(broken))))

    assert running.raw(running.end) == len(broken)
    assert running.text in (broken, broken.replace("\\u", "u"))


def test_an_escape_that_is_not_complete_waits() -> None:
    running = RunningJson()
    running.append('"a\\u00')

    assert running.text == '"a'
    assert running.raw(running.end) == 2
    running.append('e9"')
    assert running.text == '"aé"'


def test_halves_of_a_pair_are_one_character_each() -> None:
    assert reading(RunningJson(), '"\\ud83d\\ude00"', []).text == '"\ufffd\ufffd"'


def spots(raw: str, start: str, end: str) -> list[tuple[str, bool]]:
    running = reading(RunningJson(), raw, [])
    found = running.stretches(running.text.index(start), running.text.index(end) + len(end))
    return [(raw[s.start : s.end], s.bare) for s in found]


def test_strings_and_numbers_are_replaced_each_by_itself() -> None:
    raw = '{"a": "one", "b": 12345, "c": [true, null], "d": "two"}'

    assert spots(raw, "ne", '"b') == [("ne", False), ("b", False)]
    assert spots(raw, "2345", '"c') == [("12345", True), ("c", False)]
    assert spots(raw, "234", "234") == [("12345", True)]
    assert spots(raw, "[true", "null]") == []


def test_what_is_no_json_is_replaced_as_it_stands() -> None:
    assert spots("mail bob@corp.io now", "bob", "io") == [("bob@corp.io", False)]


def test_a_text_is_written_as_its_place_wants_it() -> None:
    running = RunningJson()

    assert running.written('a"b', Stretch(0, 1)) == 'a\\"b'
    assert running.written("**11", Stretch(0, 1, bare=True)) == '"**11"'
    assert Running().written('a"b', Stretch(0, 1)) == 'a"b'


@pytest.mark.parametrize("kind", [Running, RunningJson])
def test_what_is_forgotten_changes_no_index(kind: type[Running]) -> None:
    running = kind()
    raw = '{"first": "one", "second": "two"}'
    running.append(raw)
    at = raw.index("two")
    before = running.stretches(at, at + 3)

    running.forget(5)
    assert running.start == 0, "not each time"
    running.forget(at - 1)

    assert running.start == at - 1
    assert running.between(at, at + 3) == "two"
    assert running.stretches(at, at + 3) == before == [Stretch(at, at + 3)]
    assert running.end == running.raw(running.end) == len(raw)
