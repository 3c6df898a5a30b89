"""A kept answer as it is given again."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import Any

import pytest

from support.upstream import make_call, make_request
from tollgate.cache.entry import Entry, Piece
from tollgate.cache.replay import CACHE, fits, fresh, new_id, paced, render, replay
from tollgate.calls import Answer, Call, End, Event

NOW = 2_000_000_000.0
MESSAGE = {"role": "assistant", "content": "hello"}
BODY = {
    "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT",
    "object": "chat.completion",
    "created": 1700000000,
    "model": "gpt-6",
    "choices": [{"index": 0, "message": MESSAGE, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
WHOLE = Entry(
    created=NOW - 30,
    ttl=60.0,
    dialect="openai-chat",
    provider="openai",
    operation="chat",
    model="gpt-6",
    headers=(("content-type", "application/json; charset=utf-8"), ("x-request-id", "req_0a1b2c")),
    body=json.dumps(BODY, separators=(",", ":")).encode(),
    ids=(str(BODY["id"]),),
)
CHUNKS = [
    {"id": BODY["id"], "created": 1700000000, "choices": [{"index": 0, "delta": MESSAGE}]},
    {
        "id": BODY["id"],
        "created": 1700000000,
        "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
    },
]
STREAM = replace(
    WHOLE,
    headers=(("content-type", "text/event-stream"),),
    body=b"",
    pieces=(
        *(
            Piece(n * 20, "", json.dumps(chunk, separators=(",", ":")).encode())
            for n, chunk in enumerate(CHUNKS)
        ),
        Piece(40, "", b"[DONE]"),
    ),
)


def call_of(stream: bool = False, speaks: str = "openai-chat", body: Any = None, **policy: Any) -> Call:
    request = make_request(json.dumps(body or {"model": "gpt-6"}).encode())
    call = make_call(request, stream=stream, speaks=speaks, policy={"cache": policy})
    call.request.body.parse(call.dialect.shape)
    return call


async def events_of(answer: Answer | None) -> list[Event]:
    assert answer is not None
    assert answer.events is not None
    return [event async for batch in answer.events for event in batch]


def told(answer: Answer | None) -> Any:
    assert answer is not None
    return answer.json()


async def test_an_id_as_short_as_a_word_is_no_word() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "c"}}]}
    entry = replace(STREAM, ids=("c",), pieces=(Piece(0, "", json.dumps(chunk).encode()),))

    event, _ = await events_of(replay(call_of(stream=True), entry, NOW))

    given = json.loads(event.data or b"")
    assert given["choices"] == chunk["choices"]
    assert len(given["id"]) == 1


def test_a_whole_answer_is_given_whole_with_another_id_and_time() -> None:
    answer = replay(call_of(), WHOLE, NOW)

    again = told(answer)
    assert again["id"] != BODY["id"]
    assert re.fullmatch(r"chatcmpl-[0-9A-Za-z]{29}", again["id"])
    assert again["created"] == NOW
    assert {**again, "id": BODY["id"], "created": BODY["created"]} == BODY


def test_its_headers_say_what_it_is_and_how_old() -> None:
    answer = replay(call_of(), WHOLE, NOW)

    assert answer is not None
    assert answer.source == "cache"
    assert answer.headers[CACHE] == "hit"
    assert answer.headers["age"] == "30"
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert re.fullmatch(r"req_[0-9a-f]{6}", answer.headers["x-request-id"])
    assert answer.headers["x-request-id"] != "req_0a1b2c"


async def test_a_stream_is_given_as_it_was() -> None:
    events = await events_of(replay(call_of(stream=True), STREAM, NOW))

    *chunks, done, end = events
    assert done.data == b"[DONE]"
    assert isinstance(end, End)
    assert len({chunk.json()["id"] for chunk in chunks} | {BODY["id"]}) == 2
    assert [chunk.json()["choices"] for chunk in chunks] == [chunk["choices"] for chunk in CHUNKS]


async def test_a_whole_answer_serves_a_stream() -> None:
    answer = replay(call_of(stream=True), WHOLE, NOW)

    assert answer is not None
    assert (answer.framing, answer.headers["content-type"]) == ("sse", "text/event-stream")
    deltas = [e.json()["choices"][0]["delta"] for e in (await events_of(answer))[:-2]]
    assert "".join(delta.get("content", "") for delta in deltas) == "hello"


async def test_a_stream_serves_a_whole_answer_where_it_is_known_what_was_used() -> None:
    assert replay(call_of(), STREAM, NOW) is None

    again = told(replay(call_of(), replace(STREAM, usage={"input": 1, "output": 2}), NOW))

    assert again["choices"][0]["message"]["content"] == "hello"
    assert again["usage"]["total_tokens"] == 3


async def test_a_stream_with_other_options_is_made_anew() -> None:
    asks = call_of(stream=True, body={"stream_options": {"include_usage": True}})

    events = await events_of(replay(asks, replace(STREAM, usage={"input": 1}), NOW))

    assert events[-3].json()["usage"]["prompt_tokens"] == 1


def test_what_cannot_be_read_is_not_given() -> None:
    assert replay(call_of(stream=True), replace(WHOLE, body=b"no json"), NOW) is None
    assert replay(call_of(stream=True), replace(WHOLE, dialect="of another version"), NOW) is None


async def test_gemini_has_the_framing_that_is_asked_for() -> None:
    call = call_of(stream=True, speaks="gemini")
    entry = replace(WHOLE, dialect="gemini", body=b'{"candidates":[{"finishReason":"STOP"}]}', ids=())

    plain = replay(call, entry, NOW)
    call.params = {"alt": "sse"}
    sse = replay(call, entry, NOW)

    assert plain is not None
    assert sse is not None
    assert (plain.framing, sse.framing) == ("json-array", "sse")
    await events_of(plain)
    await events_of(sse)


async def test_each_item_of_an_array_is_one_line_of_a_stream() -> None:
    item = {"candidates": [{"finishReason": "STOP", "content": {"parts": [{"text": "a\nb"}]}}]}
    pieces = (Piece(0, "", json.dumps(item, indent=2).replace("\n", "\r\n").encode()),)
    call = call_of(stream=True, speaks="gemini")
    call.params = {"alt": "sse"}

    event, _ = await events_of(replay(call, replace(STREAM, dialect="gemini", pieces=pieces, ids=()), NOW))

    assert len((event.data or b"").splitlines()) == 1
    assert event.json() == item


def test_a_stream_can_be_written_out_for_a_head_that_is_gone() -> None:
    answer = render(call_of(stream=True), STREAM, NOW)

    assert answer is not None
    assert not answer.streamed
    assert answer.body.startswith(b"data: {")
    assert answer.body.endswith(b"data: [DONE]\n\n")
    assert told(render(call_of(), WHOLE, NOW))["choices"] == BODY["choices"]
    assert render(call_of(), STREAM, NOW) is None


async def test_a_stream_can_take_its_time() -> None:
    call = call_of(stream=True, pace="original")
    began = time.monotonic()

    events = await events_of(replay(call, STREAM, NOW))

    assert len(events) == 4
    assert time.monotonic() - began >= 0.04


async def test_events_without_times_come_at_once() -> None:
    batches = [batch async for batch in paced([Event(b"a"), Event(b"b")], ())]

    assert [len(batch) for batch in batches] == [3]


@pytest.mark.parametrize(("tokens", "max_age", "fitting"), [
    ((), None, True),
    ((), 31.0, True),
    ((), 29.0, False),
    (("qzxsaaaaaaaaaa",), None, True),
    (("qzxsbbbbbbbbbb",), None, False),
])  # fmt: skip
def test_an_entry_fits_a_call(tokens: tuple[str, ...], max_age: float | None, fitting: bool) -> None:
    call = call_of(body={"text": "of QZXSAAAAAAAAAA"})

    assert fits(call, replace(WHOLE, tokens=tokens), NOW, max_age) == fitting


@pytest.mark.parametrize(
    ("age", "ttl", "is_fresh"),
    [(0, 60, True), (60, 60, True), (61, 90, False), (31, 30, False), (-5, 60, False)],
)
def test_an_entry_is_fresh_for_the_shorter_of_two_times(age: float, ttl: float, is_fresh: bool) -> None:
    assert fresh(replace(WHOLE, created=NOW - age), NOW, ttl) == is_fresh


@pytest.mark.parametrize(
    ("old", "shape"),
    [
        ("msg_01XFDUDYJgAACzvnptvVoYEL", r"msg_\d\d[A-Z]{6}[A-Z][a-z][A-Z]{3}[A-Za-z]+"),
        ("chatcmpl-0a1b", r"chatcmpl-[0-9a-f]{4}"),
        (
            "6f2c1d3e-aaaa-4bbb-8ccc-0123456789ab",
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        ),
        ("~", "~"),
    ],
)
def test_a_new_id_looks_like_the_old_one(old: str, shape: str) -> None:
    new = new_id(old)

    assert re.fullmatch(shape, new)
    assert len(new) == len(old)
    assert new != old or old == "~"


def test_times_are_written_as_the_dialect_has_them() -> None:
    body = b'{"model":"m","created_at":"2026-01-01T00:00:00Z","message":{"content":"x"},"done":true}'
    entry = replace(WHOLE, dialect="ollama", body=body, ids=())

    assert told(replay(call_of(speaks="ollama"), entry, NOW))["created_at"] == "2033-05-18T03:33:20.000000Z"


def test_what_a_model_says_of_times_and_ids_stays() -> None:
    said = {"createTime": "2024-01-01T00:00:00Z", "responseId": "r1", "text": '"}'}
    part = {"functionCall": {"name": "f", "args": said}}
    answer = {"candidates": [{"content": {"parts": [part, part]}}], **said}
    entry = replace(WHOLE, dialect="gemini", body=json.dumps(answer).encode(), ids=("r1",))

    given = told(replay(call_of(speaks="gemini"), entry, NOW))

    assert given["candidates"] == answer["candidates"]
    assert given["createTime"] == "2033-05-18T03:33:20.000000Z"
    assert given["responseId"] != "r1"


async def test_an_answer_within_its_event_has_new_times_too() -> None:
    event = {"type": "response.completed", "response": {"created_at": 1, "completed_at": 2, "output": [{}]}}
    pieces = (Piece(0, "response.completed", json.dumps(event).encode()),)
    entry = replace(STREAM, dialect="openai-responses", pieces=pieces, ids=())

    given, _ = await events_of(replay(call_of(stream=True, speaks="openai-responses"), entry, NOW))

    response = given.json()["response"]
    assert (response["created_at"], response["completed_at"]) == (NOW, NOW)
