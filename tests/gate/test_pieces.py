"""Streamed events and errors as bytes."""

from __future__ import annotations

import json

import pytest

from support.rooms import Answers, Spy, sse
from support.upstream import make_call
from tollgate.calls import Answer, End, Event, Failed, Refused
from tollgate.dialects import FRAMINGS
from tollgate.gate.pieces import CALL_ID, Pieces, error_answer
from tollgate.gate.walk import Walk, rooms_of


async def walk(*rooms: object, speaks: str = "openai-chat") -> Walk:
    walk = Walk(make_call(speaks=speaks), rooms_of([*rooms, Answers(Answer(200))]))
    await walk.down()
    return walk


async def test_untouched_events_are_the_bytes_they_came_in_as() -> None:
    pieces = Pieces(await walk(), "sse")
    comment = Event(None, raw=b": keep-alive\n\n")

    assert pieces.up([comment, *sse("a", "b")]) == b": keep-alive\n\ndata: a\n\ndata: b\n\n"
    assert pieces.error == ""


async def test_rooms_change_events_and_are_not_shown_keep_alives() -> None:
    spy = Spy(event=lambda event: [event] if isinstance(event, End) else [event.with_data(b"y")])
    w = await walk(spy)
    comment = Event(None, raw=b": keep-alive\n\n")

    assert Pieces(w, "sse").up([comment, *sse("x")]) == b": keep-alive\n\ndata: y\n\n"
    assert spy.seen == ["spy.request", "spy.event", "spy.event"]
    assert w.call.events_out == 3


@pytest.mark.parametrize("rooms", [[], [Spy()]], ids=["plain", "watched"])
async def test_why_a_stream_broke_off_is_kept(rooms: list[object]) -> None:
    pieces = Pieces(await walk(*rooms), "sse")

    pieces.up(sse("a", error="it was cut"))

    assert pieces.error == "it was cut"


ENDS = [
    ("openai-chat", "sse"),
    ("openai-responses", "sse"),
    ("anthropic-messages", "sse"),
    ("gemini", "sse"),
    ("gemini", "json-array"),
    ("bedrock-converse", "eventstream"),
    ("bedrock-invoke", "eventstream"),
    ("cohere-chat", "sse"),
    ("ollama", "ndjson"),
]


@pytest.mark.parametrize(("speaks", "framing"), ENDS)
@pytest.mark.parametrize("begun", [False, True])
async def test_a_broken_stream_still_fits_its_framing_and_says_why(
    speaks: str, framing: str, begun: bool
) -> None:
    """What the client gets as a whole can be cut into events, of which the last tells the error."""
    pieces = Pieces(await walk(speaks=speaks), framing)
    event = Event(b'{"a":1}')

    out = pieces.up([event] if begun else []) + pieces.up([End("it was cut")])
    out += pieces.broken_off(Failed("It broke off.", code="stream_cut"))

    decoder = FRAMINGS[framing].decoder()
    events = [e for e in (*decoder.feed(out), *decoder.close()) if e.data is not None]
    assert (events[0].data == event.data) is begun
    assert b"It broke off." in (events[-1].data or b"") + (events[-2].data or b"" if len(events) > 1 else b"")


async def test_bytes_that_nobody_looks_into_have_no_way_to_say_an_error() -> None:
    assert Pieces(await walk(), "raw").broken_off(Failed("x", code="stream_cut")) == b""


@pytest.mark.parametrize(
    ("speaks", "where"),
    [
        ("openai-chat", ("error", "message")),
        ("anthropic-messages", ("error", "message")),
        ("gemini", ("error", "message")),
        ("bedrock-converse", ("message",)),
        ("cohere-chat", ("message",)),
        ("ollama", ("error",)),
    ],
)
def test_an_error_is_shaped_as_the_dialects_sdk_expects_it(speaks: str, where: tuple[str, ...]) -> None:
    call = make_call(speaks=speaks)

    answer = error_answer(call, Refused("No secrets, please.", code="secret"))

    document = json.loads(answer.body)
    for key in where:
        document = document[key]
    assert (answer.status, document, answer.source) == (400, "No secrets, please.", "error")
    assert answer.headers["x-should-retry"] == "false"
    assert answer.headers[CALL_ID] == call.id
    assert answer.headers["content-type"] == "application/json"
