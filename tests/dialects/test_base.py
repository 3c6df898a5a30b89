from __future__ import annotations

from typing import Any

import orjson
import pytest

from tollgate.calls import Event, Usage
from tollgate.dialects.base import Dialect, json_of
from tollgate.dialects.counts import Counts
from tollgate.dialects.ends import matching
from tollgate.dialects.errors import Errors

ROW = Dialect(
    name="row",
    version="v1",
    shape={},
    usage_marks=(b'"usage"',),
    asked=("model", "agent"),
    answered=("answer.model", "model"),
    stream_verbs=frozenset({"streamIt"}),
    framing_without_sse="json-array",
    counts=Counts(fields={"input": ("in",)}),
    errors=Errors(whole={"error": "$message"}, stream=(("error", {"error": "$code"}),)),
    ends=matching(rb"end"),
    header_usage={"x-input": "input", "x-output": "output"},
)
BY_PATH = Dialect(
    name="by-path",
    shape={},
    usage_marks=(),
    stream_verbs=frozenset({"streamIt"}),
    stream_flag=False,
    counts=ROW.counts,
    errors=ROW.errors,
    ends=ROW.ends,
)
UNASKED = Dialect(
    name="unasked",
    shape={},
    framing="ndjson",
    usage_marks=(),
    streams_unasked=True,
    counts=ROW.counts,
    errors=ROW.errors,
    ends=ROW.ends,
)


@pytest.mark.parametrize(
    ("body", "params", "model"),
    [
        ({"model": "m"}, {}, "m"),
        ({"model": "m"}, {"model": "from-the-path"}, "from-the-path"),
        ({"agent": "a"}, {}, "a"),
        ({"model": 7}, {}, ""),
        (None, {}, ""),
        ([], {"model": ""}, ""),
    ],
)
def test_the_model_asked_for_is_the_paths_or_else_the_bodys(
    body: Any, params: dict[str, str], model: str
) -> None:
    assert ROW.model(body, params) == model


@pytest.mark.parametrize(
    ("row", "body", "params", "streams"),
    [
        (ROW, {"stream": True}, {}, True),
        (ROW, {"stream": False}, {}, False),
        (ROW, {"stream": "yes"}, {}, False),
        (ROW, {}, {}, False),
        (ROW, None, {}, False),
        (ROW, {}, {"verb": "streamIt"}, True),
        (BY_PATH, {"stream": True}, {"verb": "justIt"}, False),
        (BY_PATH, {}, {"verb": "streamIt"}, True),
        (UNASKED, {}, {}, True),
        (UNASKED, {"stream": None}, {}, True),
        (UNASKED, {"stream": False}, {}, False),
    ],
)
def test_a_stream_is_asked_for_by_body_path_or_habit(
    row: Dialect, body: Any, params: dict[str, str], streams: bool
) -> None:
    assert row.streams(body, params) is streams


@pytest.mark.parametrize(
    ("row", "params", "framing"),
    [(ROW, {}, "json-array"), (ROW, {"alt": "sse"}, "sse"), (BY_PATH, {}, "sse"), (UNASKED, {}, "ndjson")],
)
def test_the_framing_may_depend_on_the_query(row: Dialect, params: dict[str, str], framing: str) -> None:
    assert row.expected_framing(params) == framing


@pytest.mark.parametrize(
    ("data", "document"),
    [
        (b'{"a":1}', {"a": 1}),
        (b'\n {"a":1}', {"a": 1}),
        (b"[DONE]", None),
        (b"[1]", None),
        (b"{", None),
        (b"", None),
        (None, None),
    ],
)
def test_only_an_object_is_a_payload(data: bytes | None, document: Any) -> None:
    assert json_of(Event(data)) == document
    assert ROW.payload(Event(data)) == document


@pytest.mark.parametrize(
    ("document", "model"),
    [({"answer": {"model": "m"}}, "m"), ({"model": "m"}, "m"), ({}, ""), (None, ""), ([], "")],
)
def test_the_model_that_answered_is_found(document: Any, model: str) -> None:
    assert ROW.answered_model(document) == model


def test_usage_is_read_by_the_table() -> None:
    assert ROW.usage({"usage": {"in": 3}}) == Usage(input=3)
    assert ROW.usage({}, Usage(input=1)) == Usage(input=1)


@pytest.mark.parametrize(
    ("headers", "usage"),
    [
        ({"x-input": "3", "x-output": "4"}, Usage(input=3, output=4)),
        ({"x-input": "3", "x-output": "none"}, Usage(input=3)),
        ({"x-input": "-3"}, None),
        ({"x-input": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_headers_may_say_usage(headers: dict[str, str], usage: Usage | None) -> None:
    assert ROW.usage_of_headers(headers) == usage


def test_the_end_is_told_by_the_row() -> None:
    assert ROW.is_last(Event(b"the end"))
    assert not ROW.is_last(Event(b"not yet"))


def test_errors_are_worded_by_the_row() -> None:
    assert orjson.loads(ROW.error_body(400, "no", "code", "id")) == {"error": "no"}
    assert ROW.error_headers(400, "code") == {"content-type": "application/json"}
    assert [event.json() for event in ROW.error_events("no", "cut", "id")] == [{"error": "cut"}]
    assert ROW.stream_error(Event(b'{"error":{"code":"busy"}}')) == "busy"


def test_a_row_is_shown_by_its_name() -> None:
    assert repr(ROW) == "Dialect('row', 'v1')"
