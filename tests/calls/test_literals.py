"""Literals in the bytes of a JSON text are found and replaced, to the byte."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls.body import count_strings
from tollgate.calls.contents import find_slots
from tollgate.calls.literals import Finder, append, count_literals, count_quotes, patched, patches, splice

texts = st.text(st.sampled_from('ab"\\,:é\n😀'), max_size=5)
trees = st.recursive(
    texts, lambda inner: st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=4)
)
writings = st.sampled_from(
    [
        {"ensure_ascii": ascii_only, "separators": separators}
        for ascii_only in (True, False)
        for separators in ((",", ":"), (", ", ": "), (" ,\n", " :\t"))
    ]
)


def strings(tree: Any) -> list[str]:
    return [slot.text for slot in find_slots(tree, None)]


@given(trees, writings, st.data())
def test_just_the_literals_that_are_meant_change(
    tree: Any, writing: dict[str, Any], data: st.DataObject
) -> None:
    """However often the same stands elsewhere, and whether or not it is known what stood there."""
    content = json.dumps(tree, **writing).encode()
    slots = [slot for slot in find_slots(tree, None) if slot.kind != "key"]
    chosen = data.draw(st.lists(st.sampled_from(slots), unique=True) if slots else st.just([]))
    known = data.draw(st.lists(st.sampled_from(chosen), unique=True) if chosen else st.just([]))
    edits = {slot.ordinal: f'new"{slot.ordinal}' for slot in chosen}
    spliced = splice(content, edits, {slot.ordinal: slot.text for slot in known})

    expected = [edits.get(slot.ordinal, slot.text) for slot in find_slots(tree, None)]
    assert strings(json.loads(spliced)) == expected
    assert len(spliced) == len(content) + sum(
        len(json.dumps(edits[slot.ordinal]))
        - len(json.dumps(slot.text, ensure_ascii=writing["ensure_ascii"]).encode())
        for slot in chosen
    )


@given(texts, st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), texts), max_size=3))
def test_pieces_of_a_text_are_patches_of_its_literal(text: str, drawn: list[tuple[int, int, str]]) -> None:
    bounds = sorted(min(at, len(text)) for start, end, _ in drawn for at in (start, end))
    pieces = [
        (start, end, new) for start, end, (_, _, new) in zip(bounds[::2], bounds[1::2], drawn, strict=True)
    ]
    content = orjson.dumps(["before", text, "behind"])
    start, end = Finder(content).literal(0, 1, text)

    changed = patched(content, patches(start, end, text, pieces))

    expected, done = "", 0
    for begin, stop, new in pieces:
        expected += text[done:begin] + new
        done = stop
    assert changed == orjson.dumps(["before", expected + text[done:], "behind"])


@pytest.mark.parametrize(
    ("content", "ordinal", "before", "after"),
    [
        (b'["x\\"b", "b"]', 1, "b", b'["x\\"b", "N"]'),  # ends as it
        (b'["x", ",", "x"]', 1, ",", b'["x", "N", "x"]'),
        (b'["x","b",","]', 2, ",", b'["x","b","N"]'),  # what stands between two looks like it
        (b'["a\\\\", "b"]', 1, "b", b'["a\\\\", "N"]'),
        (b'["\\u0041", "A"]', 0, "A", b'["N", "A"]'),  # written as nobody does
        (b'["\\/x", "y"]', 1, "y", b'["\\/x", "N"]'),
        (b'["a","a","a","a","a","a","a","a","a","a","a","a"]', 11, "a", None),
    ],
)
def test_what_looks_like_it_is_not_taken_for_it(
    content: bytes, ordinal: int, before: str, after: bytes | None
) -> None:
    expected = json.loads(content)
    expected[ordinal] = "N"
    spliced = splice(content, {ordinal: "N"}, {ordinal: before})

    assert json.loads(spliced) == expected
    assert after is None or spliced == after


def test_a_text_that_is_written_strangely_does_not_keep_others_from_being_found() -> None:
    content = b'["\\u0041", "A", "B"]'

    assert splice(content, {0: "1", 2: "2"}, {0: "C", 2: "B"}) == b'["1", "A", "2"]'


@given(trees, writings)
def test_literals_are_as_many_as_strings(tree: Any, writing: dict[str, Any]) -> None:
    content = json.dumps(tree, **writing).encode()

    assert count_literals(content) == count_strings(tree)
    assert count_quotes(content) == 2 * count_strings(tree)


def test_members_are_added_at_the_end() -> None:
    assert append(b'{"a": 1} ', {"b": b"[2]", "c": b"3"}) == b'{"a": 1,"b":[2],"c":3} '
    assert append(b"{ }", {"b": b"2"}) == b'{ "b":2}'
    assert append(b"{}", {}) == b"{}"
