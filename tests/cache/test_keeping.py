"""What becomes of an answer that has come: an entry, or nothing where it is none to keep."""

from __future__ import annotations

import json
from typing import Any

import pytest
from multidict import CIMultiDict

from support.routes import target
from support.upstream import make_call, make_request
from tollgate.cache.keeping import Heard, ended_well, headers_of, stands_in, stream_entry, whole_entry
from tollgate.calls import Answer, Attempt, Call, End, Event, Usage, Verdict

MESSAGE = {"role": "assistant", "content": "hello QZXSabcdefghij"}


def call_of(operation: str = "chat", speaks: str = "openai-chat") -> Call:
    call = make_call(make_request(), speaks=speaks, policy={"cache": {"tag": "docs", "ttl": 60}})
    call.operation = operation
    call.usage = Usage(input=3)
    call.answered_model = "gpt-x"
    return call


def chat(reason: str = "stop", **message: Any) -> bytes:
    choice = {"index": 0, "message": {**MESSAGE, **message}, "finish_reason": reason}
    return json.dumps({"id": "chatcmpl-1", "choices": [choice]}).encode()


def chunks(reason: str = "stop") -> list[Event]:
    parts = ["hello QZXSabc", "defghij"]
    told = [{"id": "c1", "choices": [{"index": 0, "delta": {"content": part}}]} for part in parts]
    told.append({"id": "c1", "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
    return [*(Event(json.dumps(chunk).encode()) for chunk in told), Event(b"[DONE]")]


def heard(*events: Event, status: int = 200, room: int = 10_000) -> Heard:
    found = Heard(status, 10.0, [("content-type", "text/event-stream")], room)
    for number, event in enumerate(events):
        found.hear(event, 10.0 + number)
    return found


def test_a_whole_answer_is_kept_with_what_it_is() -> None:
    headers = [
        ("Content-Type", "application/json"),
        ("x-request-id", "r1"),
        ("set-cookie", "s"),
        ("date", "d"),
    ]

    entry = whole_entry(call_of(), Answer(200, CIMultiDict(headers), chat()))

    assert entry is not None
    assert (entry.body, entry.tag, entry.ttl, entry.model) == (chat(), "docs", 60.0, "gpt-4o")
    assert (entry.answered_model, entry.usage) == ("gpt-x", {"input": 3})
    assert entry.headers == (("Content-Type", "application/json"), ("x-request-id", "r1"))
    assert entry.tokens == ("qzxsabcdefghij",)
    assert entry.ids == ("chatcmpl-1",)


def test_a_token_is_found_however_its_letters_are_written() -> None:
    body = chat().replace(b"QZXSabc", b"\\u0051\\u005aXSabc")

    entry = whole_entry(call_of(), Answer(200, body=body))

    assert entry is not None
    assert (entry.body, entry.tokens) == (body, ("qzxsabcdefghij",))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (201, chat()),
        (400, chat()),
        (200, chat("length")),
        (200, chat("content_filter")),
        (200, chat(refusal="I will not")),
        (200, b'{"choices": []}'),
        (200, b"[]"),
        (200, b"no json"),
        (200, b'{"choices": [7]}'),
    ],
)
def test_what_is_partial_refused_filtered_or_broken_is_not(status: int, body: bytes) -> None:
    assert whole_entry(call_of(), Answer(status, body=body)) is None


def test_an_answer_of_a_dialect_without_a_form_is_not() -> None:
    assert whole_entry(call_of(speaks="generic"), Answer(200, body=b"{}")) is None
    assert stream_entry(call_of(speaks="generic"), heard(*chunks()), "") is None


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"data": [{"embedding": [0.5]}], "error": null}', True),
        (b'{"result": {"data": [[0.5]]}, "success": true, "errors": []}', True),
        (b"[[0.5]]", True),
        (b'{"error": {}}', False),
        (b'{"detail": "there is no such model"}', False),
        (b'{"success": false, "result": null}', False),
        (b'{"code": "InvalidParameter", "message": "no"}', False),
        (b'{"data": []}', False),
        (b"{}", False),
        (b"[]", False),
        (b'"no"', False),
    ],
)
def test_embeddings_are_kept_unless_they_are_an_error(body: bytes, kept: bool) -> None:
    entry = whole_entry(call_of("embeddings", "openai-embeddings"), Answer(200, body=body))
    assert (entry is not None) == kept


