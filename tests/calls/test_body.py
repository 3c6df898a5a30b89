"""Bodies are read once and changed to the byte."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.trees import SHAPE, trees
from tollgate.calls import Body, BodyError, Slot
from tollgate.calls.body import count_strings
from tollgate.calls.contents import find_slots
from tollgate.calls.literals import count_literals, splice

spacings = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", " :\t")])


def parsed(content: bytes, shape: object = SHAPE) -> Body:
    body = Body(content)
    body.parse(shape)  # type: ignore[arg-type]
    return body


@given(trees, st.booleans(), spacings)
def test_untouched_bodies_keep_their_bytes(tree: object, ascii_only: bool, spacing: tuple[str, str]) -> None:
    content = json.dumps(tree, ensure_ascii=ascii_only, separators=spacing).encode()
    body = parsed(content, {})

    assert body.render() == content
    assert body.json == tree


@given(trees, st.booleans(), spacings, st.data())
def test_edits_change_just_their_slots(
    tree: object, ascii_only: bool, spacing: tuple[str, str], data: st.DataObject
) -> None:
    """Of all slots of the rendered body only the edited ones differ, and all else stays byte for byte."""
    content = json.dumps(tree, ensure_ascii=ascii_only, separators=spacing).encode()
    body = parsed(content, {})
    values = [slot for slot in body.slots if slot.kind != "key"]
    chosen = data.draw(st.lists(st.sampled_from(values), unique=True) if values else st.just([]))
    for slot in chosen:
        body.edit(slot, slot.text + '"\\é\n')
    edited = {slot.ordinal: slot.text + '"\\é\n' for slot in chosen}

    after = find_slots(json.loads(body.render()), {})
    assert [slot.text for slot in after] == [edited.get(s.ordinal, s.text) for s in body.slots]
    back = {slot.ordinal: slot.text for slot in chosen}
    if not ascii_only:
        assert json.loads(splice(body.render(), back)) == json.loads(content)


@given(trees, st.booleans())
def test_literals_in_bytes_and_strings_in_the_tree_are_as_many(tree: object, ascii_only: bool) -> None:
    assert count_literals(json.dumps(tree, ensure_ascii=ascii_only).encode()) == count_strings(tree)


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1, "a": 2}',
        b'{"a": "x", "b": {"c": 1, "c": "y"}}',
        b'[{"a": {}}, {"a": {}, "a": {}}]',
        b'{"a\\u0062": 1, "ab": 2}',
        b'{"\\\\": "\\\\\\"", "\\\\": 1}',
    ],
)
def test_duplicate_keys_are_found(content: bytes) -> None:
    """However deep they stand, and however their keys are escaped."""
    with pytest.raises(BodyError) as error:
        parsed(content)

    assert error.value.code == "duplicate_keys"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'{"a": ', "invalid_json"),
        (b"{'a': 1}", "invalid_json"),
        (b'{"a": NaN}', "invalid_json"),
        (b'{"a": "\xff"}', "invalid_json"),
        (b'{"a": "\\ud800"}', "invalid_json"),
        (b"[" * 300 + b"]" * 300, "too_deep"),
    ],
)
def test_what_cannot_be_inspected_says_why(content: bytes, code: str) -> None:
    with pytest.raises(BodyError) as error:
        parsed(content)

    assert error.value.code == code


def test_invalid_json_is_located() -> None:
    with pytest.raises(BodyError, match="line 2, column 7"):
        parsed(b'{"a": 1,\n "b": }')


def test_an_edited_body_shows_its_edits() -> None:
    body = parsed(b'{"messages": [{"role": "user", "content": "my name is Ada"}]}')
    slot = body.slots[0]

    assert (body.parsed, body.edited, body.text(slot)) == (True, False, "my name is Ada")
    body.edit(slot, "my name is X1")
    assert (body.edited, body.text(slot)) == (True, "my name is X1")
    assert body.json["messages"][0]["content"] == "my name is X1"
    assert body.render() == body.render() == b'{"messages": [{"role": "user", "content": "my name is X1"}]}'


def test_a_body_that_was_not_parsed_has_no_slots() -> None:
    body = Body(b"\x1f\x8b", b"decoded", "gzip")

    assert (body.parsed, body.json, body.slots, body.render()) == (False, None, [], b"decoded")


@pytest.mark.parametrize(
    ("content", "rendered"),
    [
        (b"{}", b'{"b":[1]}'),
        (b'{ "a":1 } \n', b'{ "a":1 ,"b":[1]} \n'),
        (b'{"a":{}}', b'{"a":{},"b":[1]}'),
        (b'{"a":"}"}', b'{"a":"}","b":[1]}'),
    ],
)
def test_a_member_is_added_at_the_end_and_no_byte_changes(content: bytes, rendered: bytes) -> None:
    body = Body(content)
    body.parse({})
    assert not body.edited

    body.add("b", b"[1]")
    assert body.edited
    assert body.render() == rendered
    assert body.json["b"] == [1]


def test_a_value_is_read_by_its_path() -> None:
    body = parsed(b'{"messages": [{"content": "a"}, {"content": "b"}]}')

    assert body.at(("messages", 1, "content")) == "b"
    assert body.at(()) == body.json


@given(trees, st.data())
def test_the_tree_shows_the_edits_and_the_one_before_does_not(tree: object, data: st.DataObject) -> None:
    content = json.dumps(tree).encode()
    body = parsed(content, {})
    chosen = data.draw(st.lists(st.sampled_from(body.slots), unique=True) if body.slots else st.just([]))
    before = body.json
    for n, slot in enumerate(chosen):
        body.edit(slot, f"another {n}")

    assert body.json == json.loads(body.render())
    assert before == json.loads(content)


def test_a_copy_is_edited_by_itself() -> None:
    body = parsed(b'{"messages": [{"content": "a"}], "n": 1}')
    body.edit(body.slots[0], "b")
    other = body.copy()
    other.edit(body.slots[0], "c")
    other.add("m", b"2")

    assert body.render() == b'{"messages": [{"content": "b"}], "n": 1}'
    assert other.render() == b'{"messages": [{"content": "c"}], "n": 1,"m":2}'
    assert body.json == {"messages": [{"content": "b"}], "n": 1}
    assert other.json == {"messages": [{"content": "c"}], "n": 1, "m": 2}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a":[1,0.5,"x"]}', True),
        (b'{"a": 1}', False),
        (b'{"a":0.12345678901234560001}', False),
        (b"1.0", True),
    ],
)
def test_it_is_known_whether_a_body_is_written_as_it_would_be_again(content: bytes, expected: bool) -> None:
    assert parsed(content).as_written is expected


def test_a_text_that_is_given_when_asked_for_is_a_text() -> None:
    body = parsed(b'{"messages":[{"content":"one"},{"content":"two"}]}')
    one, two = body.slots

    body.edit(one, lambda: "1")
    body.edit(two, lambda: "2")

    assert body.render() == b'{"messages":[{"content":"1"},{"content":"2"}]}'
    assert (body.text(one), body.json["messages"][1]) == ("1", {"content": "2"})


def test_what_the_caller_has_written_is_taken_until_more_changes() -> None:
    body = parsed(b'{"messages":[{"content":"one"},{"content":"two"}]}')
    one, two = body.slots

    asked: list[Slot] = []

    def edits() -> Iterator[tuple[Slot, str]]:
        asked.append(one)
        yield one, "1"

    body.edit_all(edits(), b'{"messages":[{"content":"1"},{"content":"two"} ]}')
    assert body.edited
    body.add("n", b"1")
    assert body.render() == b'{"messages":[{"content":"1"},{"content":"two"} ],"n":1}'
    assert not asked, "nobody had to know what changes"

    body.edit(two, "2")
    assert body.render() == b'{"messages":[{"content":"1"},{"content":"2"}],"n":1}'
