from __future__ import annotations

import gzip
import zlib
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from support.upstream import CHAT, Played, make_call, raw
from tollgate.calls import Attempt, End, Event, Failed
from tollgate.calls.coding import ContentDecoder
from tollgate.dialects import FRAMINGS
from tollgate.upstream.metering import Meter
from tollgate.upstream.stream import Stream

EVENTS = [b'data: {"choices":[{"delta":{"content":"\xc3\xa9"}}]}\n\n', b": ping\n\n"]
EVENTS += [b"data: " + orjson.dumps(CHAT) + b"\n\n", b"data: [DONE]\n\n"]
WHOLE = b"".join(EVENTS)


def stream_of(
    played: Played, *, coding: ContentDecoder | None = None, framing: str = "sse"
) -> tuple[Stream, Attempt]:
    call, attempt = make_call(stream=True), Attempt("api.x", 0.0)
    meter = Meter(call, attempt, CIMultiDict()) if framing != "raw" else None
    return Stream(attempt, played.reply, FRAMINGS[framing], coding, meter), attempt


async def drain(stream: Stream) -> list[Event]:
    return [event async for batch in stream for event in batch]


def end_of(events: list[Event]) -> str:
    *others, end = events
    assert isinstance(end, End)
    assert not any(isinstance(event, End) for event in others)
    return end.error


async def test_what_comes_together_goes_on_together() -> None:
    stream, _ = stream_of(Played(EVENTS[0] + EVENTS[1], EVENTS[2], EVENTS[3]))

    batches = [[event.raw for event in batch] async for batch in stream]

    assert batches == [EVENTS[:2], [EVENTS[2]], [EVENTS[3]], [None]]


async def test_a_complete_stream_ends_without_an_error_and_is_let_go() -> None:
    played = Played(WHOLE)
    stream, attempt = stream_of(played)

    events = await drain(stream)

    assert (end_of(events), raw(events)) == ("", WHOLE)
    assert (attempt.error, played.closed) == ("", True)
    assert attempt.ended is not None
    assert attempt.usage is not None


@given(st.lists(st.integers(0, len(WHOLE))))
async def test_it_does_not_matter_how_the_network_cuts(cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(WHOLE)]
    pieces = [WHOLE[a:b] for a, b in pairwise(bounds) if b > a]
    stream, attempt = stream_of(Played(*pieces))

    events = await drain(stream)

    assert (end_of(events), [event.raw for event in events[:-1]]) == ("", EVENTS)
    assert attempt.usage is not None


async def test_a_stream_may_come_byte_by_byte() -> None:
    stream, _ = stream_of(Played(*(WHOLE[n : n + 1] for n in range(len(WHOLE)))))

    events = await drain(stream)

    assert (end_of(events), raw(events)) == ("", WHOLE)


@pytest.mark.parametrize("pieces", [[], EVENTS[:1], EVENTS[:3]])
async def test_a_stream_without_its_last_event_was_cut(pieces: list[bytes]) -> None:
    stream, attempt = stream_of(Played(*pieces))

    events = await drain(stream)

    assert raw(events) == b"".join(pieces)
    assert end_of(events) == "it was cut before its last event"
    assert attempt.error == "ended without the dialect's last event"


async def test_a_delimited_body_was_not_cut_whatever_its_last_event() -> None:
    """Not every server ends its streams as the dialect says, and clients bear it."""
    stream, attempt = stream_of(Played(*EVENTS[:1], delimited=True))

    events = await drain(stream)

    assert end_of(events) == ""
    assert attempt.error == "ended without the dialect's last event"


async def test_a_client_that_leaves_at_the_last_event_leaves_the_connection_whole() -> None:
    played = Played(*EVENTS, b"\n")
    stream, attempt = stream_of(played)
    while not attempt.complete:
        await anext(stream)

    await stream.aclose()
    assert (played.pieces, attempt.error) == ([], "")


async def test_a_last_event_without_an_empty_line_counts() -> None:
    stream, _ = stream_of(Played(EVENTS[0], b"data: [DONE]"))

    events = await drain(stream)

    assert (end_of(events), raw(events)) == ("", EVENTS[0] + b"data: [DONE]")


