"""From a request's head to a call."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.test.tflow import tflow
from mitmproxy.test.tutils import treq

from tollgate.calls import Runtime
from tollgate.gate.openings import Opening, new_id, open_call, open_request, settle, user_of
from tollgate.policy import Policy, PolicyFile
from tollgate.providers import Providers
from tollgate.store import Digester


def runtime(**policy: Any) -> Runtime:
    file = PolicyFile.model_validate(policy)
    return Runtime(Policy(file), Providers.builtin().with_hosts(file.hosts), Path(), Digester(b"k" * 32))


def flow_of(
    host: str = "api.openai.com",
    path: str = "/v1/chat/completions",
    *,
    sni: str | None = None,
    method: str = "POST",
    headers: Mapping[str, str] | None = None,
    body: bytes = b"{}",
) -> http.HTTPFlow:
    fields = [(k.encode(), v.encode()) for k, v in {"host": host, **(headers or {})}.items()]
    request = treq(
        host=host,
        port=443,
        scheme=b"https",
        method=method.encode(),
        path=path.encode(),
        authority=b"",
        headers=http.Headers(fields),
        content=body,
    )
    flow = tflow(req=request)
    flow.client_conn.sni = sni
    return flow


def opened(flow: http.HTTPFlow, **policy: Any) -> Opening:
    opening = open_request(flow, runtime(**policy))
    assert opening is not None
    return opening


def test_a_request_to_another_host_is_none_of_ours() -> None:
    assert open_request(flow_of("example.org"), runtime()) is None


def test_a_call_says_who_speaks_to_whom_about_what() -> None:
    flow = flow_of(headers={"authorization": "Bearer sk-x", "user-agent": "claude-cli/2.0"}, body=b'{"a": 1}')

    opening = opened(flow)
    call = open_call(flow, opening)

    assert (call.provider, call.dialect.name, call.operation) == ("openai", "openai-chat", "chat")
    assert (call.request.host, call.bytes_in, call.coverage) == ("api.openai.com", 8, "inspected")
    assert (call.identity.address, call.identity.user) == ("127.0.0.1", "127.0.0.1")
    assert call.identity.credential_kind == "bearer"
    assert "sk-x" not in repr(call.identity)
    assert (opening.refusal, opening.native) == (None, None)


def test_what_a_room_changes_is_not_what_the_client_sent() -> None:
    flow = flow_of()
    call = open_call(flow, opened(flow))

    call.request.headers["x-new"] = "1"
    call.request.host = "elsewhere.example"

    assert "x-new" not in call.client_request.headers
    assert call.client_request.host == "api.openai.com"


def test_a_model_in_the_path_is_known_before_the_body_is_read() -> None:
    flow = flow_of("generativelanguage.googleapis.com", "/v1beta/models/gemini-3:generateContent")

    assert open_call(flow, opened(flow)).model == "gemini-3"


def test_the_dialect_is_that_of_the_version_the_client_asks_for() -> None:
    flow = flow_of("api.anthropic.com", "/v1/messages", headers={"anthropic-version": "2023-06-01"})

    assert open_call(flow, opened(flow)).dialect.name == "anthropic-messages"


@pytest.mark.parametrize("sni", ["api.openai.com", None])
def test_an_address_says_nothing_against_the_name_that_was_asked_for(sni: str | None) -> None:
    flow = flow_of("192.0.2.1", sni=sni, headers={"host": "api.openai.com:443"})

    opening = opened(flow)

    assert (opening.host, opening.refusal) == ("api.openai.com", None)


@pytest.mark.parametrize(
    ("host", "sni", "header"),
    [
        ("api.openai.com", "api.openai.com", "api.anthropic.com"),
        ("api.openai.com", "api.anthropic.com", "api.openai.com"),
        ("example.org", "example.org", "api.openai.com"),
        ("api.openai.com", None, "example.org:8443"),
    ],
)
def test_names_that_disagree_are_refused_even_where_the_policy_only_observes(
    host: str, sni: str | None, header: str
) -> None:
    opening = opened(flow_of(host, sni=sni, headers={"host": header}), mode="observe")

    assert opening.refusal is not None
    assert (opening.refusal.code, opening.refusal.always) == ("host_mismatch", True)


@pytest.mark.parametrize(
    "target", ["@evil.example/v1", ".evil.example/v1", "*", "v1/models", ":1/", "/v1/chat/completions#x"]
)
def test_a_target_that_is_no_path_is_refused(target: str) -> None:
    """HTTP/2 carries any `:path`; after the host's name, this one would lead elsewhere."""
    refusal = opened(flow_of(path=target)).refusal

    assert refusal is not None
    assert (refusal.code, refusal.always) == ("bad_target", True)


def test_a_method_that_is_none_is_refused_and_not_told() -> None:
    refusal = opened(flow_of(method="GHP_OFNOBODY")).refusal

    assert refusal is not None
    assert (refusal.code, refusal.always, "GHP" in refusal.message) == ("bad_method", True, False)


UPGRADE = {"upgrade": "WebSocket", "connection": "upgrade"}
GRPC = {"content-type": "application/grpc+proto"}
CHAT, METHOD = "/v1/chat/completions", "/company.chat.v1.Chat/Complete"


@pytest.mark.parametrize("headers", [UPGRADE, GRPC], ids=["websocket", "grpc"])
def test_a_call_is_looked_into_whatever_its_headers_say(headers: dict[str, str]) -> None:
    opening = opened(flow_of(headers=headers), websocket="pass")

    assert (opening.native, opening.refusal) == (None, None)


