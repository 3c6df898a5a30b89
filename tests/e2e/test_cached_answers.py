"""Official SDKs read kept answers as the provider's own: in both forms, whichever was kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import environment
from support.processes import run
from support.stage import Provider, simulated_provider, through, tollgate

pytestmark = pytest.mark.xdist_group("cached")  # the processes are started once

PROGRAM = Path(__file__).resolve().parent.parent / "clients" / "cached_calls.py"
TIMEOUT = 90.0
POLICY: dict[str, Any] = {"cache": {"enabled": True, "tools": True}}
TIMES = 4
"""How often the program asks the same."""

DIALECTS = (
    *("openai-chat", "openai-responses", "openai-completions", "anthropic-messages", "gemini"),
    *("bedrock-converse", "bedrock-invoke", "cohere-chat", "ollama"),
)
CASES = [f"{dialect} {order}" for dialect in DIALECTS for order in ("whole-first", "streamed-first")]


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    with simulated_provider(tmp_path_factory.mktemp("provider")) as running:
        yield running


@pytest.fixture(scope="module")
def told(
    tmp_path_factory: pytest.TempPathFactory, provider: Provider
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Case to what its SDK made of the four answers, and the records of all calls."""
    with tollgate(tmp_path_factory.mktemp("tollgate"), provider, POLICY) as gateway:
        said = run([environment.ensure(), PROGRAM], TIMEOUT, through(gateway.url, gateway.ca))
        lines = [json.loads(line) for line in said.splitlines()]
        return {line["call"]: line["events"] for line in lines}, gateway.records(TIMES * len(lines))


@pytest.mark.parametrize("case", CASES)
def test_an_sdk_makes_the_same_of_every_answer(case: str, told: Any) -> None:
    first, *others = told[0][case]

    assert first
    assert [other for other in others if other != first] == []


@pytest.mark.parametrize("number", range(len(CASES)), ids=CASES)
def test_only_the_first_is_the_providers(number: int, told: Any) -> None:
    records = told[1][number * TIMES : (number + 1) * TIMES]

    assert [record["cache"] for record in records] == ["stored", "hit", "hit", "hit"]
    assert len({json.dumps(record["usage"], sort_keys=True) for record in records}) == 1


def test_the_provider_was_asked_once_for_each(told: Any, provider: Provider) -> None:
    assert len(provider.journal()) == len(CASES)
