"""One try at one target."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tollgate.calls import Answer, Attempt, Call, CallError, Leg
from tollgate.upstream.answers import read_answer
from tollgate.upstream.client import Client
from tollgate.upstream.headers import outgoing
from tollgate.upstream.reply import Reply


def untouched(call: Call) -> tuple[Leg, Attempt]:
    """A call as it stands, on its way to where the client wanted."""
    request = call.request
    return Leg(request, call.dialect, call.params), Attempt(target=request.host, started=time.monotonic())


async def attempt(client: Client, call: Call, leg: Leg, record: Attempt) -> Answer:
    """Send a request, give its answer as the target speaks it, record on the call how that went. CallError
    where there is none."""
    headers, body = outgoing(leg.request)
    call.attempts.append(record)
    with _recorded(record):
        reply = await client.send(leg.request, headers, body, call.policy.timeouts)
        try:
            _note_head(call, record, reply)
            answer = await read_answer(call, leg, record, reply)
        except BaseException:
            reply.close()
            raise
    if not answer.streamed:
        record.ended = record.ready = time.monotonic()
    return answer


def _note_head(call: Call, record: Attempt, reply: Reply) -> None:
    record.status = reply.status
    record.first_byte = call.timings.first_byte = reply.first_byte
    call.timings.sent = reply.sent


@contextmanager
def _recorded(record: Attempt) -> Iterator[None]:
    """Has the attempt say how it failed. What is no CallError is the client that left."""
    try:
        yield
    except BaseException as e:
        record.ended = time.monotonic()
        record.error = e.record if isinstance(e, CallError) else "given up before its answer"
        raise