ROUTE: dict[str, Any] = {"route": {"targets": ["first", "alike", "other", "same"]}}


def routed(
    answered: str,
    policy: dict[str, Any] = ROUTE,
    order: tuple[str, ...] = ("first", "alike", "other", "same"),
) -> Call:
    call = make_call(policy=policy)
    models = {"first": "gpt-6", "alike": "gpt-6", "other": "small", "same": "mine"}
    call.plan = tuple(target(name, provider="openai", model=models[name]) for name in order)
    call.attempts = [Attempt(answered, 0.0)]
    return call


@pytest.mark.parametrize(
    ("answered", "stand_in"), [("first", False), ("alike", False), ("other", True), ("api.openai.com", True)]
)
def test_an_answer_of_another_model_stands_in_where_one_fails(answered: str, stand_in: bool) -> None:
    assert stands_in(routed(answered)) is stand_in


def test_one_that_is_asked_first_as_checks_fail_stands_in_too() -> None:
    assert stands_in(routed("other", order=("other", "first")))
    assert not stands_in(routed("other", order=("other",)))  # the others were never for this call


def test_where_many_models_are_wanted_none_stands_in() -> None:
    assert not stands_in(routed("other", {"route": {**ROUTE["route"], "strategy": "weighted"}}))
    assert not stands_in(make_call())


@pytest.mark.parametrize(("action", "stand_in"), [("change", True), ("observe", False)])
def test_a_cheaper_model_stands_in_for_a_while(action: Any, stand_in: bool) -> None:
    call = make_call()
    call.verdicts.append(Verdict("cost", action, "dear → cheap", "model_switched"))

    assert stands_in(call) is stand_in


def test_a_stream_is_kept_with_its_times_and_the_tokens_that_it_cut() -> None:
    entry = stream_entry(call_of(), heard(*chunks()), "usage")

    assert entry is not None
    assert [piece.after for piece in entry.pieces] == [0, 1000, 2000, 3000]
    assert entry.pieces[-1].data == b"[DONE]"
    assert (entry.tokens, entry.ids, entry.form) == (("qzxsabcdefghij",), ("c1",), "usage")


@pytest.mark.parametrize(
    "answer",
    [
        heard(),
        heard(*chunks(), status=206),
        heard(*chunks("length")),
        heard(Event(b'{"choices": 7}')),
        heard(Event(b"{broken")),
        heard(*chunks(), room=20),
    ],
    ids=["empty", "status", "partial", "unlike", "broken", "too-large"],
)
def test_other_streams_are_not(answer: Heard) -> None:
    assert stream_entry(call_of(), answer, "") is None


def test_what_is_too_large_is_let_go_of_at_once() -> None:
    answer = heard(*chunks(), room=20)

    assert answer.events == []
    answer.hear(Event(b"more"), 11.0)
    assert answer.events == []


def test_a_stream_ends_well_where_nothing_speaks_against_it() -> None:
    call = call_of()
    assert ended_well(call, End())
    assert not ended_well(call, End("cut"))

    call.attempts.append(Attempt("host", 0.0))
    assert not ended_well(call, End())
    call.attempts[-1].complete = True
    assert ended_well(call, End())
    call.attempts[-1].error = "overloaded"
    assert not ended_well(call, End())


def test_headers_that_tell_what_was_used_are_kept() -> None:
    name = "x-amzn-bedrock-input-token-count"

    assert headers_of(call_of(speaks="bedrock-invoke"), [(name, "3"), ("x-ratelimit", "1")]) == ((name, "3"),)
