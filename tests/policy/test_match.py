from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from multidict import CIMultiDict

from tollgate.policy.match import Facts, Matcher, clients, compile_when, mismatch, names, parse_address
from tollgate.policy.when import When

FACTS = Facts(
    user="ann@corp.example",
    groups=("platform", "oncall"),
    client="10.20.3.4",
    user_agent="claude-cli/2.1 (external)",
    tool="claude-code",
    host="api.anthropic.com",
    provider="anthropic",
    dialect="anthropic-messages",
    operation="chat",
    model="claude-sonnet-5",
    headers=CIMultiDict([("X-Team", "research"), ("x-tag", "one"), ("x-tag", "two")]),
)


@pytest.mark.parametrize(
    ("when", "missed"),
    [
        ({}, ""),
        ({"user": "ann@corp.example"}, ""),
        ({"user": "ANN@*"}, ""),
        ({"user": "ann"}, "user"),
        ({"user": ["bob", "*@corp.example"]}, ""),
        ({"user": "a?n@*"}, ""),
        ({"user": "[ab]nn@*"}, ""),
        ({"user": "!ann@*"}, "user"),
        ({"user": ["*@corp.example", "!ann@*"]}, "user"),
        ({"user": ["!bob@*", "!eve@*"]}, ""),
        ({"group": "platform"}, ""),
        ({"group": ["interns", "on*"]}, ""),
        ({"group": "interns"}, "group"),
        ({"group": "!oncall"}, "group"),
        ({"group": "!interns"}, ""),
        ({"client": "10.20.3.4"}, ""),
        ({"client": "10.20.0.0/16"}, ""),
        ({"client": "10.21.0.0/16"}, "client"),
        ({"client": ["10.0.0.0/8", "!10.20.0.0/16"]}, "client"),
        ({"client": "10.20.*"}, ""),
        ({"client": "fd00::/8"}, "client"),
        ({"user_agent": "claude-cli/*"}, ""),
        ({"tool": "codex"}, "tool"),
        ({"host": "*.anthropic.com"}, ""),
        ({"host": "anthropic.com"}, "host"),
        ({"provider": ["openai", "anthropic"]}, ""),
        ({"dialect": "anthropic-*"}, ""),
        ({"operation": "!chat"}, "operation"),
        ({"model": ["claude-*", "!*opus*"]}, ""),
        ({"headers": {"x-team": "research"}}, ""),
        ({"headers": {"X-TEAM": "RESEARCH"}}, ""),
        ({"headers": {"x-team": "*"}}, ""),
        ({"headers": {"x-other": "*"}}, "headers.x-other"),
        ({"headers": {"x-other": "!*"}}, ""),
        ({"headers": {"x-team": "!*"}}, "headers.x-team"),
        ({"headers": {"x-tag": "two"}}, ""),
        ({"headers": {"x-tag": "!two"}}, "headers.x-tag"),
        ({"tool": "claude-code", "model": "gpt-*", "user": "bob"}, "user"),
        ({"tool": "claude-code", "headers": {"x-team": "research", "x-tag": "three"}}, "headers.x-tag"),
    ],
)
def test_a_rule_is_for_the_calls_that_all_its_keys_match(when: dict[str, Any], missed: str) -> None:
    assert mismatch(compile_when(When.model_validate(when)), FACTS) == missed


def test_every_key_of_a_when_is_looked_at() -> None:
    keys = {key: {"x-a": "!*"} if key == "headers" else "!*" for key in When.model_fields}
    conditions = compile_when(When.model_validate(keys))
    assert {condition.key.partition(".")[0] for condition in conditions} == set(When.model_fields)
    assert [condition.key for condition in conditions if condition.holds(FACTS)] == ["headers.x-a"]


@pytest.mark.parametrize(
    ("pattern", "client", "matches"),
    [
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.1.*", "::ffff:10.1.2.3", True),
        ("::1", "0:0:0:0:0:0:0:1", True),
        ("fd00::/8", "FD00::1", True),
        ("fe80::/10", "fe80::1%eth0", True),
        ("10.0.0.0/8", "fd00::1", False),
        ("10.0.0.0/8", "10.0.0.0.1", False),
        ("local*", "localhost", True),
        ("!10.0.0.0/8", "", True),
    ],
)
def test_a_client_is_compared_as_an_address_where_it_is_one(pattern: str, client: str, matches: bool) -> None:
    assert Matcher([pattern], clients).matches([client]) is matches


@settings(deadline=None)
@given(st.ip_addresses(v=4), st.integers(min_value=0, max_value=32))
def test_an_address_is_in_its_own_network_however_it_is_written(
    address: ipaddress.IPv4Address, bits: int
) -> None:
    network = ipaddress.ip_network((address, bits), strict=False)
    test = clients([str(network)])
    assert test(str(address))
    assert test(f"::ffff:{address}")


def test_what_is_no_address_is_none() -> None:
    assert parse_address("ann") is None
    assert parse_address("::ffff:10.0.0.1") == ipaddress.ip_address("10.0.0.1")


@settings(deadline=None)
@given(st.text(max_size=20))
def test_a_plain_name_matches_itself_and_a_star_matches_everything(text: str) -> None:
    assert names(["*"])(text)
    assert names(["a", text.translate(str.maketrans("*?[", "___"))])(
        text.translate(str.maketrans("*?[", "___"))
    )


def test_facts_can_be_remembered_and_compare_without_their_headers() -> None:
    other = Facts(**{name: getattr(FACTS, name) for name in Facts.__dataclass_fields__ if name != "headers"})
    assert other == FACTS
    assert hash(other) == hash(FACTS)


@pytest.mark.parametrize("pattern", ["*", "gpt-*", "!gpt-*"])
def test_a_model_that_is_not_known_yet_is_neither_this_one_nor_another(pattern: str) -> None:
    conditions = compile_when(When.model_validate({"model": pattern}))

    assert mismatch(conditions, Facts(model=None)) == "model"
