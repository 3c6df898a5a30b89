"""Reading rows: what is in them arrives, and a slip in them is an error that says where."""

from __future__ import annotations

import re
from datetime import date

import pytest

from tollgate.providers.table import Endpoint, Provider, below, one_of, read_families, read_providers

FAMILIES = """
chat:
  sources: [https://example.com/chat]
  paths:
    - {path: /chat, dialect: openai-chat, operation: chat, assumed: true}
    - {method: any, path: "/{area=files|uploads}/**", operation: files}
rpc:
  sources: [https://example.com/rpc]
  paths:
    - {path: "/pkg.{service}/{verb}", operation: other, opaque: true}
"""

PROVIDER = """
- id: acme
  name: Acme
  hosts: [api.acme.example, "*.acme.example"]
  port: 8443
  shared: true
  speaks:
    rpc: ""
    chat: [/v1, "{prefix*}/v2"]
  auth: [bearer, x-api-key]
  prices: acme-prices
  sources: [https://acme.example/docs]
  checked: 2026-11-22
"""


def read(text: str) -> tuple[Provider, ...]:
    return read_providers(text, "p.yaml", read_families(FAMILIES, "f.yaml"))


def test_a_family_is_read_with_its_defaults() -> None:
    assert read_families(FAMILIES, "f.yaml") == {
        "chat": (
            Endpoint("POST", "/chat", "openai-chat", "chat", assumed=True),
            Endpoint("any", "/{area=files|uploads}/**", "generic", "files"),
        ),
        "rpc": (Endpoint("POST", "/pkg.{service}/{verb}", "generic", "other", opaque=True),),
    }


def test_a_provider_is_read_with_its_endpoints_in_the_order_they_are_tried() -> None:
    (row,) = read(PROVIDER)
    assert (row.id, row.name, row.port) == ("acme", "Acme", 8443)
    assert row.hosts == ("api.acme.example", "*.acme.example")
    assert (row.opaque, row.shared) == (False, True)
    assert (row.auth, row.prices) == (("bearer", "x-api-key"), "acme-prices")
    assert (row.sources, row.checked) == (("https://acme.example/docs",), date(2026, 11, 22))
    assert [endpoint.path for endpoint in row.endpoints] == [
        "/pkg.{service}/{verb}",
        "/v1/chat",
        "/v1/{area=files|uploads}/**",
        "{prefix*}/v2/chat",
        "{prefix*}/v2/{area=files|uploads}/**",
    ]


def test_an_endpoint_below_a_base_differs_only_in_its_path() -> None:
    assert below("/v1", (Endpoint("GET", "/x", "generic", "other", opaque=True),)) == (
        Endpoint("GET", "/v1/x", "generic", "other", opaque=True),
    )


