"""What people read when a budget is spent: the official SDKs, through real processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import environment
from support.processes import run
from support.stage import Provider, simulated_provider, through, tollgate

pytestmark = pytest.mark.xdist_group("clients")  # their environment is made once

CLIENT = Path(__file__).resolve().parent.parent / "clients" / "budget.py"
BUDGET = {"name": "team daily", "limit": 0.0001, "every": "day", "per": ["user"]}
ERRORS = {
    "openai-chat": "BadRequestError",
    "openai-chat-streamed": "BadRequestError",
    "openai-responses": "BadRequestError",
    "anthropic": "BadRequestError",
    "gemini": "ClientError",
}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with simulated_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> dict[str, tuple[str, str]]:
    """Call to the class and the text of its error."""
    policy = {"cost": {"enabled": True, "budgets": [BUDGET]}}
    with tollgate(tmp_path_factory.mktemp("tollgate"), provider, policy) as gateway:
        said = run([environment.ensure(), CLIENT], 60.0, through(gateway.url, gateway.ca))
        assert len(gateway.records(len(ERRORS))) == len(ERRORS)  # none was tried again
    lines = map(json.loads, said.splitlines())
    return {line["call"]: (line["error"], line["text"]) for line in lines}


@pytest.mark.parametrize("call", ERRORS)
def test_an_sdk_prints_which_budget_how_much_and_when_it_opens_again(
    call: str, told: dict[str, tuple[str, str]]
) -> None:
    error, text = told[call]

    assert error == ERRORS[call]
    assert "Tollgate refused this call: it may cost up to $0." in text
    assert "team daily" in text
    assert "$0.00010 a day for user 127.0.0.1 has $0.00010 left" in text
    assert "It opens again on 20" in text


def test_nothing_reached_the_provider(told: dict[str, tuple[str, str]], provider: Provider) -> None:
    assert provider.journal() == []
