from __future__ import annotations

from typing import Any

import pytest

from support.routes import call_of, runtime
from tollgate.calls import CLIENT
from tollgate.policy.routing import Route
from tollgate.routing.spec import STAY, Spec, alias, specs_of


def spec(**target: Any) -> Spec:
    return specs_of(runtime(targets={"t": target}))["t"]


def test_same_stays_as_the_client_has_it() -> None:
    call = call_of()

    assert specs_of(runtime()) == {"same": STAY}
    assert STAY.host_for(call) == "api.openai.com"
    assert STAY.provider_for(call) == "openai"
    assert STAY.credentials(call) == (CLIENT,)
    assert STAY.model_for(call, Route()) == "gpt-6"
    assert STAY.dialect_for(call) == "openai-chat"


def test_a_target_elsewhere_gets_no_key_unless_it_is_given_one() -> None:
    assert spec(provider="anthropic").credentials(call_of()) == ()
    assert spec(host="api.openai.com").credentials(call_of()) == (CLIENT,)


@pytest.mark.parametrize(
    ("names", "model", "found"),
    [
        ({"a": "x"}, "a", "x"),
        ({"A": "x"}, "a", "x"),
        ({"a*": "x", "ab": "y"}, "ab", "y"),
        ({"a*": "x", "*": "z"}, "abc", "x"),
        ({"a": "x"}, "b", ""),
    ],
)
def test_a_plain_name_goes_before_a_glob(names: dict[str, str], model: str, found: str) -> None:
    assert alias(names, model) == found


@pytest.mark.parametrize(
    ("target", "route", "model"),
    [
        ({"model": "m"}, {}, "m"),
        ({"models": {"gpt-*": "m"}}, {}, "m"),
        ({"models": {"other": "m"}}, {}, "gpt-6"),
        ({}, {"models": {"gpt-6": "n"}}, "n"),
        ({"models": {"n": "m"}}, {"models": {"gpt-6": "n"}}, "m"),
    ],
)
def test_a_model_is_named_by_the_route_then_by_the_target(
    target: dict[str, Any], route: dict[str, Any], model: str
) -> None:
    assert spec(provider="openai", **target).model_for(call_of(), Route.model_validate(route)) == model


def test_a_request_without_a_model_gets_none() -> None:
    assert spec(provider="openai", model="m").model_for(call_of(body={}), Route()) == ""


@pytest.mark.parametrize(
    ("target", "speaks", "operation", "spoken"),
    [
        ({"provider": "groq"}, "openai-chat", "chat", "openai-chat"),
        ({"provider": "anthropic"}, "openai-chat", "chat", "anthropic-messages"),
        ({"provider": "openai"}, "anthropic-messages", "chat", "openai-chat"),
        ({"provider": "anthropic"}, "openai-responses", "responses", "anthropic-messages"),
        ({"provider": "groq"}, "openai-responses", "responses", "openai-responses"),
        ({"provider": "cerebras"}, "openai-responses", "responses", "openai-chat"),
        (
            {"provider": "databricks", "host": "x.cloud.databricks.com"},
            "openai-responses",
            "responses",
            "openai-chat",
        ),
        ({"provider": "bedrock", "region": "us-east-1"}, "openai-responses", "responses", "bedrock-converse"),
        ({"provider": "gemini"}, "openai-responses", "responses", "gemini"),
        (
            {"provider": "cerebras", "dialect": "openai-responses"},
            "openai-responses",
            "responses",
            "openai-responses",
        ),
        ({"provider": "gemini", "dialect": "gemini"}, "openai-chat", "chat", "gemini"),
        ({"host": "x.test", "dialect": "openai-chat"}, "openai-chat", "chat", "openai-chat"),
        ({"provider": "anthropic", "path": "/x"}, "openai-chat", "chat", "openai-chat"),
        ({"provider": "cohere", "dialect": "generic"}, "openai-chat", "chat", ""),
        ({"provider": "anthropic"}, "openai-embeddings", "embeddings", ""),
        ({"provider": "openai"}, "generic", "files", "generic"),
    ],
)
def test_a_target_speaks_as_the_client_where_it_can(
    target: dict[str, Any], speaks: str, operation: str, spoken: str
) -> None:
    caller = "x" if target.get("provider") != "openai" or speaks != "generic" else "openai"
    call = call_of(speaks=speaks, operation=operation, provider=caller)

    assert spec(**target).dialect_for(call) == spoken


def test_the_clients_own_provider_is_asked_as_the_client_asks() -> None:
    call = call_of(speaks="generic", operation="files", provider="openai")

    assert spec(provider="openai", region="eu").dialect_for(call) == "generic"
