"""Writing answers anew."""

import json
from base64 import b64encode

import orjson
import pytest

from tollgate.calls import Event
from tollgate.dlp.rewrite import rewrite, unwrap, without_logprobs, wrap


def test_without_edits_the_very_bytes_stay() -> None:
    data = b'{"a" : "b", "logprobs": [1]}'

    assert rewrite(data, orjson.loads(data), {}) is data


def test_only_the_edited_strings_are_written() -> None:
    data = b'{"a" : "b",\n"c":\t["d", 1.0]}'

    assert rewrite(data, orjson.loads(data), {1: '"x"', 3: "y"}) == b'{"a" : "\\"x\\"",\n"c":\t["y", 1.0]}'


def test_a_key_that_stands_twice_stands_once_then() -> None:
    data = b'{"a": "one", "a": "two"}'

    assert rewrite(data, orjson.loads(data), {1: "three"}) == b'{"a":"three"}'


def test_log_probabilities_are_dropped_with_an_edit() -> None:
    data = b'{"text": "a", "logprobs": {"content": ["a"]}}'

    assert json.loads(rewrite(data, orjson.loads(data), {1: "b"})) == {"text": "b", "logprobs": None}


def test_log_probabilities_keep_their_kind() -> None:
    tree = {"part": [{"logprobs": [{"token": "a"}], "n": 1}], "logprobsResult": {"a": 1}, "logprobs": None}

    assert without_logprobs(tree) == {
        "part": [{"logprobs": [], "n": 1}],
        "logprobsResult": None,
        "logprobs": None,
    }


def test_an_event_within_an_event() -> None:
    inner, other = b'{"text": "a"}', b'{"text": "b"}'
    event = Event(b'{"bytes": "%b", "p": "abc"}' % b64encode(inner), "chunk")

    assert unwrap(event) == inner
    assert wrap(event, other) == b'{"bytes": "%b", "p": "abc"}' % b64encode(other)


@pytest.mark.parametrize("data", [None, b"{}", b'{"bytes": "a"}', b'{"bytes": ""}'])
def test_what_holds_no_event_is_one_itself(data: bytes | None) -> None:
    event = Event(data)

    assert unwrap(event) == (b"" if data == b'{"bytes": ""}' else data)
    assert wrap(Event(b"{}"), b"other") == b"other"