async def test_a_connection_that_breaks_is_told_as_the_end() -> None:
    failed = Failed("api.x closed the connection in the middle of its answer.", code="provider_disconnected")
    played = Played(EVENTS[0], b"data: {", error=failed)
    stream, attempt = stream_of(played)

    events = await drain(stream)

    assert raw(events) == EVENTS[0]
    assert end_of(events) == attempt.error == "api.x closed the connection in the middle of its answer"
    assert played.closed


async def test_garbage_is_told_as_the_end() -> None:
    stream, attempt = stream_of(Played(b"this is no event stream"), framing="eventstream")

    events = await drain(stream)

    assert "event-stream" in end_of(events)
    assert attempt.error


async def test_the_providers_own_error_is_an_end_that_needs_no_second_error() -> None:
    stream, attempt = stream_of(Played(b'data: {"error":{"code":"overloaded"}}\n\n'))

    assert end_of(await drain(stream)) == ""
    assert "overloaded" in attempt.error


async def test_an_encoding_is_undone_as_it_comes() -> None:
    packed = gzip.compress(WHOLE)
    stream, _ = stream_of(Played(packed[:20], packed[20:]), coding=ContentDecoder("gzip", 10_000))

    events = await drain(stream)

    assert (end_of(events), raw(events)) == ("", WHOLE)


async def test_an_encoding_that_ends_too_early_is_told_as_the_end() -> None:
    stream, _ = stream_of(Played(gzip.compress(WHOLE)[:-9]), coding=ContentDecoder("gzip", 10_000))

    assert "content-encoding" in end_of(await drain(stream))


@pytest.mark.parametrize(("delimited", "said"), [(True, ""), (False, "content-encoding")])
async def test_one_that_is_only_flushed_is_borne_where_nothing_is_missing(delimited: bool, said: str) -> None:
    compressor = zlib.compressobj(wbits=31)
    packed = compressor.compress(WHOLE) + compressor.flush(zlib.Z_SYNC_FLUSH)
    stream, _ = stream_of(Played(packed, delimited=delimited), coding=ContentDecoder("gzip", 10_000))

    events = await drain(stream)

    assert said in end_of(events)
    assert raw(events) == WHOLE


async def test_a_bomb_is_told_as_the_end() -> None:
    bomb = gzip.compress(b"data: " + b"a" * 100_000 + b"\n\n")
    stream, _ = stream_of(Played(bomb), coding=ContentDecoder("gzip", 1000))

    assert "larger than 1000 bytes" in end_of(await drain(stream))


async def test_what_is_passed_on_unseen_has_no_last_event_to_wait_for() -> None:
    stream, attempt = stream_of(Played(b"\x00\x01", b"\x02"), framing="raw")

    events = await drain(stream)

    assert (end_of(events), raw(events)) == ("", b"\x00\x01\x02")
    assert attempt.error == ""


@pytest.mark.parametrize("begun", [False, True])
async def test_closing_it_hangs_up_even_before_its_first_event(begun: bool) -> None:
    played = Played(*EVENTS)
    stream, attempt = stream_of(played)
    if begun:
        await anext(stream)

    await stream.aclose()

    assert played.closed
    assert attempt.error == "given up before its end"
    assert await drain(stream) == []


async def test_closing_it_after_its_end_changes_nothing() -> None:
    stream, attempt = stream_of(Played(WHOLE))
    await drain(stream)

    await stream.aclose()

    assert attempt.error == ""


ERROR = b'data: {"error":{"code":"overloaded"}}\n\n'


@pytest.mark.parametrize(
    ("pieces", "fruitless"),
    [
        ([], True),
        ([b": ping\n\n"], True),
        ([ERROR], True),
        ([EVENTS[0]], False),
        ([EVENTS[0], ERROR], False),
        (EVENTS, False),
    ],
)
async def test_what_breaks_before_it_says_anything_was_fruitless(
    pieces: list[bytes], fruitless: bool
) -> None:
    stream, attempt = stream_of(Played(*pieces))

    await drain(stream)

    assert attempt.fruitless is fruitless


@pytest.mark.parametrize(("pieces", "fruitless"), [(EVENTS, False), ([ERROR], True)])
async def test_what_the_client_gives_up_is_only_fruitless_after_an_error(
    pieces: list[bytes], fruitless: bool
) -> None:
    stream, attempt = stream_of(Played(*pieces))
    if fruitless:
        await anext(stream)

    await stream.aclose()

    assert attempt.fruitless is fruitless
