from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict

from support.routes import HELLO, call_of, runtime
from tollgate.calls import Body, Call, Leg, Refused
from tollgate.policy.routing import Route
from tollgate.routing.render import NOTE, render
from tollgate.routing.spec import specs_of

KEYS = {"k": {"env": "K", "hosts": "*"}}
GEMINI = "/v1beta/models/gemini-3:generateContent"


def rendered(call: Call, target: dict[str, Any] | None = None, route: dict[str, Any] | None = None) -> Leg:
    spec = specs_of(runtime(targets={"t": target or {}}, credentials=KEYS))["t"]
    return render(spec, Route.model_validate(route or {}), call)


def gemini(model: str = "gemini-3", target: str = GEMINI) -> Call:
    params = {"model": model, "verb": "generateContent"}
    return call_of(body={"contents": []}, speaks="gemini", provider="gemini", target=target, params=params)


def body_of(leg: Leg) -> bytes:
    return leg.request.body.render()


# -- the client's own dialect ------------------------------------------------------------------------------


def test_what_nothing_changes_is_the_clients_own_body() -> None:
    call = call_of()
    leg = rendered(call)

    assert leg.request.body is call.request.body
    assert leg.request.target == call.request.target
    assert leg.request.headers == call.request.headers
    assert leg.request.headers is not call.request.headers
    assert (leg.back, leg.losses, leg.dialect, leg.params) == (None, (), call.dialect, call.params)


def test_the_model_and_the_parameters_change_and_nothing_else() -> None:
    call = call_of(body=b'{"a":1.0, "model" : "gpt-6","max_tokens":9}')
    leg = rendered(
        call,
        {"model": "m", "parameters": {"cap": {"max_tokens": 5}}},
        {"parameters": {"default": {"max_tokens": 3, "b": 2}}},
    )

    assert body_of(leg) == b'{"a":1.0, "model" : "m","max_tokens":5,"b":2}'
    assert call.request.body.render() == b'{"a":1.0, "model" : "gpt-6","max_tokens":9}'


def test_what_rooms_above_changed_stays_changed() -> None:
    call = call_of(body=b'{"model":"gpt-6","messages":[{"role":"user","content":"a secret"}]}')
    call.request.body.edit(call.request.body.slots[-1], "TOKEN")

    assert body_of(rendered(call, {"model": "m"})) == (
        b'{"model":"m","messages":[{"role":"user","content":"TOKEN"}]}'
    )


@pytest.mark.parametrize(
    ("target", "host", "port", "scheme", "header"),
    [
        ({"provider": "groq"}, "api.groq.com", 443, "https", "api.groq.com"),
        ({"host": "x.test", "dialect": "openai-chat", "scheme": "http"}, "x.test", 80, "http", "x.test"),
        ({"host": "x.test", "dialect": "openai-chat", "port": 8443}, "x.test", 8443, "https", "x.test:8443"),
    ],
)
def test_a_request_goes_to_the_targets_host(
    target: dict[str, Any], host: str, port: int, scheme: str, header: str
) -> None:
    request = rendered(call_of(), target).request

    assert (request.host, request.port, request.scheme, request.headers["host"]) == (
        host,
        port,
        scheme,
        header,
    )


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ({"provider": "groq"}, "/openai/v1/chat/completions"),
        ({"host": "x.test", "dialect": "openai-chat"}, "/v1/chat/completions"),
        ({"provider": "openai", "region": "eu"}, "/v1/chat/completions"),
        ({"host": "x.test", "path": "/d/{model}/{verb}", "dialect": "openai-chat"}, "/d/gpt-6/"),
    ],
)
def test_a_path_is_that_of_the_target(target: dict[str, Any], path: str) -> None:
    call = call_of(target="/v1/chat/completions?a=b")

    assert rendered(call, target).request.target == f"{path}?a=b"


@pytest.mark.parametrize(
    ("model", "path", "renamed"),
    [
        ("gemini-3", GEMINI, "/v1beta/models/m%2F1:generateContent"),
        ("a:b", "/model/a%3Ab/converse", "/model/m%2F1/converse"),
        ("a:b", "/model/a:b/converse", "/model/m%2F1/converse"),
    ],
)
def test_a_model_in_the_path_is_renamed_there(model: str, path: str, renamed: str) -> None:
    call = gemini(model, path)
    leg = rendered(call, {"model": "m/1"})

    assert leg.request.target == renamed
    assert leg.params["model"] == "m/1"
    assert leg.request.body is call.request.body


def test_headers_are_set_and_left_out() -> None:
    target = {"headers": {"set": {"x-a": "2", "x-b": "3"}, "remove": ["X-C"]}}
    call = call_of(headers=[("Host", "api.openai.com"), ("X-C", "1")])
    leg = rendered(call, target, {"headers": {"set": {"x-a": "1"}}})

    assert dict(leg.request.headers) == {"Host": "api.openai.com", "x-a": "2", "x-b": "3"}


def test_a_body_that_cannot_be_changed_is_refused() -> None:
    call = call_of()
    call.request.body = Body(b"--form")

    with pytest.raises(Refused, match="no JSON that can be changed"):
        rendered(call, {"parameters": {"set": {"a": 1}}})


def test_a_body_that_is_no_object_is_refused() -> None:
    with pytest.raises(Refused, match="no JSON that can be changed"):
        rendered(call_of(body=[1]), {"parameters": {"set": {"a": 1}}})


