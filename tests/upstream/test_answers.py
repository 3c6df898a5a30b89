from __future__ import annotations

import gzip
import zlib

import brotli
import orjson
import pytest
from backports import zstd

from support.upstream import CHAT, Played, make_call, make_request, raw
from tollgate.calls import Answer, Attempt, Call, Event, Failed
from tollgate.upstream.answers import read_answer
from tollgate.upstream.attempt import untouched

BODY = orjson.dumps(CHAT)
SSE = b"data: " + BODY + b"\n\ndata: [DONE]\n\n"
JSON = ("Content-Type", "application/json")
EVENT_STREAM = ("Content-Type", "text/event-stream; charset=utf-8")
PACK = {
    "gzip": gzip.compress,
    "br": brotli.compress,
    "zstd": zstd.compress,
    "gzip, br": lambda data: brotli.compress(gzip.compress(data)),
}


async def read(played: Played, call: Call | None = None) -> Answer:
    call = call or make_call()
    return await read_answer(call, untouched(call)[0], Attempt("api.x", 0.0), played.reply)


async def drain(answer: Answer) -> list[Event]:
    assert answer.events is not None
    return [event async for batch in answer.events for event in batch]


async def test_a_whole_answer_is_read_and_metered() -> None:
    call, played = make_call(), Played(BODY[:5], BODY[5:], headers=[JSON, ("Set-Cookie", "a"), ("X-Id", "1")])

    answer = await read(played, call)

    assert (answer.status, answer.body, answer.streamed, answer.framing) == (200, BODY, False, "")
    assert list(answer.headers.items()) == [JSON, ("Set-Cookie", "a"), ("X-Id", "1")]
    assert call.answered_model == "gpt-4o-2024"
    assert played.closed


@pytest.mark.parametrize("status", [204, 304])
async def test_an_answer_without_a_body_is_whole(status: int) -> None:
    answer = await read(Played(status=status, headers=[("ETag", "1")]))

    assert (answer.status, answer.body, answer.streamed) == (status, b"", False)
    assert answer.headers["etag"] == "1"


async def test_an_answer_to_head_only_tells_of_a_body() -> None:
    played = Played(headers=[EVENT_STREAM, ("Content-Encoding", "gzip"), ("Content-Length", "999999999")])

    answer = await read(played, make_call(make_request(b"", method="HEAD")))

    assert (answer.body, answer.streamed, played.closed) == (b"", False, True)


@pytest.mark.parametrize("encoding", PACK)
async def test_an_encoding_is_undone_though_none_was_asked_for(encoding: str) -> None:
    packed = PACK[encoding](BODY)

    answer = await read(Played(packed[:7], packed[7:], headers=[JSON, ("Content-Encoding", encoding)]))

    assert answer.body == BODY
    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize("encoding", PACK)
async def test_an_encoded_stream_is_undone_as_it_comes(encoding: str) -> None:
    packed = PACK[encoding](SSE)
    played = Played(packed[:9], packed[9:], headers=[EVENT_STREAM, ("Content-Encoding", encoding)])

    answer = await read(played, make_call(stream=True))

    assert "content-encoding" not in answer.headers
    assert raw(await drain(answer)) == SSE


async def test_an_event_stream_goes_on_before_its_first_event() -> None:
    """A model may think for minutes between the head and the first event."""
    played = Played(SSE, headers=[EVENT_STREAM])

    answer = await read(played, make_call(stream=True))

    assert (answer.framing, played.pieces) == ("sse", [SSE])
    assert raw(await drain(answer)) == SSE


@pytest.mark.parametrize(
    ("content_type", "first", "framing"),
    [
        ("", SSE, "sse"),
        ("application/json", SSE, "sse"),
        ("text/plain", SSE, "sse"),
        ("application/octet-stream", SSE, "sse"),
        ("application/json", BODY, ""),
        ("", BODY, ""),
        ("text/event-stream", b"", "sse"),
        ("application/json", b"", ""),
    ],
)
async def test_first_bytes_tell_where_the_type_is_missing_or_lies(
    content_type: str, first: bytes, framing: str
) -> None:
    headers = [("Content-Type", content_type)] if content_type else []

    answer = await read(Played(first, headers=headers), make_call(stream=True))

    assert answer.framing == framing
    assert (raw(await drain(answer)) if framing else answer.body) == first


