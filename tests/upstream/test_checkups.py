from __future__ import annotations

from typing import Any

import pytest

from support.routes import runtime
from tollgate.calls import Checkup
from tollgate.policy.check import Check
from tollgate.upstream.checkups import Subject, note, passes, request_for, subjects_of, told

TWICE = Check(path="/health", failures=2)
KEYS = {"k": {"env": "NOBODY_SETS_THIS", "hosts": "*"}}


def subject(**target: Any) -> Subject:
    [found] = subjects_of(runtime(targets={"t": {"check": {"path": "/v1/models?limit=1"}, **target}}))
    return found


def test_only_targets_with_a_check_are_checked() -> None:
    targets = {"a": {"provider": "openai"}, "b": {"provider": "openai", "check": {"path": "/v1/models"}}}
    [found] = subjects_of(runtime(targets=targets))

    assert (found.name, found.provider, found.host) == ("b", "openai", "api.openai.com")


def test_a_check_goes_to_the_targets_place_with_its_headers() -> None:
    request = request_for(subject(provider="openai", headers={"set": {"x-team": "a"}, "remove": ["accept"]}))

    assert (request.method, request.url) == ("GET", "https://api.openai.com/v1/models?limit=1")
    assert dict(request.headers) == {"Host": "api.openai.com", "User-Agent": "tollgate", "x-team": "a"}
    assert request.body.render() == b""


def test_a_server_of_ones_own_has_its_port_and_scheme() -> None:
    request = request_for(subject(host="vllm.test", scheme="http", port=8000, dialect="openai-chat"))

    assert request.url == "http://vllm.test:8000/v1/models?limit=1"
    assert request.headers["Host"] == "vllm.test:8000"


def test_what_a_provider_needs_is_there_unless_the_policy_has_another() -> None:
    usual = request_for(subject(provider="anthropic"))
    own = request_for(subject(provider="anthropic", headers={"set": {"anthropic-version": "2026-10-21"}}))

    assert usual.headers["anthropic-version"] == "2023-06-01"
    assert own.headers.getall("anthropic-version") == ["2026-10-21"]


def test_there_is_no_client_whose_key_could_be_shown() -> None:
    found = subjects_of(
        runtime(
            credentials=KEYS,
            targets={"t": {"provider": "openai", "credential": ["client", "k"], "check": {"path": "/"}}},
        )
    )

    assert found[0].credentials == ("k",)


@pytest.mark.parametrize(
    ("status", "wanted", "taken"),
    [(204, ["2xx"], True), (429, ["2xx", "429"], True), (404, ["2xx"], False), (201, ["200"], False)],
)
def test_a_status_is_wanted_by_itself_or_by_its_class(status: int, wanted: list[str], taken: bool) -> None:
    assert passes(status, wanted) is taken


def test_as_many_failures_in_a_row_as_the_policy_says_have_a_target_left_alone() -> None:
    checkup = Checkup()
    news = [
        note(checkup, TWICE, problem, sent, sent)
        for sent, problem in ((1.0, "down"), (2.0, ""), (3.0, "down"), (4.0, "refused"), (5.0, "down"))
    ]

    assert news == ["", "", "", "fails its check 2 times in a row and is left alone: refused", ""]
    assert (checkup.problem, checkup.failures, checkup.changed_at) == ("down", 3, 4.0)


def test_the_latest_problem_is_told_and_one_check_that_passes_ends_it() -> None:
    checkup = Checkup()
    once = Check(path="/", failures=1)
    first = note(checkup, once, "down", 1.0, 1.5)
    note(checkup, once, "HTTP 500", 2.0, 2.5)
    assert told(checkup, 10.0) == {"check": "failing", "problem": "HTTP 500", "seconds": 8}

    again = note(checkup, once, "", 11.0, 11.5)

    assert first == "fails its check and is left alone: down"
    assert again == "passes its check again, after 10 s"
    assert (checkup.problem, checkup.failures, checkup.passed_at) == ("", 0, 11.0)


def test_health_tells_each_state() -> None:
    checkup = Checkup()
    assert told(checkup, 0.0) == {"check": "pending"}
    note(checkup, TWICE, "down", 0.0, 0.0)
    assert told(checkup, 0.0) == {"check": "pending", "failures": 1}
    note(checkup, TWICE, "", 0.0, 0.0)
    assert told(checkup, 0.0) == {"check": "passing"}
