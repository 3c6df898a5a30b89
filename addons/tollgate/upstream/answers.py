"""From a provider's reply to the answer of a call: whole, streamed, or passed on unseen."""

from __future__ import annotations

import orjson

from tollgate.calls import Answer, Attempt, Call, Failed, Leg, Verdict
from tollgate.calls.coding import CodingError, ContentDecoder
from tollgate.dialects import FRAMINGS, framing_of
from tollgate.upstream.headers import returned
from tollgate.upstream.metering import Meter
from tollgate.upstream.reply import Reply
from tollgate.upstream.stream import Stream

_UNMISTAKABLE = frozenset(("sse", "eventstream"))
"""Framings whose content type nobody sends by mistake: the head goes on before the first event is there."""

_ERRORS_FROM = 300
"""Statuses from here on answer with one document, also where a stream was asked for."""


_BODYLESS = frozenset((204, 304))

_GLANCE = 2**20
"""Bytes that the first piece of an encoded body may decode to."""


async def read_answer(call: Call, leg: Leg, attempt: Attempt, reply: Reply) -> Answer:
    """The answer that a reply is, as the target speaks. Failed where it breaks off, cannot be decoded or is
    too large."""
    if leg.request.method == "HEAD" or reply.status in _BODYLESS:
        reply.close()
        return Answer(reply.status, returned(reply.headers.items(), decoded=False))
    try:
        framing = await _framing(call, leg, reply)
        if framing == "raw":
            return _unseen(attempt, reply)
        meter = Meter(call, attempt, reply.headers, leg.dialect)
        if framing:
            return _streamed(call, attempt, reply, framing, meter)
        return await _whole(call, leg, reply, meter)
    except CodingError as e:
        message = f"The answer of {leg.request.host} cannot be read: {e}."
        raise Failed(message, code="answer_undecodable") from e


async def _framing(call: Call, leg: Leg, reply: Reply) -> str:
    """How the answer is framed; empty for a whole one. Looks at its first bytes where that is not certain."""
    said = reply.headers.get("content-type", "")
    streams = call.stream and reply.status < _ERRORS_FROM
    expected = leg.dialect.expected_framing(leg.params) if streams else ""
    framing = framing_of(said, b"", expected)
    if (framing in _UNMISTAKABLE and reply.status < _ERRORS_FROM) or (framing == "raw" and not expected):
        return framing
    first = await reply.read()
    reply.put_back([first])
    return framing_of(said, _glance(first, reply.headers.get("content-encoding", "")), expected)


def _glance(first: bytes, encoding: str) -> bytes:
    """How the body begins, decoded; nothing where that cannot be said, which reading it all will explain."""
    if not encoding:
        return first
    try:
        return ContentDecoder(encoding, _GLANCE).feed(first)
    except CodingError:
        return b""


def _unseen(attempt: Attempt, reply: Reply) -> Answer:
    """Passed on as it comes, its content-encoding too."""
    headers = returned(reply.headers.items(), decoded=False)
    return Answer(reply.status, headers, events=Stream(attempt, reply, FRAMINGS["raw"]), framing="raw")


def _streamed(call: Call, attempt: Attempt, reply: Reply, framing: str, meter: Meter) -> Answer:
    encoding = reply.headers.get("content-encoding")
    coding = ContentDecoder(encoding, call.policy.answers.max_size) if encoding else None
    events = Stream(attempt, reply, FRAMINGS[framing], coding, meter)
    return Answer(reply.status, returned(reply.headers.items(), decoded=True), events=events, framing=framing)


async def _whole(call: Call, leg: Leg, reply: Reply, meter: Meter) -> Answer:
    limit = call.policy.answers.max_size
    pieces, complete = await _collect(reply, limit)
    body = _decoded(pieces, reply.headers.get("content-encoding", ""), limit) if complete else None
    if body is None:
        _object(call, leg.request.host, limit)
        reply.put_back(pieces)
        return _unseen(meter.attempt, reply)
    reply.close()
    answer = Answer(reply.status, returned(reply.headers.items(), decoded=True), body)
    meter.whole(answer)
    return answer


async def _collect(reply: Reply, limit: int) -> tuple[list[bytes], bool]:
    """The pieces of the body up to the limit, and whether they are all."""
    pieces: list[bytes] = []
    size = 0
    if int(reply.headers.get("content-length", 0)) > limit:
        return pieces, False
    while piece := await reply.read():
        pieces.append(piece)
        size += len(piece)
        if size > limit:
            return pieces, False
    return pieces, True


def _decoded(pieces: list[bytes], encoding: str, limit: int) -> bytes | None:
    """The body with its content-encoding undone; None where it is larger than the limit. Some servers flush
    their compressor and never finish: a document that is all there is taken."""
    body, decoder = b"".join(pieces), ContentDecoder(encoding, limit)
    try:
        body = decoder.feed(body)
    except CodingError as e:
        if e.code == "too_large":
            return None
        raise
    try:
        decoder.close()
    except CodingError:
        if not _is_json(body):
            raise
    return body


def _is_json(body: bytes) -> bool:
    try:
        orjson.loads(body)
    except ValueError:
        return False
    return True


def _object(call: Call, host: str, limit: int) -> None:
    """Failed where the policy takes no answer this large; else the call remembers that it was not seen."""
    message = f"The answer of {host} is larger than the {limit} bytes of answers.max_size."
    if call.policy.answers.oversize == "pass":
        call.verdicts.append(Verdict("upstream", "allow", message, "answer_too_large"))
    elif call.policy.mode == "observe":
        call.verdicts.append(Verdict("upstream", "observe", message, "answer_too_large"))
    else:
        raise Failed(message, code="answer_too_large")
