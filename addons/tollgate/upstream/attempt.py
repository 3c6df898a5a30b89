"""One try at one target."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tollgate.calls import Answer, Attempt, Call, CallError, Request
from tollgate.upstream.answers import read_answer
from tollgate.upstream.client import Client
from tollgate.upstream.headers import outgoing
from tollgate.upstream.reply import Reply


async def attempt(client: Client, call: Call, request: Request) -> Answer:
    """Send a request, give its answer, record on the call how that went. CallError where there is none."""
    headers, body = outgoing(request)
    record = Attempt(target=request.host, started=time.monotonic())
    call.attempts.append(record)
    with _recorded(record):
        reply = await client.send(request, headers, body, call.policy.timeouts)
        try:
            _note_head(call, record, reply)
            answer = await read_answer(call, record, reply)
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
        record.error = e.message if isinstance(e, CallError) else "given up before its answer"
        raise
