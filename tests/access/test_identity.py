"""Who is calling is told from headers and query, and no secret comes out of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict

from tollgate.access.identity import identify
from tollgate.calls import Identity
from tollgate.calls.credentials import SECRET_HEADERS
from tollgate.store import Digester

DIGESTER = Digester(b"k" * 32)
SIGV4 = (
    "AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261122/us-east-1/bedrock/aws4_request,"
    " SignedHeaders=host;x-amz-date, Signature={}"
)


def of(headers: dict[str, str], query: str = "", user: str = "") -> Identity:
    sessions, projects = ["x-session", "session-id"], ["x-project"]
    return identify(CIMultiDict(headers), query, "10.0.0.7", user, DIGESTER, sessions, projects)


def fingerprint(secret: str) -> str:
    return DIGESTER.digest("credential", secret.encode())


@pytest.mark.parametrize(
    ("headers", "query", "kind", "secret"),
    [
        ({"Authorization": "Bearer sk-proj-1"}, "", "bearer", "sk-proj-1"),
        ({"Authorization": "bearer  sk-proj-1 "}, "", "bearer", "sk-proj-1"),
        ({"Authorization": "Token ephemeral"}, "", "bearer", "ephemeral"),
        ({"Authorization": "Bearer sk-ant-oat01-x"}, "", "oauth", "sk-ant-oat01-x"),
        ({"Authorization": "Bearer eyJhbGciOi.e30.x"}, "", "oauth", "eyJhbGciOi.e30.x"),
        ({"Authorization": "bearer gho_abc"}, "", "oauth", "gho_abc"),
        ({"Authorization": "token ghu_abc"}, "", "oauth", "ghu_abc"),
        ({"Authorization": "Bearer ya29.abc"}, "", "oauth", "ya29.abc"),
        ({"Authorization": "Basic dXNlcjpwYXNz"}, "", "basic", "dXNlcjpwYXNz"),
        ({"Authorization": SIGV4.format("00ff")}, "", "sigv4", "AKIAEXAMPLE"),
        ({"Authorization": "sk-without-a-scheme"}, "", "authorization", "sk-without-a-scheme"),
        ({"x-api-key": "sk-ant-1"}, "", "x-api-key", "sk-ant-1"),
        ({"X-Api-Key": "one", "api-key": "two"}, "", "x-api-key", "one"),
        ({"api-key": "azure"}, "", "api-key", "azure"),
        ({"x-goog-api-key": "AIza1"}, "", "x-goog-api-key", "AIza1"),
        ({"Ocp-Apim-Subscription-Key": "k1"}, "", "ocp-apim-subscription-key", "k1"),
        ({"Authorization": "Bearer one", "x-api-key": "two"}, "key=three", "bearer", "one"),
        ({"Authorization": "Bearer ", "x-api-key": "two"}, "", "x-api-key", "two"),
        ({"Authorization": "AWS4-HMAC-SHA256 broken"}, "key=three", "query", "three"),
        ({}, "key=AIza1", "query", "AIza1"),
        ({"Cookie": "sid=1"}, "key=AIza1", "query", "AIza1"),
        ({"Cookie": "sid=1"}, "", "cookie", "sid=1"),
        ({"Ocp-Apim-Subscription-Key": "az9", "Cookie": "sid=1"}, "", "ocp-apim-subscription-key", "az9"),
        ({}, "alt=sse&key=AIza%2F1&x=2", "query", "AIza/1"),
        ({}, "access_token=ephemeral", "query", "ephemeral"),
        ({}, "api-key=azure", "query", "azure"),
        ({}, "X-Amz-Credential=AKIAEXAMPLE%2F20261122%2Fus-east-1", "sigv4", "AKIAEXAMPLE"),
    ],
)
def test_the_first_credential_is_told_by_kind_and_fingerprint(
    headers: dict[str, str], query: str, kind: str, secret: str
) -> None:
    who = of(headers, query)
    assert (who.credential_kind, who.credential) == (kind, fingerprint(secret))
    assert secret not in repr(who)


@pytest.mark.parametrize("query", ["", "beta=true", "monkey=1", "key=", "turnkey=x&a=b"])
def test_without_a_credential_there_is_no_fingerprint(query: str) -> None:
    who = of({}, query)
    assert (who.credential_kind, who.credential) == ("", "")


def test_a_key_keeps_its_fingerprint_wherever_it_stands() -> None:
    """SDKs move keys from one header to another; it is still the same caller."""
    places = [
        of({"authorization": "Bearer k1"}),
        of({"x-api-key": "k1"}),
        of({"api-key": "k1"}),
        of({}, "key=k1"),
    ]
    assert {who.credential for who in places} == {fingerprint("k1")}


def test_every_signature_of_one_access_key_is_one_caller() -> None:
    assert (
        of({"authorization": SIGV4.format("aa")}).credential
        == of({"authorization": SIGV4.format("bb")}).credential
    )


def test_a_caller_without_a_proxy_user_is_its_address() -> None:
    who = of({})
    assert (who.user, who.address, who.authenticated) == ("10.0.0.7", "10.0.0.7", False)


def test_a_proxy_user_has_authenticated() -> None:
    who = of({}, user="alice")
    assert (who.user, who.address, who.authenticated) == ("alice", "10.0.0.7", True)


def test_the_tool_is_told_by_the_user_agent() -> None:
    assert of({"User-Agent": "claude-cli/2.1.330 (external, cli)"}).tool == "claude-code"


def test_session_and_project_come_from_the_first_header_that_has_one() -> None:
    who = of({"X-Session": "", "Session-Id": "s-1", "x-project": "p-1"})
    assert (who.session, who.project) == ("s-1", "p-1")


@pytest.mark.parametrize(
    ("value", "kept"),
    [("a\x1b[2Jb\r\nc", "a[2Jbc"), ("caf\u00e9 1", "caf\u00e9 1"), ("\udc80x", "x"), ("s" * 500, "s" * 128)],
)
def test_what_a_client_says_of_itself_is_made_fit_for_a_record(value: str, kept: str) -> None:
    assert of({"x-session": value}).session == kept
    assert of({}, user=value).user == kept


@given(st.text(), st.text())
def test_whatever_stands_there_is_no_error_and_no_leak(secret: str, query: str) -> None:
    who = of({"authorization": f"Bearer marker{secret}"}, query)
    assert "marker" not in repr(who)
    of({}, query)


def test_every_header_with_a_credential_is_known_as_secret() -> None:
    assert {
        "authorization",
        "x-api-key",
        "api-key",
        "x-goog-api-key",
        "proxy-authorization",
    } <= SECRET_HEADERS
    assert all(name == name.lower() for name in SECRET_HEADERS)
