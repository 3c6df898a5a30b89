import pytest

from tollgate.routing.translation.headers import created, json_headers, translated

DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


def test_anthropics_limits_as_openai_says_them() -> None:
    told = {
        "date": DATE,
        "request-id": "req_1",
        "retry-after": "3",
        "set-cookie": "x",
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-11-22T10:00:30Z",
        "anthropic-ratelimit-tokens-reset": "2026-11-22T09:00:00",
    }

    assert translated(told, "openai-chat") == {
        "retry-after": "3",
        "x-request-id": "req_1",
        "x-ratelimit-limit-requests": "50",
        "x-ratelimit-remaining-requests": "49",
        "x-ratelimit-reset-requests": "30s",
        "x-ratelimit-reset-tokens": "0s",
    }


def test_openais_limits_as_anthropic_says_them() -> None:
    told = {
        "date": DATE,
        "x-request-id": "req_1",
        "x-ratelimit-remaining-tokens": "9",
        "x-ratelimit-reset-tokens": "1m0.5s",
        "x-ratelimit-reset-requests": "soon",
    }

    assert translated(told, "anthropic-messages") == {
        "request-id": "req_1",
        "anthropic-ratelimit-tokens-remaining": "9",
        "anthropic-ratelimit-tokens-reset": "2026-11-22T10:01:00Z",
    }


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_without_a_date_no_moment_is_told(date: str) -> None:
    told = {"date": date, "x-ratelimit-reset-tokens": "20ms"}

    assert translated(told, "anthropic-messages") == {}
    assert created(told) == 0


def test_a_moment_that_is_none_is_left_out() -> None:
    told = {"date": DATE, "anthropic-ratelimit-tokens-reset": "soon", "anthropic-ratelimit-tokens-limit": "1"}

    assert translated(told, "openai-responses") == {"x-ratelimit-limit-tokens": "1"}


def test_openais_own_limits_stay_for_an_openai_client() -> None:
    assert translated({"x-ratelimit-limit-tokens": "5", "x-other": "1"}, "openai-chat") == {
        "x-ratelimit-limit-tokens": "5"
    }


def test_google_has_no_headers_for_them() -> None:
    assert translated({"x-ratelimit-limit-tokens": "5", "x-request-id": "r"}, "gemini") == {}
    assert translated({"x-request-id": "r"}, "bedrock-converse") == {"x-amzn-requestid": "r"}


def test_the_date_is_when_the_answer_was_given() -> None:
    assert created({"date": DATE}) == 1795341600
    assert json_headers({}, "gemini") == {"content-type": "application/json"}
