"""A record says how a call went, and holds nothing that must not be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import orjson
import pytest

from tollgate.calls import (
    MODEL_PLACE,
    Attempt,
    Body,
    Call,
    Connection,
    Finding,
    Identity,
    Notice,
    Shape,
    Timings,
    Usage,
    Verdict,
)
from tollgate.policy import Settings
from tollgate.store import Digester
from tollgate.trail.record import bodies, call_record, connection_record, milliseconds, notice_record, to_line

type NewCall = Callable[..., Call]

DIGESTER = Digester(b"k" * 32)
SHAPE: Shape = {"messages": {"content": "text"}}


def test_a_plain_call_says_only_what_is_known(new_call: NewCall) -> None:
    assert call_record(new_call()) == {
        "v": 1,
        "kind": "call",
        "time": "2023-11-14T22:13:20.125Z",
        "id": "01TEST",
        "user": "127.0.0.1",
        "address": "127.0.0.1",
        "authenticated": False,
        "tool": "claude-code",
        "provider": "anthropic",
        "host": "api.anthropic.com",
        "method": "POST",
        "path": "/v1/messages",
        "operation": "chat",
        "dialect": "anthropic-messages",
        "model": "claude-sonnet-4-5",
        "stream": True,
        "coverage": "inspected",
        "mode": "enforce",
        "outcome": "answered",
        "status": 200,
        "bytes_in": 92,
        "bytes_out": 0,
        "events": 0,
        "ms": {"total": 2000.0, "first_byte": 498.0, "first_out": 501.0, "added": 2000.0},
    }


def test_a_full_call_says_everything(new_call: NewCall) -> None:
    call = new_call(
        identity=Identity("alice", "10.0.0.7", True, "f1", "bearer", "codex", "s-1", "p-1"),
        policy=Settings(mode="observe"),
        answered_model="claude-sonnet-4-5-20250929",
        verdicts=[
            Verdict("dlp", "change", "2 values were replaced", "redacted"),
            Verdict("cost", "allow", ""),
        ],
        findings=[Finding("EMAIL_ADDRESS", "messages[0].content", "replace", 2)],
        attempts=[
            Attempt("eu", started=10.0, ended=10.25, error="refused the connection"),
            Attempt("us", started=10.25, ended=12.0, status=200),
        ],
        usage=Usage(input=12, cache_read=1000, output=7, requests={"web_search": 1}),
        cache="miss",
        cost=1_234_000,
        paid="subscription",
        bytes_out=4321,
        events_out=17,
    )
    expected = {
        "user": "alice",
        "address": "10.0.0.7",
        "authenticated": True,
        "credential": "f1",
        "credential_kind": "bearer",
        "tool": "codex",
        "session": "s-1",
        "project": "p-1",
        "policy": "p1",
        "mode": "observe",
        "answered_model": "claude-sonnet-4-5-20250929",
        "verdicts": [
            {"room": "dlp", "action": "change", "code": "redacted", "reason": "2 values were replaced"},
            {"room": "cost", "action": "allow"},
        ],
        "findings": [
            {"kind": "EMAIL_ADDRESS", "place": "messages[0].content", "action": "replace", "count": 2}
        ],
        "attempts": [
            {"target": "eu", "error": "refused the connection", "ms": 250.0},
            {"target": "us", "status": 200, "ms": 1750.0},
        ],
        "usage": {"input": 12, "cache_read": 1000, "output": 7, "requests": {"web_search": 1}},
        "cache": "miss",
        "cost": 1_234_000,
        "paid": "subscription",
        "bytes_out": 4321,
        "events": 17,
    }
    record = call_record(call, policy="p1")
    assert {name: record[name] for name in expected} == expected


def test_a_path_is_told_without_what_was_found_in_it(new_call: NewCall) -> None:
    call = new_call()
    call.client_request.target = "/v1/users/jane@corp.io/files?key=k"
    call.findings = [Finding("EMAIL_ADDRESS", "path segment 3", "block")]

    assert call_record(call)["path"] == "/v1/users/…/files"


@pytest.mark.parametrize(
    ("room", "enabled", "told"),
    [
        ("gate", True, "/v1/files/…/content"),
        ("gate", False, "/v1/files/Jane1/content"),
        ("cost", True, "/v1/files/Jane1/content"),
    ],
)
def test_a_path_that_nobody_looked_into_is_told_by_its_words(
    new_call: NewCall, room: str, enabled: bool, told: str
) -> None:
    call = new_call()
    call.policy = Settings.model_validate({"dlp": {"enabled": enabled}})
    call.client_request.target = "/v1/files/Jane1/content"
    call.verdicts = [Verdict(room, "refuse", "no", "invalid_json")]

    assert call_record(call)["path"] == told


def test_a_model_or_a_method_that_may_be_somebodys_text_is_not_told(new_call: NewCall) -> None:
    call = new_call()
    call.model, call.client_request.method = "jane@x.io", "JANE"
    call.findings = [Finding("EMAIL_ADDRESS", MODEL_PLACE, "block")]

    record = call_record(call)

    assert (record["model"], record["method"]) == ("…", "…")


def test_of_many_findings_the_last_are_told_one_by_one(new_call: NewCall) -> None:
    call = new_call()
    found = [Finding("SECRET", f"messages[{n}]", "mask" if n % 2 else "replace", 2) for n in range(35)]
    call.findings = [Finding("US_SSN", "system", "replace"), *found]

    told = call_record(call)["findings"]

    assert told[:3] == [
        {"kind": "US_SSN", "place": "1 place before", "action": "replace", "count": 1},
        {"kind": "SECRET", "place": "3 places before", "action": "replace", "count": 6},
        {"kind": "SECRET", "place": "2 places before", "action": "mask", "count": 4},
    ]
    assert [f["place"] for f in told[3:]] == [f"messages[{n}]" for n in range(5, 35)]
    assert sum(f["count"] for f in told) == 71


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        ([], None),
        (["allow", "observe"], None),
        (["refuse"], "refuse_0"),
        (["observe", "refuse", "warn"], "refuse_1"),
        (["error", "refuse"], "refuse_1"),
        (["refuse", "error"], "error_1"),
    ],
)
def test_the_code_is_that_of_the_verdict_that_decided(
    new_call: NewCall, actions: list[str], code: str | None
) -> None:
    verdicts = [Verdict("room", action, "why", f"{action}_{n}") for n, action in enumerate(actions)]  # type: ignore[arg-type]
    assert call_record(new_call(verdicts=verdicts)).get("code") == code


@pytest.mark.parametrize(
    ("timings", "attempts", "expected"),
    [
        (
            Timings(started=1.0, sent=1.02, first_byte=1.52, first_out=1.701, ended=3.0),
            [Attempt("a", 1.002, ended=1.01), Attempt("b", 1.01, ready=1.7)],
            {"total": 2000.0, "first_byte": 500.0, "first_out": 701.0, "added": 3.0},
        ),
        (  # it was refused, or came from the cache: all of it is our own time
            Timings(started=1.0, first_out=1.001, ended=1.004),
            [],
            {"total": 4.0, "first_byte": None, "first_out": 1.0, "added": 4.0},
        ),
        (  # the provider never answered
            Timings(started=1.0, sent=1.02, ended=11.0),
            [Attempt("a", 1.002)],
            {"total": 10000.0, "first_byte": None, "first_out": None, "added": 2.0},
        ),
        (  # the client left before the first byte went out
            Timings(started=1.0, sent=1.02, first_byte=1.52, ended=1.6),
            [Attempt("a", 1.002, ready=1.55)],
            {"total": 600.0, "first_byte": 500.0, "first_out": None, "added": 2.0},
        ),
    ],
)
def test_the_time_is_split_into_ours_and_the_providers(
    timings: Timings, attempts: list[Attempt], expected: dict[str, float | None]
) -> None:
    assert milliseconds(timings, attempts) == expected


def test_neither_key_nor_prompt_is_in_the_line(new_call: NewCall) -> None:
    call = new_call()
    text = to_line(call_record(call), bodies(call), DIGESTER).decode()
    assert not [secret for secret in ("sk-in-", "secret prompt", "beta=true") if secret in text]


def test_text_that_others_chose_is_made_fit_for_a_terminal(new_call: NewCall) -> None:
    call = new_call(model="m\x1b[2J\u202e" + "x" * 500, error="a\nb\udc80" + "y" * 5000)
    call.client_request.target = "/v1/\udcff" + "z" * 5000
    record = call_record(call)
    assert record["model"] == "m [2J " + "x" * 194
    assert record["error"] == "a b " + "y" * 996
    assert record["path"] == "/v1/ " + "z" * 995
    assert orjson.loads(to_line(record, {}, DIGESTER)) == record


def test_a_body_that_was_not_changed_has_one_digest(new_call: NewCall) -> None:
    call = new_call()
    assert bodies(call) == {"body": call.client_request.body.wire}


def test_a_body_that_was_changed_has_one_for_what_was_sent(new_call: NewCall) -> None:
    call = new_call()
    body = call.request.body
    body.parse(SHAPE)
    body.edit(next(slot for slot in body.slots if slot.text == "a secret prompt"), "a prompt")
    found = bodies(call)
    assert found == {"body": body.wire, "sent_body": body.wire.replace(b"a secret prompt", b"a prompt")}
    line = orjson.loads(to_line({}, found, DIGESTER))
    assert line == {name: DIGESTER.digest("body", data) for name, data in found.items()}


def test_a_changed_body_that_was_not_sent_has_none_for_it(new_call: NewCall) -> None:
    call = new_call(timings=Timings(started=1.0, ended=1.1))
    call.request = replace(call.request, body=Body(b"something else"))
    assert list(bodies(call)) == ["body"]


def test_an_empty_body_has_no_digest(new_call: NewCall) -> None:
    request = replace(new_call().request, body=Body(b""))
    assert bodies(new_call(client_request=request, request=request)) == {}


def test_a_line_is_one_line(new_call: NewCall) -> None:
    line = to_line(call_record(new_call(error="two\nlines")), {"body": b"x"}, DIGESTER)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1


def test_a_connection_has_a_record() -> None:
    seen = Connection("tunnelled", "example.org", 443, "10.0.0.7", user="alice", why="other_host", time=0.0)
    assert connection_record(seen) == {
        "v": 1,
        "kind": "connection",
        "time": "1970-01-01T00:00:00.000Z",
        "user": "alice",
        "address": "10.0.0.7",
        "host": "example.org",
        "port": 443,
        "sight": "tunnelled",
        "why": "other_host",
    }
    assert "user" not in connection_record(replace(seen, user=""))


def test_a_notice_has_a_record() -> None:
    assert notice_record(Notice("policy_invalid", "line 3:\nunknown key", time=1.5)) == {
        "v": 1,
        "kind": "notice",
        "time": "1970-01-01T00:00:01.500Z",
        "code": "policy_invalid",
        "text": "line 3: unknown key",
    }
