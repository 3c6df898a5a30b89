"""What stands in a body is found in document order, all of it or from a slot on."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.trees import SHAPE, trees
from tollgate.calls import Body
from tollgate.calls.contents import place_of


def parsed(content: bytes, shape: object = SHAPE) -> Body:
    body = Body(content)
    body.parse(shape)  # type: ignore[arg-type]
    return body


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'{"model": "gpt-5"}', []),
        (b'{"new": "x"}', [("new", "key", "new"), ("new", "text", "x")]),
        (b'{"messages": [{"role": "user", "content": "hi"}]}', [("messages[0].content", "text", "hi")]),
        (
            b'{"messages": [{"content": [{"type": "text", "text": "hi", "data": "aGk="}]}]}',
            [
                ("messages[0].content[0].text", "key", "text"),
                ("messages[0].content[0].text", "text", "hi"),
                ("messages[0].content[0].data", "blob", "aGk="),
            ],
        ),
        (
            b'{"messages": [{"tool_calls": [{"id": "call_1", "function": {"arguments": "{}"}}]}]}',
            [("messages[0].tool_calls[0].function.arguments", "json", "{}")],
        ),
        (b'{"secret": {"anything": ["below", {"is": "skipped"}]}}', []),
        (
            b'{"metadata": {"ticket": "T-1"}}',
            [("metadata.ticket", "key", "ticket"), ("metadata.ticket", "text", "T-1")],
        ),
        (b'"alone"', [("", "text", "alone")]),
        (b"[1, null, true]", []),
    ],
)
def test_slots_stand_where_the_shape_says(content: bytes, found: list[tuple[str, str, str]]) -> None:
    assert [(slot.place, slot.kind, slot.text) for slot in parsed(content).slots] == found


@given(trees, st.booleans())
def test_what_stands_behind_a_slot_is_the_rest(tree: object, named: bool) -> None:
    body = parsed(json.dumps(tree).encode(), SHAPE if named else {})
    every = body.contents
    for n, slot in enumerate(every.slots):
        behind = body.since(slot._replace(text=""))

        assert behind.slots == every.slots[n:]
        assert behind.numbers == [number for number in every.numbers if number.ordinal > slot.ordinal]
        assert behind.files == [file for file in every.files if file.ordinal > slot.ordinal]


def test_what_stands_behind_a_slot_of_a_known_shape() -> None:
    call = {"id": "c1", "function": {"name": "f", "arguments": "{}", "n": 10**12}}
    content = [{"type": "text", "text": "a", "file_id": "f-1"}]
    first = {"role": "user", "content": content, "tool_calls": [call]}
    body = parsed(json.dumps({"messages": [first, {**first, "more": {"x": "y"}}], "secret": "s"}).encode())
    every = body.contents

    texts = ["text", "a", "file_id", "f-1", "name", "f", "{}", "n"]
    assert [slot.text for slot in every.slots] == [*texts, *texts, "more", "x", "y"]
    for n, slot in enumerate(every.slots):
        behind = body.since(slot)
        assert behind.slots == every.slots[n:]
        assert behind.numbers == [number for number in every.numbers if number.ordinal > slot.ordinal]
        assert behind.files == [file for file in every.files if file.ordinal > slot.ordinal]


def test_files_are_found_wherever_they_are_named() -> None:
    body = parsed(b'{"file_id": "a", "x": [{"file_ids": ["b", 3, "c"]}, {"file_id": {"id": "d"}}]}', {})

    assert [file.id for file in body.contents.files] == ["a", "b", "c"]
    others = parsed(b'{"input_file_id": "a", "vector_store_ids": ["b"], "fileUri": "c", "file_uri": "d"}', {})
    assert [file.id for file in others.contents.files] == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("max_tokens", "max_tokens"),
        ("x-api$Version2", "x-api$Version2"),
        ("jane@corp.io", "…"),
        ("123-45-6789", "…"),
        ("n1234", "…"),
        ("remind me of it", "…"),
        ("a" * 40, "a" * 40),
        ("a" * 41, "…"),
        ("naïve", "…"),
        ("a\n", "…"),
        ("", "…"),
    ],
)
def test_a_place_tells_no_key_that_may_be_text(key: str, told: str) -> None:
    assert place_of(("messages", 0, key, 1, "text")) == f"messages[0].{told}[1].text"


def test_what_is_no_id_is_a_slot_where_an_id_should_stand() -> None:
    body = parsed(
        b'{"ids": ["a1", "jane@acme-mail.com"], "more": {"deep": {"x": "two words"}, "y": "one"},'
        b' "id": "my id"}',
        {"ids": "skip", "more": "skip", "id": "skip"},
    )

    assert [(slot.ordinal, slot.text, slot.kind, slot.place) for slot in body.slots] == [
        (2, "jane@acme-mail.com", "key", "ids[1]"),
        (6, "two words", "key", "more.deep.x"),
        (10, "my id", "key", "id"),
    ]


def test_large_numbers_are_found_wherever_they_stand() -> None:
    body = parsed(
        b'{"secret": {"n": [1, 4111111111111111, 4.111111111111111e15, 411111111111111.5, 1e300]},'
        b' "x": -100000000, "y": 99999999, "z": true, "f": 5555555555554444.0}'
    )

    assert [(number.place, number.value) for number in body.numbers] == [
        ("secret.n[1]", 4111111111111111),
        ("secret.n[2]", 4111111111111111),
        ("x", -100000000),
        ("f", 5555555555554444),
    ]
