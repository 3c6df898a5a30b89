"""What all rooms share."""

import pytest
from multidict import CIMultiDict

from tollgate.calls import Body, Request


def request(scheme: str, host: str, port: int, target: str) -> Request:
    return Request("POST", scheme, host, port, target, CIMultiDict(), Body(b""))


@pytest.mark.parametrize(
    ("scheme", "host", "port", "url"),
    [
        ("https", "api.openai.com", 443, "https://api.openai.com/v1/chat?a=b%2F"),
        ("https", "api.openai.com", 8443, "https://api.openai.com:8443/v1/chat?a=b%2F"),
        ("http", "localhost", 80, "http://localhost/v1/chat?a=b%2F"),
        ("http", "::1", 11434, "http://[::1]:11434/v1/chat?a=b%2F"),
    ],
)
def test_urls_name_the_port_where_it_is_not_the_usual_one(
    scheme: str, host: str, port: int, url: str
) -> None:
    assert request(scheme, host, port, "/v1/chat?a=b%2F").url == url


def test_a_path_has_no_query() -> None:
    assert (
        request("https", "h", 443, "/v1/models/x:generateContent?key=1").path
        == "/v1/models/x:generateContent"
    )
