"""What all forms are made of."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.forms.form import FormError, documents, merge, objects, parsed
from tollgate.calls import Event


def test_documents_are_the_json_objects_of_a_stream_with_their_names() -> None:
    events = [Event(b'{"type": "a"}'), Event(b'{"x": 1}', "b"), Event(b"[DONE]"), Event(None)]

    assert list(documents(events)) == [("a", {"type": "a"}), ("b", {"x": 1})]


def test_documents_may_be_changed() -> None:
    event = Event(b'{"a": []}')
    for _, document in documents([event]):
        document["a"].append(1)

    assert event.json() == {"a": []}


def test_a_broken_document_is_an_error() -> None:
    with pytest.raises(FormError):
        list(documents([Event(b"{broken")]))


MERGED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"text": "a"}, {"text": "b"}, {"text": "ab"}),
    ({"role": "assistant"}, {"role": "assistant"}, {"role": "assistant"}),
    ({"a": "x"}, {"a": None}, {"a": "x"}),
    ({}, {"a": None}, {"a": None}),
    ({"a": None}, {"a": "x"}, {"a": "x"}),
    ({"a": 1}, {"a": 2}, {"a": 2}),
    ({"a": "x"}, {"a": 2}, {"a": 2}),
    ({"a": {"t": "x"}}, {"a": {"t": "y", "u": 1}}, {"a": {"t": "xy", "u": 1}}),
    ({"l": [1]}, {"l": [2]}, {"l": [1, 2]}),
    ({"l": [{"index": 0, "t": "a"}]}, {"l": [{"index": 0, "t": "b"}]}, {"l": [{"index": 0, "t": "ab"}]}),
    ({"l": [{"index": 0}]}, {"l": [{"index": 1}]}, {"l": [{"index": 0}, {"index": 1}]}),
    ({"l": [1]}, {"l": [{"index": 0}]}, {"l": [1, {"index": 0}]}),
    ({"l": [{"type": "image"}]}, {"l": [{"type": "image"}]}, {"l": [{"type": "image"}, {"type": "image"}]}),
    ({"l": []}, {"l": "a"}, {"l": [{"type": "text", "text": "a"}]}),
    ({"l": "a"}, {"l": [{"type": "text", "text": "b"}]}, {"l": [{"type": "text", "text": "ab"}]}),
    ({"l": ""}, {"l": [{"type": "thinking"}]}, {"l": [{"type": "thinking"}]}),
]


@pytest.mark.parametrize(("held", "piece", "both"), MERGED)
def test_deltas_are_put_together(held: dict[str, Any], piece: dict[str, Any], both: dict[str, Any]) -> None:
    merge(held, piece)

    assert held == both


def test_only_objects_are_objects() -> None:
    assert objects([{}, 1, "x", {"a": 1}]) == [{}, {"a": 1}]
    assert objects(None) == objects({"a": 1}) == []


def test_a_tools_input_is_json_or_nothing() -> None:
    assert parsed(" ") == {}
    assert parsed('{"a": 1}') == {"a": 1}
    with pytest.raises(FormError):
        parsed('{"a": ')
