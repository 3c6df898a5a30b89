"""Against AWS's own test suite, whose key everybody knows, and against the simulated provider's verifier."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from simulator.behaviour import Behaviour
from simulator.exchange import Ask
from simulator.sigv4 import ACCESS_KEY, SECRET_KEY, verify
from tollgate.upstream.sigv4 import AwsKey, parse_key, scope_of, sign

SUITE_KEY = AwsKey("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
WHEN = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
HOST = ("Host", "example.amazonaws.com")
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@pytest.mark.parametrize(
    ("request_", "signature"),
    [
        ({}, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
        ({"method": "POST"}, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
        (
            {"target": "/?Param2=value2&Param1=value1"},
            "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
        ),
        (
            {"target": "/?%E1%88%B4=bar"},
            "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
        ),
        (
            {"method": "POST", "headers": [HOST, FORM], "body": b"Param1=value1"},
            "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
        ),
    ],
    ids=["get-vanilla", "post-vanilla", "get-vanilla-query-order-key", "get-utf8-query", "post-form"],
)
def test_the_suites_requests_have_the_suites_signatures(request_: dict[str, Any], signature: str) -> None:
    asked = {"method": "GET", "target": "/", "headers": [HOST], "body": b"", **request_}
    told = sign(SUITE_KEY, ("us-east-1", "service"), WHEN, **asked)

    assert told["Authorization"].endswith(f"Signature={signature}")
    assert told["X-Amz-Date"] == "20150830T123600Z"
    assert "X-Amz-Security-Token" not in told


@pytest.mark.parametrize(
    "target",
    [
        "/model/anthropic.claude/converse",
        "/model/arn%3Aaws%3Abedrock%2Fx/converse?b=2&a=1&c",
        "/model/a%20b:0/invoke?x=a%2Bb",
    ],
)
@pytest.mark.parametrize("token", ["", "a-session-token"])
def test_another_implementation_takes_our_signatures(target: str, token: str) -> None:
    headers = [("Host", "bedrock-runtime.us-east-1.amazonaws.com"), ("Content-Type", " application/json ")]
    key = AwsKey(ACCESS_KEY, SECRET_KEY, token)
    scope = ("us-east-1", "bedrock")
    told = sign(key, scope, WHEN, method="POST", target=target, headers=headers, body=b"{}")
    path, _, query = target.partition("?")
    sent = [*headers, *told.items()]

    verify(
        Ask(
            method="POST",
            host=headers[0][1],
            path=path,
            query={},
            headers={name.lower(): value for name, value in sent},
            raw_headers=sent,
            raw_query=query,
            body=b"{}",
            behaviour=Behaviour(),
        )
    )
    assert ("X-Amz-Security-Token" in told) is bool(token)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ID:SECRET", AwsKey("ID", "SECRET")),
        ("ID:SECRET:TOKEN", AwsKey("ID", "SECRET", "TOKEN")),
        ('{"Version": 1, "AccessKeyId": "ID", "SecretAccessKey": "S"}', AwsKey("ID", "S")),
        ('{"AccessKeyId": "ID", "SecretAccessKey": "S", "SessionToken": "T"}', AwsKey("ID", "S", "T")),
    ],
)
def test_credentials_are_read_in_both_forms(text: str, key: AwsKey) -> None:
    assert parse_key(text) == key


@pytest.mark.parametrize(
    "text", ["", "sk-secret", "a:", "a:b:c:d", '{"AccessKeyId": "sk-secret"}', "{sk-secret"]
)
def test_what_is_no_credential_is_told_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="no AWS credentials") as caught:
        parse_key(text)
    assert "sk-secret" not in str(caught.value)


def test_a_key_does_not_show_its_secret() -> None:
    assert repr(AwsKey("ID", "SECRET", "TOKEN")) == "AwsKey(id='ID')"


@pytest.mark.parametrize(
    ("host", "scope"),
    [
        ("bedrock-runtime.us-east-1.amazonaws.com", ("us-east-1", "bedrock")),
        ("bedrock-runtime-fips.us-gov-west-1.amazonaws.com", ("us-gov-west-1", "bedrock")),
        ("bedrock-mantle.eu-central-1.api.aws", ("eu-central-1", "bedrock-mantle")),
        ("aws-external-anthropic.ap-south-1.api.aws", ("ap-south-1", "aws-external-anthropic")),
    ],
)
def test_the_scope_is_that_of_the_host(host: str, scope: tuple[str, str]) -> None:
    assert scope_of(host) == scope


def test_a_host_without_a_region_has_no_scope() -> None:
    with pytest.raises(ValueError, match="names no AWS region"):
        scope_of("bedrock.corp.example")