@pytest.mark.parametrize(
    ("path", "headers", "policy", "native", "refusal"),
    [
        (CHAT, UPGRADE, {}, None, "websocket_refused"),
        (CHAT, UPGRADE, {"websocket": "pass"}, "websocket", None),
        (CHAT, UPGRADE, {"mode": "observe"}, "websocket", None),
        (METHOD, GRPC, {}, "opaque", None),
        (METHOD, GRPC, {"connections": {"opaque_hosts": "refuse"}}, None, "opaque_refused"),
        (METHOD, {}, {}, None, None),
        (CHAT, GRPC, {}, None, None),
        ("/v1/unheard-of", GRPC, {}, None, None),
    ],
)
def test_what_cannot_be_inspected_goes_as_the_policy_says(
    path: str, headers: dict[str, str], policy: dict[str, Any], native: str | None, refusal: str | None
) -> None:
    flow = flow_of(path=path, method="GET" if headers is UPGRADE else "POST", headers=headers)

    opening = opened(flow, **policy)

    assert opening.native == native
    assert (opening.refusal.code if opening.refusal else None) == refusal
    if refusal == "websocket_refused":
        assert opening.refusal is not None
        assert opening.refusal.status == 426
        assert open_call(flow, opening).coverage == "websocket"


@pytest.mark.parametrize(("choice", "code"), [("inspect", None), ("refuse", "unknown_path")])
def test_a_path_that_nobody_knows_goes_as_the_policy_says(choice: str, code: str | None) -> None:
    flow = flow_of(path="/v1/unheard-of/bob?key=secret")

    opening = opened(flow, bodies={"unknown_path": choice})

    assert (opening.refusal.code if opening.refusal else None) == code
    assert open_call(flow, opening).coverage == "generic"
    assert opening.refusal is None or "/v1/unheard-of/bob" in opening.refusal.message
    assert opening.refusal is None or "secret" not in opening.refusal.message
    assert opening.refusal is None or "bob" not in opening.refusal.record


@pytest.mark.parametrize(("oversize", "limit"), [("refuse", 1000), ("pass", None)])
def test_a_large_body_is_kept_only_where_it_may_pass(oversize: str, limit: int | None) -> None:
    assert opened(flow_of(), bodies={"max_size": 1000, "oversize": oversize}).body_limit == limit


def test_the_policy_is_settled_once_the_model_is_known() -> None:
    rules = [{"name": "mini", "when": {"model": "*-mini"}, "set": {"mode": "observe"}}]
    flow, policy = flow_of(), runtime(rules=rules)
    opening = open_request(flow, policy)
    assert opening is not None
    call = open_call(flow, opening)
    before = call.policy.mode

    call.model = "gpt-6-mini"

    assert (before, settle(opening, policy, call).mode) == ("enforce", "observe")


@pytest.mark.parametrize(
    ("path", "pattern", "limit"),
    [
        ("/v1/chat/completions", "!gpt-*", 32 * 1024**2),
        ("/v1/chat/completions", "gpt-*", 32 * 1024**2),
        ("/openai/deployments/gpt-4o/chat/completions", "gpt-*", 1),
        ("/openai/deployments/gpt-4o/chat/completions", "!gpt-*", 32 * 1024**2),
    ],
)
def test_a_rule_for_models_is_for_bodies_whose_model_stands_in_the_path(
    path: str, pattern: str, limit: int
) -> None:
    """Else a rule for the others would let the body of this one pass unread."""
    rules = [{"name": "a", "when": {"model": pattern}, "set": {"bodies": {"max_size": 1}}}]
    host = "corp.openai.azure.com" if "deployments" in path else "api.openai.com"

    assert opened(flow_of(host, path), rules=rules).body_limit == limit


def test_a_rule_may_ask_for_the_proxy_user_and_its_groups() -> None:
    rules = [{"name": "a", "when": {"group": "team"}, "set": {"mode": "observe"}}]
    flow = flow_of()
    flow.metadata["proxyauth"] = ("alice", "a password")

    opening = opened(flow, rules=rules, identification={"groups": {"team": ["alice"]}})

    assert (opening.identity.user, opening.settings.mode) == ("alice", "observe")
    assert flow.metadata["proxyauth"] == "alice"
    assert user_of(flow) == "alice"


def test_nobody_logged_in_is_nobody() -> None:
    assert user_of(flow_of()) == ""


def test_a_client_without_an_address_can_call() -> None:
    flow = flow_of()
    flow.client_conn.peername = None  # type: ignore[assignment]

    assert opened(flow).identity.address == ""


def test_ids_are_of_version_7_and_sort_by_time() -> None:
    early = new_id()
    stamp = int(early.replace("-", "")[:12], 16) / 1000

    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", early)
    assert abs(stamp - time.time()) < 60
    assert len({new_id() for _ in range(1000)}) == 1000


@given(
    path=st.binary(max_size=40),
    host=st.binary(max_size=20),
    fields=st.lists(
        st.tuples(
            st.sampled_from([b"authorization", b"x-api-key", b"user-agent", b"content-type", b"session-id"]),
            st.binary(max_size=30),
        )
    ),
)
def test_whatever_bytes_a_client_sends_its_request_is_opened(
    path: bytes, host: bytes, fields: list[tuple[bytes, bytes]]
) -> None:
    """mitmproxy lets a request go on, unseen, where a hook raises."""
    flow = flow_of()
    flow.request.data.path = b"/" + path
    flow.request.data.headers = http.Headers([(b"host", host), *fields])

    open_call(flow, opened(flow))