async def test_first_bytes_are_looked_at_decoded() -> None:
    packed = gzip.compress(SSE)
    headers = [("Content-Type", "text/plain"), ("Content-Encoding", "gzip")]

    answer = await read(Played(packed, headers=headers), make_call(stream=True))

    assert answer.framing == "sse"
    assert raw(await drain(answer)) == SSE


async def test_an_error_is_whole_though_a_stream_was_asked_for() -> None:
    error = b'[{"error":{"code":429}}]'
    call = make_call(speaks="gemini", stream=True, params={"verb": "streamGenerateContent"})

    answer = await read(Played(error, status=429), call)

    assert (answer.status, answer.body) == (429, error)


async def test_media_is_passed_on_as_it_comes() -> None:
    played = Played(b"ID3", b"\x00\x01", headers=[("Content-Type", "audio/mpeg"), ("Content-Encoding", "x")])

    answer = await read(played, make_call(policy={"answers": {"max_size": 2}}))

    assert (answer.framing, answer.headers["content-encoding"]) == ("raw", "x")
    assert raw(await drain(answer)) == b"ID3\x00\x01"


@pytest.mark.parametrize("length", [(), (("Content-Length", "10"),)])
async def test_an_answer_that_is_too_large_is_refused(length: tuple[tuple[str, str], ...]) -> None:
    played = Played(b"12345", b"67890", headers=[JSON, *length])

    with pytest.raises(Failed, match=r"larger than the 7 bytes of answers\.max_size") as caught:
        await read(played, make_call(policy={"answers": {"max_size": 7}}))

    assert (caught.value.code, caught.value.status) == ("answer_too_large", 502)


@pytest.mark.parametrize(
    ("policy", "action"),
    [({"answers": {"oversize": "pass"}}, "allow"), ({"mode": "observe"}, "observe")],
)
async def test_one_that_the_policy_passes_goes_on_unseen_and_is_noted(
    policy: dict[str, object], action: str
) -> None:
    merged = {**policy, "answers": {"max_size": 7, **dict(policy.get("answers", {}))}}  # type: ignore[call-overload]
    call = make_call(policy=merged)

    answer = await read(Played(b"12345", b"67890", b"abc"), call)

    assert answer.framing == "raw"
    assert [(v.room, v.action, v.code) for v in call.verdicts] == [("upstream", action, "answer_too_large")]
    assert raw(await drain(answer)) == b"1234567890abc"


async def test_one_that_is_too_large_once_decoded_goes_on_encoded() -> None:
    packed = gzip.compress(b" " * 100_000)
    call = make_call(policy={"answers": {"max_size": 1000, "oversize": "pass"}})

    answer = await read(Played(packed, headers=[JSON, ("Content-Encoding", "gzip")]), call)

    assert answer.headers["content-encoding"] == "gzip"
    assert raw(await drain(answer)) == packed


def flushed(data: bytes) -> bytes:
    """Deflated by a server that never finishes what it flushes."""
    compressor = zlib.compressobj(wbits=31)
    return compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH)


async def test_a_document_that_is_all_there_is_taken_though_its_encoding_does_not_end() -> None:
    answer = await read(Played(flushed(BODY), headers=[JSON, ("Content-Encoding", "gzip")]))

    assert answer.body == BODY


@pytest.mark.parametrize(
    ("encoding", "body"), [("rot13", BODY), ("gzip", BODY), ("gzip", gzip.compress(BODY)[:-20])]
)
async def test_one_that_cannot_be_decoded_is_no_answer(encoding: str, body: bytes) -> None:
    with pytest.raises(Failed, match="The answer of localhost cannot be read") as caught:
        await read(Played(body, headers=[JSON, ("Content-Encoding", encoding)]))

    assert caught.value.code == "answer_undecodable"
