"""Where credentials travel."""

from multidict import CIMultiDict

from tollgate.calls.credentials import (
    KEY_HEADERS,
    SECRET_HEADERS,
    SECRET_PARAMETERS,
    without_credentials,
    without_likely_credentials,
)


def test_names_are_in_lower_case() -> None:
    assert all(name == name.lower() for name in SECRET_HEADERS | SECRET_PARAMETERS)
    assert set(KEY_HEADERS) < SECRET_HEADERS


def test_a_request_can_go_on_without_its_credentials() -> None:
    headers = CIMultiDict([("Host", "a"), ("X-Api-Key", "k"), ("OpenAI-Organization", "o"), ("X-Other", "x")])

    kept, target = without_credentials(headers, "/v1/x?alt=sse&%6Bey=secret&X-Amz-Signature=s")

    assert list(kept.items()) == [("Host", "a"), ("X-Other", "x")]
    assert target == "/v1/x?alt=sse"


def test_a_query_of_credentials_alone_goes_too() -> None:
    assert without_credentials(CIMultiDict(), "/v1/x?key=secret")[1] == "/v1/x"
    assert without_credentials(CIMultiDict(), "/v1/x")[1] == "/v1/x"


def test_nothing_that_is_named_as_credentials_are_goes_to_somebody_else() -> None:
    keys = ("Apikey", "X-Auth-Token", "helicone-auth", "X-Functions-Key", "private-token", "Cookie")
    others = ("User-Agent", "anthropic-beta", "X-Max-Tokens", "Idempotency-Key", "X-Keyboard", "author")
    headers = CIMultiDict((name, "x") for name in (*keys, *others))

    kept, target = without_likely_credentials(headers, "/v1/x?alt=sse&sig=1&Sub-Token=2&page_token=3&key=4")

    assert tuple(kept) == others
    assert target == "/v1/x?alt=sse&page_token=3"
    assert without_likely_credentials(CIMultiDict(), "/v1/x?apikey=1")[1] == "/v1/x"
