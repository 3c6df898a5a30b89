from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.calls import End, Event
from tollgate.dialects.framing import FramingError
from tollgate.dialects.jsonarray import JsonArrayDecoder, JsonArrayEncoder

type Seen = list[tuple[bytes | None, bytes | None]]


def events_of(*chunks: bytes) -> list[Event]:
    decoder = JsonArrayDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.close()


def decode(*chunks: bytes) -> Seen:
    return [(event.data, event.raw) for event in events_of(*chunks)]


@pytest.mark.parametrize(
    ("stream", "seen"),
    [
        (b"", []),
        (b" \n", [(None, b" \n")]),
        (b"[]", [(None, b"[]")]),
        (b" [ ] \n", [(None, b" [ ]"), (None, b" \n")]),
        (b"[{}]", [(b"{}", b"[{}"), (None, b"]")]),
        (b"[{}", [(b"{}", b"[{}")]),
        (b"[{}\n", [(b"{}", b"[{}"), (None, b"\n")]),
        (
            b'[{"a": 1}\n,\r\n{"b": [2]}\n]\n',
            [
                (b'{"a": 1}', b'[{"a": 1}'),
                (b'{"b": [2]}', b'\n,\r\n{"b": [2]}'),
                (None, b"\n]"),
                (None, b"\n"),
            ],
        ),
        (b"[[1, {}], [[]]]", [(b"[1, {}]", b"[[1, {}]"), (b"[[]]", b", [[]]"), (None, b"]")]),
        (b'[{"a]}": "[{\\"}\\\\"}]', [(b'{"a]}": "[{\\"}\\\\"}', b'[{"a]}": "[{\\"}\\\\"}'), (None, b"]")]),
        (b'[{"a": "\xe2\x82"}]', [(b'{"a": "\xe2\x82"}', b'[{"a": "\xe2\x82"}'), (None, b"]")]),
    ],
)
def test_each_element_is_an_event(stream: bytes, seen: Seen) -> None:
    assert decode(stream) == seen
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == seen


def test_an_element_does_not_wait_for_the_one_after_it() -> None:
    assert [event.data for event in JsonArrayDecoder().feed(b'[{"a": 1}')] == [b'{"a": 1}']


values = st.recursive(
    st.none() | st.integers() | st.text(alphabet='"\\[]{},\n é'),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
arrays = st.lists(st.dictionaries(st.text(max_size=3), values, max_size=3) | st.lists(values, max_size=3))


@given(elements=arrays, indent=st.sampled_from([None, 2]), size=st.integers(1, 40))
def test_any_chunking_gives_the_same_events_and_loses_no_byte(
    elements: list[Any], indent: int | None, size: int
) -> None:
    stream = json.dumps(elements, indent=indent, ensure_ascii=False).encode()
    whole = decode(stream)
    assert decode(*(stream[i : i + size] for i in range(0, len(stream), size))) == whole
    assert [json.loads(data) for data, _ in whole if data is not None] == elements
    assert b"".join(raw or b"" for _, raw in whole) == stream


@pytest.mark.parametrize(
    "stream", [b"{}", b"[1]", b'["a"]', b"[{} {}]", b"[{},]", b"[,{}]", b"[{}]]", b"[{}]{}"]
)
def test_what_is_no_array_of_objects_is_an_error(stream: bytes) -> None:
    with pytest.raises(FramingError, match="no JSON array of objects"):
        decode(stream)


@pytest.mark.parametrize("stream", [b"[", b"[{}, ", b'[{"a": "b', b'[{"a": "b\\', b"[{}, {"])
def test_an_array_that_ends_inside_an_element_is_an_error(stream: bytes) -> None:
    with pytest.raises(FramingError, match="ended inside an element"):
        decode(stream)


def test_an_element_over_the_limit_is_not_held_for_ever() -> None:
    decoder = JsonArrayDecoder(limit=10)
    assert [event.data for event in decoder.feed(b'[{},{"a": "bcdef')] == [b"{}"]
    with pytest.raises(FramingError, match="larger than 10 bytes"):
        decoder.feed(b"g")


def encode(*events: Event) -> bytes:
    encoder = JsonArrayEncoder()
    return b"".join(map(encoder.encode, events))


@pytest.mark.parametrize(
    "stream", [b"[]", b" [ ] \n", b"[{}]", b'[{"a": 1}\n,\r\n{"b": 2}\n]\n', b"[[1], [2]]"]
)
def test_untouched_events_are_the_bytes_that_came(stream: bytes) -> None:
    assert encode(*events_of(stream), End()) == stream


STREAM = b"[{}, [1], {}\n]\n"


def dropped(events: list[Event], at: int) -> list[Event]:
    return events[:at] + events[at + 1 :]


def changed(events: list[Event], at: int) -> list[Event]:
    return [*events[:at], events[at].with_data(b'{"new": 1}'), *events[at + 1 :]]


def inserted(events: list[Event], at: int) -> list[Event]:
    return [*events[:at], Event(b'{"new": 1}'), *events[at:]]


@pytest.mark.parametrize(
    ("touch", "at", "elements"),
    [
        (dropped, 0, [[1], {}]),
        (dropped, 1, [{}, {}]),
        (dropped, 2, [{}, [1]]),
        (changed, 0, [{"new": 1}, [1], {}]),
        (changed, 1, [{}, {"new": 1}, {}]),
        (inserted, 0, [{"new": 1}, {}, [1], {}]),
        (inserted, 2, [{}, [1], {"new": 1}, {}]),
        (inserted, 3, [{}, [1], {}, {"new": 1}]),
        (inserted, 5, [{}, [1], {}, {"new": 1}]),
    ],
)
def test_the_array_stays_valid_whatever_rooms_do(
    touch: Callable[[list[Event], int], list[Event]], at: int, elements: list[Any]
) -> None:
    assert json.loads(encode(*touch(events_of(STREAM), at), End())) == elements


@pytest.mark.parametrize(
    ("events", "written"),
    [
        ([End()], b"[]"),
        ([Event(b"{}"), End()], b"[{}]"),
        ([Event(b"{}"), Event(b"{}"), End()], b"[{},\r\n{}]"),
        ([Event(None), End()], b"[]"),
        ([Event(None, raw=b"]"), End()], b"[]"),
        ([Event(b"{}"), Event(None, raw=b"[]"), End()], b"[{}]"),
        ([Event(b"{}", raw=b"[{}"), Event(None, raw=b"\n"), End()], b"[{}\n]"),
    ],
)
def test_the_end_closes_the_array(events: list[Event], written: bytes) -> None:
    assert encode(*events) == written


def test_an_error_is_the_last_element_of_an_array_that_broke_off() -> None:
    assert (
        encode(Event(b"{}", raw=b"[{}"), End("cut"), Event(b'{"error": 1}'), End())
        == b'[{},\r\n{"error": 1}]'
    )