def test_a_model_that_stands_nowhere_cannot_be_changed() -> None:
    call = call_of(body={"messages": []})
    call.model = "from somewhere"

    with pytest.raises(Refused, match="cannot be changed to m"):
        rendered(call, {"model": "m"})


def test_a_provider_without_such_a_path_is_refused() -> None:
    with pytest.raises(Refused, match=r"set targets\.t\.path"):
        rendered(call_of(), {"provider": "cloudflare"})


# -- keys --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ({}, True),
        ({"credential": "client"}, True),
        ({"credential": "k"}, False),
        ({"credential": ["k", "client"]}, True),
        ({"provider": "openai", "region": "eu"}, False),
        ({"provider": "openai", "region": "eu", "credential": "client"}, True),
        ({"provider": "groq"}, False),
        ({"provider": "groq", "credential": "k"}, False),
    ],
)
def test_the_clients_key_goes_where_the_client_or_the_policy_says(target: dict[str, Any], kept: bool) -> None:
    leg = rendered(call_of(), target)

    assert ("authorization" in leg.request.headers) is kept


def test_the_clients_key_never_goes_to_another_provider() -> None:
    with pytest.raises(Refused, match="has no business"):
        rendered(call_of(), {"provider": "groq", "credential": "client"})


def test_a_key_in_the_query_goes_with_the_others() -> None:
    call = gemini(target=f"{GEMINI}?key=of-nobody&alt=sse")
    leg = rendered(call, {"credential": "k"})

    assert leg.request.target == f"{GEMINI}?alt=sse"


def test_a_key_of_the_clients_own_making_goes_nowhere_else_but_the_policys_does() -> None:
    call = call_of(headers=[("x-auth-token", "of-nobody"), ("x-note", "hi")])
    leg = rendered(call, {"credential": "k", "headers": {"set": {"x-gateway-token": "of-the-policy"}}})

    assert "x-auth-token" not in leg.request.headers
    assert leg.request.headers["x-note"] == "hi"
    assert leg.request.headers["x-gateway-token"] == "of-the-policy"


@pytest.mark.parametrize("target", [{"model": "m"}, {"headers": {"set": {"a": "b"}}}])
def test_a_signed_request_does_not_change_unless_it_is_signed_anew(target: dict[str, Any]) -> None:
    call = call_of()
    call.identity = replace(call.identity, credential_kind="sigv4")

    with pytest.raises(Refused, match="is signed"):
        rendered(call, target)
    assert rendered(call, {**target, "credential": "k"}).request.host == "api.openai.com"
    assert rendered(call).request.body is call.request.body


# -- another dialect ---------------------------------------------------------------------------------------


def test_a_request_is_translated_and_its_answer_comes_back() -> None:
    call = call_of(body={**HELLO, "logit_bias": {"1": 1}, "max_tokens": 9})
    leg = rendered(
        call,
        {"provider": "anthropic", "model": "m", "parameters": {"set": {"top_k": 5}}},
        {"parameters": {"cap": {"max_tokens": 5}}},
    )
    sent = json.loads(body_of(leg))

    assert (leg.request.host, leg.request.target) == ("api.anthropic.com", "/v1/messages")
    assert (sent["model"], sent["max_tokens"], sent["top_k"]) == ("m", 5, 5)
    assert leg.dialect.name == "anthropic-messages"
    assert "authorization" not in leg.request.headers
    assert any("logit_bias" in loss for loss in leg.losses)
    assert leg.back is not None
    told = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "stop_reason": "end_turn",
        "content": [{"type": "text", "text": "hi"}],
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }
    status, _, body = leg.back.answer(200, CIMultiDict(), json.dumps(told).encode())
    assert (status, json.loads(body)["choices"][0]["message"]["content"]) == (200, "hi")
    assert leg.back.events(CIMultiDict()) is not leg.back.events(CIMultiDict())
    assert call.notes[NOTE].losses == []


def test_a_stream_has_the_path_that_the_target_streams_at() -> None:
    leg = rendered(
        call_of(body={**HELLO, "stream": True}), {"provider": "gemini", "dialect": "gemini", "model": "m"}
    )

    assert leg.request.target == "/v1beta/models/m:streamGenerateContent?alt=sse"
    assert leg.dialect.expected_framing(leg.params) == "sse"


def test_a_loss_can_be_an_error() -> None:
    call = call_of(body={**HELLO, "logit_bias": {"1": 1}})

    with pytest.raises(Refused, match=r"cannot express all of this request: .*logit_bias"):
        rendered(call, {"provider": "anthropic"}, {"on_loss": "error"})


def test_a_hint_that_is_lost_is_none() -> None:
    call = call_of(body={**HELLO, "messages": [{"role": "user", "content": "hi", "name": "jane"}]})

    leg = rendered(call, {"provider": "anthropic"}, {"on_loss": "error"})

    assert leg.losses


def test_what_cannot_be_translated_is_refused_with_the_reason() -> None:
    call = call_of(
        body={"model": "gpt-6", "previous_response_id": "r", "input": "x"}, speaks="openai-responses"
    )

    with pytest.raises(Refused, match="t speaks anthropic-messages"):
        rendered(call, {"provider": "anthropic"})


def test_what_only_looks_like_a_wrapped_seal_changes_nothing() -> None:
    call = call_of(body=b'{"model": "gpt-6", "messages": [{"content": "dG9sbGdhdGU6"}]}')

    assert rendered(call).request.body is call.request.body
