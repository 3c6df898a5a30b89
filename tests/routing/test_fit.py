from __future__ import annotations

from typing import Any

import pytest

from support.routes import HELLO, call_of, runtime
from tollgate.policy.routing import Choice
from tollgate.routing.fit import misfit
from tollgate.routing.spec import specs_of

PICTURE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png"}}


def why(choice: dict[str, Any] | None = None, body: Any = None, **target: Any) -> str:
    spec = specs_of(runtime(targets={"t": {"provider": "openai", **target}}))["t"]
    return misfit(Choice.model_validate({"target": "t", **(choice or {})}), spec, call_of(body=body))


@pytest.mark.parametrize(
    "choice",
    [{}, {"operations": ["chat", "x"]}, {"operations": "!embeddings"}, {"min_size": 10, "max_size": 1000}],
)
def test_a_choice_that_is_for_the_call(choice: dict[str, Any]) -> None:
    assert why(choice) == ""


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"operations": "embeddings"}, "not for chat"),
        ({"min_size": "1 MB"}, "1 MB and more"),
        ({"max_size": 10}, "at most 10"),
    ],
)
def test_a_choice_that_is_not_for_the_call_says_why(choice: dict[str, Any], said: str) -> None:
    assert said in why(choice)


@pytest.mark.parametrize(
    ("body", "target", "said"),
    [
        ({**HELLO, "tools": [{"type": "function"}]}, {"tools": False}, "cannot call tools"),
        ({**HELLO, "messages": [{"role": "user", "content": [PICTURE]}]}, {"modalities": []}, "no image"),
        (
            {**HELLO, "messages": [{"role": "user", "content": "x" * 400}]},
            {"context": 100},
            "the 100 that fit",
        ),
        ({**HELLO, "max_tokens": 100}, {"context": 100}, "the 100 that fit"),
        (HELLO, {"dialect": "generic"}, "does not take chat in openai-chat"),
    ],
)
def test_what_a_target_cannot_do_is_said(body: Any, target: dict[str, Any], said: str) -> None:
    assert said in why(None, body, **target)


def test_what_a_target_can_do_is_no_misfit() -> None:
    picture = {**HELLO, "messages": [{"role": "user", "content": [PICTURE]}]}

    assert why(None, picture, modalities=["image"], context=1000, tools=False) == ""
