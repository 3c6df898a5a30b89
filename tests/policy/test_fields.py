from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from tollgate.policy import fields


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("10", 10),
        ("10b", 10),
        ("1 KB", 1024),
        ("1.5k", 1536),
        ("32 MB", 32 * 1024**2),
        ("1GiB", 1024**3),
    ],
)
def test_a_size_is_bytes_or_has_a_unit(text: str, size: int) -> None:
    assert fields.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1 TB", "1ib", "32 parsecs", "1,5 MB"])
def test_what_is_no_size_says_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match="512 KB"):
        fields.parse_size(text)


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=2**45))
def test_a_size_that_is_shown_reads_as_the_same(size: int) -> None:
    assert fields.parse_size(fields.show_size(size)) == size


def test_a_size_is_shown_in_its_largest_whole_unit() -> None:
    shown = [fields.show_size(size) for size in (0, 1023, 1024, 1536, 32 * 1024**2, 1024**3)]
    assert shown == ["0", "1023", "1 KB", "1536", "32 MB", "1 GB"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1", 1), ("0.5s", 0.5), ("500 ms", 0.5), ("10 m", 600), ("2 H", 7200), ("1d", 86400)],
)
def test_a_duration_is_seconds_or_has_a_unit(text: str, seconds: float) -> None:
    assert fields.parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1 s", "1 week", "1h30m"])
def test_what_is_no_duration_says_how_one_looks(text: str) -> None:
    with pytest.raises(ValueError, match="500 ms"):
        fields.parse_duration(text)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=10**10))
def test_a_duration_that_is_shown_reads_as_the_same(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert fields.parse_duration(fields.show_duration(seconds)) == seconds


def test_a_duration_is_shown_in_its_largest_whole_unit() -> None:
    shown = [fields.show_duration(seconds) for seconds in (0.25, 90, 600, 7200, 86400)]
    assert shown == ["0.25 s", "90 s", "10 m", "2 h", "1 d"]


@pytest.mark.parametrize("kind", [fields.Size, fields.Duration])
@pytest.mark.parametrize("value", [True, -1, None, [1], float("inf"), float("nan")])
def test_what_is_no_number_is_neither_size_nor_duration(kind: Any, value: object) -> None:
    adapter: TypeAdapter[object] = TypeAdapter(kind)
    with pytest.raises(ValidationError):
        adapter.validate_python(value, strict=True)


def test_one_pattern_is_a_list_of_one() -> None:
    adapter: TypeAdapter[list[str]] = TypeAdapter(fields.Patterns)
    assert adapter.validate_python("gpt-*") == ["gpt-*"]
    assert adapter.validate_python(["a", "!b"]) == ["a", "!b"]


@pytest.mark.parametrize("value", [[], 42, {"a": 1}, [42]])
def test_a_pattern_is_text(value: object) -> None:
    adapter: TypeAdapter[list[str]] = TypeAdapter(fields.Patterns)
    with pytest.raises(ValidationError):
        adapter.validate_python(value)


def test_an_address_is_a_network_of_one() -> None:
    assert fields.parse_network("10.0.0.1") == ipaddress.ip_network("10.0.0.1/32")
    assert fields.parse_network("10.0.0.*") is None


def test_a_client_is_an_address_a_network_or_a_glob() -> None:
    adapter: TypeAdapter[list[str]] = TypeAdapter(fields.Clients)
    assert adapter.validate_python(["::1", "!10.0.0.0/8", "10.*"]) == ["::1", "!10.0.0.0/8", "10.*"]


@pytest.mark.parametrize("client", ["10.0.0.1/8", "!10.0.0.0/33", "lan/8"])
def test_a_network_that_would_never_match_is_an_error(client: str) -> None:
    adapter: TypeAdapter[list[str]] = TypeAdapter(fields.Clients)
    with pytest.raises(ValidationError, match=r"10\.0\.0\.0/8 or fd00::/8"):
        adapter.validate_python(["127.0.0.1", client])


@pytest.mark.parametrize("url", ["http://proxy:3128", "https://proxy.corp.example", "HTTP://[fd00::1]:8080/"])
def test_a_proxy_is_a_url(url: str) -> None:
    assert fields.check_proxy(url) == url


@pytest.mark.parametrize(
    "url", ["hunter2", "socks5://hunter2:1", "http://hunter2:x", "http://p/hunter2", "http://[hunter2"]
)
def test_what_is_no_proxy_is_not_repeated(url: str) -> None:
    with pytest.raises(ValueError, match=r"http://proxy\.corp\.example:3128") as caught:
        fields.check_proxy(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["https://hooks.test/hunter2", "hunter2!", "2hunter2", ""])
def test_what_is_no_variable_is_not_repeated(name: str) -> None:
    with pytest.raises(ValueError, match="the name of an environment variable") as caught:
        fields.check_variable(name)
    assert "hunter2" not in str(caught.value)


def test_a_variable_has_a_name() -> None:
    assert fields.check_variable("TOLLGATE_WEBHOOK_1") == "TOLLGATE_WEBHOOK_1"


def test_a_password_in_a_proxy_is_not_repeated() -> None:
    with pytest.raises(ValueError, match="proxy_password_env") as caught:
        fields.check_proxy("http://ann:hunter2@proxy:3128")
    assert "hunter2" not in str(caught.value)


def test_a_regular_expression_that_is_wrong_says_where() -> None:
    assert fields.check_regex(r"\p{Lu}{3}") == r"\p{Lu}{3}"
    with pytest.raises(ValueError, match=r"this is no regular expression: missing \) at position 2"):
        fields.check_regex("(a")


@pytest.mark.parametrize("name", ["api.OpenAI.com", "localhost", "192.0.2.1", "2001:db8::1", "a_b-c.test"])
def test_a_host_is_compared_in_lower_case(name: str) -> None:
    assert fields.check_host(name) == name.lower()


@pytest.mark.parametrize(
    "name", ["https://x.test", "x.test:443", "x.test/v1", "*.x.test", "", "x..test", "x."]
)
def test_what_no_host_can_be_called_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no scheme, no port"):
        fields.check_host(name)