def test_a_providers_endpoints_stay_out_of_its_repr() -> None:
    (row,) = read(PROVIDER)
    assert "endpoints" not in repr(row)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("hosts:", "hots:", "p.yaml: acme: unknown key 'hots'; did you mean 'hosts'?"),
        ("  name: Acme\n", "", "p.yaml: acme: name: Field required"),
        ("prices: acme-prices", "zebra: 1", "p.yaml: acme: unknown key 'zebra'"),
        ("id: acme", "id: Acme Inc", "p.yaml: Acme Inc: id: 'Acme Inc' is no id"),
        ("- id: acme", "- kind: acme", "p.yaml: row 1: id: Field required"),
        ("  checked: 2026-11-22\n", "", "p.yaml: acme: checked: Field required"),
        ("checked: 2026-11-22", "checked: lately", "p.yaml: acme: checked: "),
        ("https://acme.example/docs", "acme docs", "p.yaml: acme: sources.0: 'acme docs' is no link"),
        ("sources: [https://acme.example/docs]", "sources: []", "p.yaml: acme: sources: "),
        ("x-api-key", "x-api-kee", "p.yaml: acme: auth.1: 'x-api-kee' is none of bearer, oauth"),
        ("x-api-key", "x-api-kee", "did you mean 'x-api-key'?"),
        ("chat: [", "chatt: [", "p.yaml: acme: speaks: no family is called 'chatt'; did you mean 'chat'?"),
        ("/v1,", "v1,", "p.yaml: acme: speaks.chat.0: 'v1' is no base path"),
        ("/v1,", "/v1/**,", "p.yaml: acme: speaks.chat.0: '/v1/**' is no base path"),
        ("port: 8443", "port: 0", "p.yaml: acme: port: "),
        ("api.acme.example", "API.acme.example", "p.yaml: acme: hosts.0: 'API.acme.example' is no host name"),
        ("api.acme.example", "api.acme.example:443", "hosts.0: 'api.acme.example:443' is no host name"),
        ("api.acme.example", "https://api.acme.example", "hosts.0: 'https://api.acme.example' is no host"),
        ("api.acme.example", "acme..example", "hosts.0: 'acme..example' is no host name or glob"),
        ("shared: true", "shared: perhaps", "p.yaml: acme: shared: "),
        ("name: Acme", "name: [Acme", "p.yaml: this is no YAML: "),
        ("name: Acme", "name: Acme\n  name: Other", 'found duplicate key "name"'),
    ],
)
def test_a_slip_in_a_provider_is_told_with_file_row_and_key(right: str, wrong: str, expected: str) -> None:
    assert right in PROVIDER
    with pytest.raises(ValueError, match=re.escape(expected)):
        read(PROVIDER.replace(right, wrong, 1))


@pytest.mark.parametrize(
    ("right", "wrong", "expected"),
    [
        ("method:", "methd:", "f.yaml: chat: row 2: unknown key 'methd'; did you mean 'method'?"),
        ("method: any", "method: get", "f.yaml: chat: row 2: method: "),
        ("operation: chat", "operation: chats", "row 1: operation: 'chats' is none of chat, responses"),
        ("operation: chat", "operation: chats", "did you mean 'chat'?"),
        ("openai-chat", "openai_chat", "row 1: dialect: 'openai_chat' is none of openai-chat"),
        ("path: /chat,", "path: chat,", "f.yaml: chat: row 1: path: 'chat' is no path pattern"),
        ("path: /chat,", "path: /chat/**/more,", "row 1: path: '/chat/**/more' is no path pattern"),
        ("/pkg.{service}", "/pkg.{service", "f.yaml: rpc: row 1: path: "),
        ("/pkg.{service}", "/pkg.{ser-vice}", "f.yaml: rpc: row 1: path: "),
        ("https://example.com/chat", "http://example.com", "f.yaml: chat: sources.0: 'http://example.com'"),
        ("sources: [https://example.com/rpc]\n", "note: x\n", "f.yaml: rpc: sources: Field required"),
        ("sources: [https://example.com/rpc]\n", "note: x\n", "f.yaml: rpc: unknown key 'note'"),
    ],
)
def test_a_slip_in_a_family_is_told_with_file_family_row_and_key(
    right: str, wrong: str, expected: str
) -> None:
    assert right in FAMILIES
    with pytest.raises(ValueError, match=re.escape(expected)):
        read_families(FAMILIES.replace(right, wrong, 1), "f.yaml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "p.yaml: the file has to be one list"),
        ("acme: {}", "p.yaml: the file has to be one list"),
        ("- acme", "p.yaml: row 1: row: Input should be"),
        (PROVIDER + PROVIDER, "p.yaml: acme: id: 'acme' is taken by an earlier row"),
        (
            PROVIDER + PROVIDER.replace("id: acme", "id: other"),
            "p.yaml: other: hosts: 'api.acme.example' belongs to 'acme' already",
        ),
    ],
)
def test_a_file_that_makes_no_sense_as_a_whole_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ValueError, match=re.escape(expected)):
        read(text)


def test_two_providers_may_share_a_host_on_different_ports() -> None:
    other = PROVIDER.replace("id: acme", "id: other").replace("8443", "9443")
    rows = read(PROVIDER + other)
    assert [(row.id, row.port) for row in rows] == [("acme", 8443), ("other", 9443)]


def test_a_word_of_the_list_is_given_back() -> None:
    assert one_of("chat", ("chat", "other")) == "chat"
