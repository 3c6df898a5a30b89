"""One call from its request to its end, with stand-ins for the rooms and the client."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from typing import Any

import pytest
from multidict import CIMultiDict

from support.rooms import Answers, Batches, Client, Spy, sse
from support.upstream import make_call, make_request
from tollgate.calls import Answer, Body, Call, End, Event, Failed, Refused
from tollgate.dialects import dialect
from tollgate.gate.exchange import OFF_LOOP, Exchange, is_json
from tollgate.gate.walk import rooms_of
from tollgate.policy import Settings

CHAT = b'{"model":"gpt-4o","messages":[{"role":"user","content":"hello"}]}'
WHOLE = Answer(200, body=b'{"answer": 1}')


def streamed(*batches: list[Event], framing: str = "sse", error: BaseException | None = None) -> Answer:
    return Answer(200, events=Batches(*batches, error=error), framing=framing)


def exchange(call: Call, *rooms: object) -> Exchange:
    return Exchange(call, rooms_of(rooms), lambda call: call.policy)


async def carry(call: Call, *rooms: object, client: Client | None = None) -> Client:
    client = client or Client()
    await exchange(call, *rooms).run(client)
    return client


def call_of(wire: bytes = CHAT, encoding: str = "", **policy: Any) -> Call:
    request = make_request(wire)
    request.body = Body(wire, encoding=encoding)
    return make_call(request, policy=policy)


def told_error(client: Client) -> dict[str, Any]:
    [(what, status, body)] = client.told
    assert what == "whole"
    return {"status": status, **json.loads(body)["error"]}


# -- answers ------------------------------------------------------------------------------------------------


async def test_a_whole_answer_goes_up_and_out() -> None:
    call, spy = call_of(), Spy(response=lambda answer: setattr(answer, "body", b"edited"))

    client = await carry(call, spy, Answers(Answer(201, body=b"original")))

    assert client.told == [("whole", 201, b"edited")]
    assert (call.outcome, call.status, call.bytes_out, call.error) == ("answered", 201, 6, "")
    assert call.timings.first_out is not None
    assert call.timings.ended is not None
    assert spy.seen == ["spy.request", "spy.response", "spy.end"]


async def test_an_empty_answer_has_no_first_byte() -> None:
    call = call_of()

    client = await carry(call, Answers(Answer(204)))

    assert client.told == [("whole", 204, b"")]
    assert (call.outcome, call.bytes_out, call.timings.first_out) == ("answered", 0, None)


async def test_a_streamed_answer_goes_out_as_it_comes() -> None:
    call, answer = call_of(), streamed(sse("a")[:1], sse("b", "c"))

    client = await carry(call, Answers(answer))

    assert client.told == [
        ("head", 200),
        ("data", b"data: a\n\n"),
        ("data", b"data: b\n\ndata: c\n\n"),
        ("end",),
    ]
    assert (call.outcome, call.status, call.events_out) == ("answered", 200, 4)
    assert call.bytes_out == len(client.body)
    assert isinstance(answer.events, Batches)
    assert answer.events.closed


async def test_a_stream_that_breaks_off_ends_with_the_dialects_error() -> None:
    call = call_of()

    client = await carry(call, Answers(streamed(sse("a", error="it was cut"))))

    assert client.told[-1] == ("end",)
    error = json.loads(client.body.split(b"\n\n")[-2].removeprefix(b"data: "))["error"]
    assert "it was cut" in error["message"]
    assert (call.outcome, call.error) == ("failed", "The provider's answer broke off: it was cut.")


async def test_a_stream_of_bytes_that_breaks_off_is_reset() -> None:
    call = call_of()

    client = await carry(call, Answers(streamed([Event(b"x", raw=b"x"), End("it was cut")], framing="raw")))

    assert client.told[-1] == ("abort", "The provider's answer broke off: it was cut.")
    assert call.outcome == "failed"


async def test_a_stream_that_breaks_off_is_reset_where_the_policy_says_so() -> None:
    call = call_of(route={"broken_stream": "cut"})

    client = await carry(call, Answers(streamed(sse("a", error="it was cut"))))

    assert client.body == b"data: a\n\n"
    assert client.told[-1] == ("abort", "The provider's answer broke off: it was cut.")
    assert (call.outcome, call.error) == ("failed", "The provider's answer broke off: it was cut.")


@pytest.mark.parametrize("broken", ["error", "cut"])
async def test_a_room_that_fails_in_a_stream_ends_it_with_the_dialects_error(broken: str) -> None:
    """On a refusal nobody should ask again."""
    call = call_of(route={"broken_stream": broken})

    client = await carry(call, Spy("dlp", event=ValueError("text")), Answers(streamed(sse("secret"))))

    assert b"secret" not in client.body
    assert b"dlp room failed" in client.body
    assert call.outcome == "refused"


async def test_nobody_who_answers_is_an_error() -> None:
    call = call_of()

    error = told_error(await carry(call, Spy()))

    assert (error["status"], error["code"], call.outcome) == (502, "unanswered", "failed")


@pytest.mark.parametrize(
    ("error", "status", "outcome"),
    [
        (Refused("No.", code="no"), 400, "refused"),
        (Refused("No.", code="no", status=426), 426, "refused"),
        (Failed("It is gone.", code="gone"), 502, "failed"),
    ],
)
async def test_an_error_on_the_way_down_is_told_in_the_dialect(
    error: Exception, status: int, outcome: str
) -> None:
    call, spy = call_of(), Spy(request=error)

    told = told_error(await carry(call, spy))

    assert (told["status"], told["message"], call.outcome) == (status, str(error), outcome)
    assert call.status == status
    assert spy.seen[-1] == "spy.end"


# -- our own bugs, and clients that leave --------------------------------------------------------------------


async def test_a_bug_of_ours_is_told_and_recorded_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    spy = Spy()
    broken = Exchange(call_of(), rooms_of([spy, Answers(WHOLE)]), lambda call: 1 / 0)  # type: ignore[arg-type, return-value]
    client = Client()

    await broken.run(client)

    error = told_error(client)
    assert (error["status"], error["code"]) == (500, "gate_failed")
    assert (broken.call.outcome, spy.seen) == ("failed", ["spy.end"])
    assert "The gate failed with ZeroDivisionError" in caplog.text


async def test_a_bug_of_ours_in_a_stream_ends_it() -> None:
    call, answer = call_of(), streamed([Event(b"a", raw=b"data: a\n\n")], error=KeyError("x"))

    client = await carry(call, Answers(answer))

    assert [what for what, *_ in client.told] == ["head", "data", "data", "end"]
    assert b"failed to carry" in client.body
    assert call.outcome == "failed"
    assert isinstance(answer.events, Batches)
    assert answer.events.closed


async def test_a_client_that_cannot_even_be_told_still_has_a_record() -> None:
    spy = Spy()

    with pytest.raises(RuntimeError):
        await carry(call_of(), spy, Answers(WHOLE), client=Client(fails_on="whole", error=RuntimeError("x")))

    assert spy.seen[-1] == "spy.end"


@pytest.mark.parametrize("moment", ["request", "stream", "told"])
async def test_a_client_that_leaves_abandons_the_call(moment: str) -> None:
    gone = asyncio.CancelledError()
    answer = streamed([Event(b"a", raw=b"data: a\n\n")], error=gone if moment == "stream" else None)
    spy = Spy(request=gone) if moment == "request" else Spy()
    call = call_of()

    with pytest.raises(asyncio.CancelledError):
        await carry(call, spy, Answers(answer), client=Client(fails_on="data", error=gone))

    assert (call.outcome, call.error) == ("abandoned", "the client left before the answer was complete")
    assert spy.seen.count("spy.end") == 1
    assert isinstance(answer.events, Batches)
    assert answer.events.closed == (moment != "request")


async def test_a_client_that_leaves_after_the_answer_was_complete_was_answered() -> None:
    call = call_of()

    with pytest.raises(asyncio.CancelledError):
        await carry(call, Answers(WHOLE), client=Client(fails_on="whole", error=asyncio.CancelledError()))

    assert call.outcome == "answered"


async def test_a_client_that_leaves_while_others_share_the_call_has_abandoned_it_all_the_same() -> None:
    call = call_of()
    carried = exchange(call, Answers(WHOLE))

    carried.left()
    await carried.run(Client())

    assert (call.outcome, call.status) == ("abandoned", 200)


async def test_the_head_of_a_stream_may_be_edited_before_it_goes_out() -> None:
    class Heads:
        def llm_head(self, call: Call, answer: Answer) -> None:
            answer.status = 203

    client = await carry(call_of(), Heads(), Answers(streamed([Event(b"a"), End()])))

    assert client.told[0] == ("head", 203)


# -- requests -----------------------------------------------------------------------------------------------


async def test_the_body_tells_the_model_and_whether_to_stream_and_then_the_policy() -> None:
    request = make_request(b'{"model": "gpt-6", "stream": true}')
    call = make_call(request)
    settled: list[tuple[str, bool]] = []
    policy = Settings(mode="observe")

    def settle(call: Call) -> Settings:
        settled.append((call.model, call.stream))
        return policy

    await Exchange(call, rooms_of([Answers(WHOLE)]), settle).run(Client())

    assert settled == [("gpt-6", True)]
    assert call.policy is policy


@pytest.mark.parametrize(("known", "model"), [("", "whisper-1"), ("deployment", "deployment")])
async def test_a_form_tells_the_model_unless_the_path_did(known: str, model: str) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n--b--\r\n'
    headers = CIMultiDict({"Content-Type": "multipart/form-data; boundary=b"})
    call = make_call(make_request(body, headers=headers.items()), speaks="generic")
    call.model = known
    settled: list[str] = []

    def settle(call: Call) -> Settings:
        settled.append(call.model)
        return Settings()

    await Exchange(call, rooms_of([Answers(WHOLE)]), settle).run(Client())

    assert settled == [model]


async def test_a_refusal_on_sight_needs_no_body() -> None:
    call, spy = call_of(b"not JSON"), Spy()
    refused = exchange(call, spy)
    refused.refusal = Refused("The names disagree.", code="host_mismatch", always=True)
    client = Client()

    await refused.run(client)

    assert told_error(client)["code"] == "host_mismatch"
    assert [(v.room, v.action, v.code) for v in call.verdicts] == [("gate", "refuse", "host_mismatch")]
    assert spy.seen == ["spy.end"]


BOMB = gzip.compress(b'"' + b"x" * 200_000 + b'"')

UNREADABLE = {
    "broken JSON": (b'{"model":', "", "invalid_json", "undecodable"),
    "the same key twice": (b'{"a":1,"a":2}', "", "duplicate_keys", "undecodable"),
    "too deep": (b"[" * 300 + b"]" * 300, "", "too_deep", "undecodable"),
    "an unknown encoding": (CHAT, "rot13", "unknown_encoding", "undecodable"),
    "broken gzip": (b"\x1f\x8bnonsense", "gzip", "broken_encoding", "undecodable"),
    "a bomb": (BOMB, "gzip", "body_too_large", "oversize"),
    "too large": (b'"' + b"x" * 100_001 + b'"', "", "body_too_large", "oversize"),
}
LIMITED = {"max_size": 100_000}
TABLE = pytest.mark.parametrize(("wire", "encoding", "code", "coverage"), UNREADABLE.values(), ids=UNREADABLE)


@TABLE
async def test_what_cannot_be_inspected_is_refused(
    wire: bytes, encoding: str, code: str, coverage: str
) -> None:
    call, spy = call_of(wire, encoding, bodies=LIMITED), Spy()

    error = told_error(await carry(call, spy, Answers(WHOLE)))

    assert (error["status"], error["code"]) == (400, code)
    assert (call.coverage, call.outcome) == (coverage, "refused")
    assert spy.seen == ["spy.end"]
    assert [(v.action, v.code) for v in call.verdicts] == [("refuse", code)]


@TABLE
async def test_what_cannot_be_inspected_passes_where_the_policy_says_so(
    wire: bytes, encoding: str, code: str, coverage: str
) -> None:
    bodies = {**LIMITED, "oversize": "pass", "undecodable": "pass"}
    call = call_of(wire, encoding, bodies=bodies)

    client = await carry(call, Answers(WHOLE))

    assert client.told == [("whole", 200, WHOLE.body)]
    assert (call.coverage, call.verdicts, call.request.body.parsed) == (coverage, [], False)
    assert call.request.body.wire is wire


@TABLE
async def test_what_cannot_be_inspected_is_noted_where_the_policy_only_observes(
    wire: bytes, encoding: str, code: str, coverage: str
) -> None:
    call = call_of(wire, encoding, bodies=LIMITED, mode="observe")

    client = await carry(call, Answers(WHOLE))

    assert client.told == [("whole", 200, WHOLE.body)]
    assert call.coverage == coverage
    assert [(v.action, v.code) for v in call.verdicts] == [("observe", code)]


@pytest.mark.parametrize("mode", ["enforce", "observe"])
async def test_a_body_that_was_dropped_is_always_refused(mode: str) -> None:
    call = call_of(b"", mode=mode)
    dropped = exchange(call, Answers(WHOLE))
    dropped.dropped = True
    client = Client()

    await dropped.run(client)

    assert told_error(client)["code"] == "body_too_large"
    assert call.coverage == "oversize"


@pytest.mark.parametrize("encoding", ["gzip", "identity", ""])
async def test_an_encoded_body_is_read_and_kept_as_it_came(encoding: str) -> None:
    wire = gzip.compress(CHAT) if encoding == "gzip" else CHAT
    call = call_of(wire, encoding)

    await carry(call, Answers(WHOLE))

    assert call.request.body.json["model"] == "gpt-4o"
    assert (call.request.body.wire, call.request.body.content) == (wire, CHAT)


class Watched:
    """A dialect that notes the thread in which a body is read."""

    def __init__(self) -> None:
        self.thread = 0

    def __getattr__(self, name: str) -> Any:
        if name == "shape":
            self.thread = threading.get_ident()
        return getattr(dialect("openai-chat"), name)


@pytest.mark.parametrize(("size", "on_loop"), [(10, True), (OFF_LOOP, False)])
async def test_a_large_body_is_read_off_the_loop(size: int, on_loop: bool) -> None:
    call = call_of(json.dumps({"model": "x" * size}).encode())
    watched = call.dialect = Watched()  # type: ignore[assignment]

    await carry(call, Answers(WHOLE))

    assert len(call.model) == size
    assert (watched.thread == threading.get_ident()) is on_loop


@pytest.mark.parametrize(
    ("speaks", "kind", "content", "expected"),
    [
        ("openai-chat", "text/plain", b"{}", True),
        ("openai-chat", "", b"", False),
        ("generic", "application/json", b"x", True),
        ("generic", "application/jsonl", b"{}", False),
        ("generic", "application/x-ndjson", b"{}", False),
        ("generic", "application/vnd.api+JSON", b"x", True),
        ("generic", "multipart/form-data", b"{}", False),
        ("generic", "", b"{}", True),
        ("generic", "", b"[]", True),
        ("generic", "", b"\x89PNG", False),
    ],
)
def test_a_body_has_to_be_json_where_its_dialect_or_its_type_says_so(
    speaks: str, kind: str, content: bytes, expected: bool
) -> None:
    call = make_call(make_request(headers=CIMultiDict({"Content-Type": kind}).items()), speaks=speaks)

    assert is_json(call, content) is expected


@pytest.mark.parametrize(("operation", "status"), [("uploads", 200), ("other", 400)])
@pytest.mark.parametrize("content", [b"%PDF-1.7 ...", b'{"key": "a"}\n{"key": "b"}\n', b'{"a": 1, "a": 2}'])
async def test_a_piece_of_a_file_need_not_be_the_json_that_it_claims_to_be(
    content: bytes, operation: str, status: int
) -> None:
    request = make_request(content, headers={"content-type": "application/json"}.items())
    call = make_call(request, speaks="generic")
    call.operation = operation

    client = await carry(call, Answers(WHOLE))

    assert (client.told[0][1], call.request.body.wire) == (status, content)


@pytest.mark.parametrize(
    ("command", "expected"), [("start", True), ("upload", False), ("upload, finalize", False)]
)
def test_a_piece_of_a_file_is_no_json_though_googles_sdks_say_so(command: str, expected: bool) -> None:
    headers = {"Content-Type": "application/json", "X-Goog-Upload-Command": command}
    call = make_call(make_request(headers=CIMultiDict(headers).items()), speaks="generic")

    assert is_json(call, b"notes") is expected
