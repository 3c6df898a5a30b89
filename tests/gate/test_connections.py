"""Which connections are looked into, tunnelled or refused."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.gate.connections import disagreement, host_name, is_address, on_connect, on_tls
from tollgate.policy import PolicyFile
from tollgate.providers import Providers

PROVIDERS = Providers.builtin()
OPAQUE = next(host for row in PROVIDERS.rows if row.opaque for host in row.hosts if "*" not in host)
STRICT = {"other_hosts": "refuse", "opaque_hosts": "refuse", "ip_literals": "refuse"}


def policy(**connections: Any) -> PolicyFile:
    return PolicyFile.model_validate({"connections": connections})


@pytest.mark.parametrize(
    ("host", "open_to", "strict"),
    [
        ("api.openai.com", "inspect", "inspect"),
        ("API.OpenAI.com.", "inspect", "inspect"),
        ("my-company.openai.azure.com", "inspect", "inspect"),
        (OPAQUE, "tunnel", "refuse"),
        ("example.org", "tunnel", "refuse"),
        ("openai.com.example.org", "tunnel", "refuse"),
        ("192.0.2.1", "tunnel", "refuse"),
        ("[2001:db8::1]", "tunnel", "refuse"),
        ("169.254.169.254", "refuse", "refuse"),
        ("[fe80::1]", "refuse", "refuse"),
        ("metadata.google.internal", "refuse", "refuse"),
        ("METADATA.google.internal.", "refuse", "refuse"),
    ],
)
def test_a_connect_is_decided_by_its_host(host: str, open_to: str, strict: str) -> None:
    for rules, decision in ((policy(), open_to), (policy(**STRICT), strict)):
        verdict = on_connect(host, 443, rules, PROVIDERS)

        assert verdict.decision == decision
        assert bool(verdict.reason) == (decision == "refuse")
        assert bool(verdict.why) == (decision != "inspect")


@pytest.mark.parametrize(
    ("rules", "host", "why", "key"),
    [
        ({"other_hosts": "refuse"}, "example.org", "other_host", "connections.other_hosts"),
        ({"opaque_hosts": "refuse"}, OPAQUE, "opaque", "connections.opaque_hosts"),
        ({"ip_literals": "refuse"}, "192.0.2.1", "ip_literal", "connections.ip_literals"),
        ({}, "169.254.169.254", "metadata", "link-local"),
    ],
)
def test_a_refusal_names_the_setting_behind_it(rules: dict[str, str], host: str, why: str, key: str) -> None:
    verdict = on_connect(host, 443, policy(**rules), PROVIDERS)

    assert (verdict.decision, verdict.why) == ("refuse", why)
    assert key in verdict.reason


def test_an_address_that_may_be_tunnelled_is_still_no_llm_host() -> None:
    assert on_connect("192.0.2.1", 443, policy(other_hosts="refuse"), PROVIDERS).why == "other_host"


@pytest.mark.parametrize(
    ("connect", "sni", "decision"),
    [
        ("api.openai.com", "api.openai.com", "inspect"),
        ("api.openai.com", "", "inspect"),
        ("api.openai.com", "example.org", "inspect"),
        ("example.org", "api.openai.com", "inspect"),
        ("192.0.2.1", "api.openai.com", "inspect"),
        ("192.0.2.1", "example.org", "tunnel"),
        ("192.0.2.1", "", "tunnel"),
        ("example.org", "192.0.2.1", "tunnel"),
        ("example.org", "example.org", "tunnel"),
        ("example.org", "metadata.google.internal", "refuse"),
    ],
)
def test_a_handshake_is_decided_by_both_names(connect: str, sni: str, decision: str) -> None:
    assert on_tls(connect, 443, sni, policy(), PROVIDERS).decision == decision


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"CONNECT": "api.openai.com", "SNI": "api.openai.com", "Host": "API.OpenAI.com."}, ""),
        ({"CONNECT": "192.0.2.1", "SNI": "api.openai.com", "Host": ""}, ""),
        ({"CONNECT": "", "SNI": "", "Host": ""}, ""),
        (
            {"CONNECT": "api.openai.com", "SNI": "", "Host": "example.org"},
            "The host's names disagree: CONNECT says 'api.openai.com', Host says 'example.org'.",
        ),
    ],
)
def test_names_disagree_where_two_of_them_are_different_hosts(names: dict[str, str], said: str) -> None:
    assert disagreement(names) == said


@pytest.mark.parametrize(
    ("host", "name", "address"),
    [
        ("API.Example.org.", "api.example.org", False),
        ("[::1]", "::1", True),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_a_host_is_compared_in_one_form(host: str, name: str, address: bool) -> None:
    assert (host_name(host), is_address(host)) == (name, address)
