from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from support.upstream import CHAT, make_call, make_request, raw
from support.wire import LAST_CHUNK, Peer, Wire, always, answer, chunk, head
from tollgate.calls import Answer, Call, Event, Failed, Refused
from tollgate.policy import Upstream
from tollgate.upstream.attempt import attempt, untouched
from tollgate.upstream.client import Client

BODY = orjson.dumps(CHAT)
SIGNED = "AWS4-HMAC-SHA256 Credential=A/b, SignedHeaders=host, Signature=0"


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    client = Client(Upstream())
    yield client
    client.close()
    await asyncio.sleep(0)


def call_to(server: Wire, **options: Any) -> Call:
    return make_call(make_request(scheme="http", host="127.0.0.1", port=server.port), **options)


async def drain(answer: Answer) -> list[Event]:
    assert answer.events is not None
    return [event async for batch in answer.events for event in batch]


async def test_a_whole_answer_is_recorded_when_it_is_there(client: Client) -> None:
    async with Wire(always(answer(BODY, "201 Created"))) as server:
        call = call_to(server)
        given = await attempt(client, call, *untouched(call))

    record, timings = call.attempts[0], call.timings
    assert (given.status, given.body, given.source) == (201, BODY, "provider")
    assert (record.target, record.status, record.error) == ("127.0.0.1", 201, "")
    assert record.usage is call.usage
    assert record.first_byte == timings.first_byte
    assert timings.sent is not None
    assert timings.first_byte is not None
    assert record.ended is not None
    assert record.started <= timings.sent <= timings.first_byte <= record.ended


async def test_a_streamed_answer_is_recorded_when_it_has_ended(client: Client) -> None:
    events = b"data: " + BODY + b"\n\ndata: [DONE]\n\n"
    async with Wire(always(head() + chunk(events) + LAST_CHUNK)) as server:
        call = call_to(server, stream=True)
        given = await attempt(client, call, *untouched(call))
        assert call.attempts[0].ended is None
        assert raw(await drain(given)) == events

    assert call.attempts[0].ended is not None
    assert call.usage is not None


async def test_a_failure_is_recorded_and_told(client: Client) -> None:
    async def script(peer: Peer) -> None:
        peer.cut()

    async with Wire(script) as server:
        call = call_to(server)
        with pytest.raises(Failed) as caught:
            await attempt(client, call, *untouched(call))

    assert call.attempts[0].error == caught.value.message
    assert call.attempts[0].ended is not None
    assert call.answer is None


async def test_an_answer_that_is_refused_lets_the_connection_go(client: Client) -> None:
    async with Wire(always(head("application/json") + chunk(BODY))) as server:
        call = call_to(server, policy={"answers": {"max_size": 10}})
        with pytest.raises(Failed, match=r"answers\.max_size"):
            await attempt(client, call, *untouched(call))
        await asyncio.wait_for(server.left.wait(), 1)

    assert call.attempts[0].status == 200
    assert call.attempts[0].ended is not None


async def test_a_client_that_leaves_is_no_failure_of_the_provider(client: Client) -> None:
    async def script(peer: Peer) -> None:
        asked.set()
        await peer.reader.read()
        server.left.set()

    asked = asyncio.Event()
    async with Wire(script) as server, asyncio.TaskGroup() as group:
        call = call_to(server)
        task = group.create_task(attempt(client, call, *untouched(call)))
        await asyncio.wait_for(asked.wait(), 5)
        task.cancel()
        await asyncio.wait_for(server.left.wait(), 1)

    assert call.attempts[0].error == "given up before its answer"


async def test_a_request_that_may_not_go_out_is_no_attempt(client: Client) -> None:
    request = make_request(b'{"a":"b"}', headers=[("Authorization", SIGNED)])
    request.body.parse({})
    request.body.edit(request.body.slots[-1], "c")
    call = make_call(request)

    with pytest.raises(Refused):
        await attempt(client, call, *untouched(call))

    assert call.attempts == []
