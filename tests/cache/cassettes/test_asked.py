"""What of a request is recorded, and what finds its recording."""

from __future__ import annotations

import json
from typing import Any

import pytest

from support.upstream import make_call, make_request
from tollgate.cache.cassettes.asked import Asked, asked, digest, ignoring
from tollgate.calls import Call

BODY: dict[str, Any] = {
    "model": "gpt-6",
    "user": "jane",
    "stream": True,
    "stream_options": {"include_usage": True},
    "messages": [{"role": "system", "content": "today is Monday"}, {"role": "user", "content": "hello"}],
}


def call_of(
    body: dict[str, Any] | bytes, *, stream: bool = False, target: str = "/v1/x?key=secret&a=1"
) -> Call:
    wire = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = [("Authorization", "Bearer sk-of-nobody"), ("OpenAI-Beta", "b, a"), ("User-Agent", "me")]
    call = make_call(make_request(wire, target=target, headers=headers), stream=stream)
    if not isinstance(body, bytes):
        call.request.body.parse(call.dialect.shape)
    return call


def request_of(body: dict[str, Any], *, stream: bool = False) -> Asked:
    found = asked(call_of(body, stream=stream))
    assert found is not None
    return found


def test_it_is_all_that_counts_and_no_credential() -> None:
    assert request_of(BODY, stream=True) == {
        "provider": "openai",
        "dialect": "openai-chat",
        "operation": "chat",
        "method": "POST",
        "url": "https://localhost:443/v1/x",
        "query": [["a", "1"]],
        "headers": {"openai-beta": ["a", "b"]},
        "stream": True,
        "form": request_of(BODY, stream=True)["form"],
        "body": {"model": "gpt-6", "messages": BODY["messages"]},
    }


@pytest.mark.parametrize(
    "name", ["cf-aig-authorization", "Helicone-Auth", "x-portkey-api-key", "x-litellm-api-key"]
)
def test_a_gateways_key_is_not_in_it(name: str) -> None:
    call = call_of(BODY)
    call.request.headers.update({name: "Bearer sk-of-nobody", "cf-aig-cache-ttl": "60"})

    found = asked(call)

    assert found is not None
    assert found["headers"] == {"cf-aig-cache-ttl": ["60"], "openai-beta": ["a", "b"]}


def test_a_request_without_a_body_is_one() -> None:
    found = asked(call_of(b""))

    assert found is not None
    assert found["body"] is None


def test_what_is_no_json_cannot_be_recorded() -> None:
    assert asked(call_of(b"--boundary")) is None


def test_streamed_and_whole_and_forms_of_streams_are_told_apart() -> None:
    plain = {name: item for name, item in BODY.items() if name != "stream_options"}
    found = [request_of(BODY), request_of(BODY, stream=True), request_of(plain, stream=True)]

    assert len(set(map(digest, found))) == 3


def test_neither_who_asks_nor_the_order_of_keys_matters() -> None:
    other = dict(reversed({**BODY, "user": "bob"}.items()))

    assert digest(request_of(other)) == digest(request_of(BODY))


def test_what_is_ignored_does_not_count() -> None:
    other = json.loads(json.dumps(BODY).replace("Monday", "Friday"))
    table = ignoring(["body.messages.content", "body.seed"])

    assert digest(request_of(other)) != digest(request_of(BODY))
    assert digest(request_of(other), table) == digest(request_of(BODY), table)
    assert digest(request_of({**BODY, "model": "x"}), table) != digest(request_of(BODY), table)


@pytest.mark.parametrize("paths", [["body..x"], [""], ["body.messages[0]"], ["body", "body.system"]])
def test_a_path_that_cannot_be_meant_is_told(paths: list[str]) -> None:
    with pytest.raises(ValueError, match=r"path to ignore|ignored already"):
        ignoring(paths)
