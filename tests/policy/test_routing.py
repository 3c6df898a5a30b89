from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from tollgate.policy import PolicyFile, Settings
from tollgate.policy.policy import overlay
from tollgate.policy.routing import Choice, Credential, Route, Target


def test_the_default_route_changes_nothing() -> None:
    assert Route().idle
    assert Route.model_validate({"targets": ["same"], "strategy": "weighted"}).idle


@pytest.mark.parametrize(
    "route",
    [
        {"targets": ["a"]},
        {"targets": ["same", "a"]},
        {"models": {"a": "b"}},
        {"retries": 1},
        {"deadline": "1 s"},
        {"hedge": "1 s"},
        {"headers": {"set": {"a": "b"}}},
        {"headers": {"remove": ["a"]}},
        {"parameters": {"cap": {"a": 1}}},
        {"parameters": {"set": {"a": 1}}},
        {"parameters": {"default": {"a": 1}}},
        {"parameters": {"remove": ["a"]}},
    ],
)
def test_any_word_makes_a_route_work(route: dict[str, Any]) -> None:
    assert not Route.model_validate(route).idle


def test_a_rule_over_an_idle_route_makes_it_work() -> None:
    base = Settings()
    assert base.route.idle

    assert not overlay(base, Settings.model_validate({"route": {"retries": 1}})).route.idle


def test_a_target_may_be_named_only() -> None:
    route = Route.model_validate({"targets": ["a", {"target": "b", "weight": 2, "max_size": "1 KB"}]})

    assert route.targets == [Choice(target="a"), Choice(target="b", weight=2, max_size=1024)]


def test_one_name_is_a_list_of_one() -> None:
    assert Target.model_validate({"credential": "k"}).credential == ["k"]
    assert Credential.model_validate({"env": "K", "hosts": "a"}).env == ["K"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"credentials": {"k": {"hosts": "a"}}}, "one of env, file and command"),
        ({"credentials": {"k": {"hosts": "a", "env": "A", "file": "b"}}}, "one of env, file and command"),
        ({"credentials": {"k": {"env": "A"}}}, "hosts"),
        ({"credentials": {"k": {"env": "A", "hosts": "a", "command": []}}}, "command"),
        ({"credentials": {"a b": {"env": "A", "hosts": "a"}}}, "pattern"),
        ({"targets": {"a": {"path": "v1"}}}, "begins with a slash"),
        ({"targets": {"a": {"path": "/v1?x"}}}, "has no query"),
        ({"targets": {"a": {"path": "/v1/{x}"}}}, "placeholders"),
        ({"targets": {"a": {"path": "/v1/{"}}}, "placeholders"),
        ({"targets": {"a": {"limits": {"concurrent": 0}}}}, "greater than"),
        ({"route": {"targets": [{"target": "a", "share": 2}]}}, "less than"),
        ({"route": {"parameters": {"cap": {"a..b": 1}}}}, "is no parameter"),
        ({"route": {"headers": {"set": {"X Y": "a"}}}}, "is no name of a header"),
        ({"targets": {"a": {"headers": {"set": {"X-Y": "a\nb"}}}}}, "one line of plain text"),
        ({"route": {"strategy": "fastest"}}, "strategy"),
    ],
)
def test_what_makes_no_sense_is_told(content: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        PolicyFile.model_validate(content)
