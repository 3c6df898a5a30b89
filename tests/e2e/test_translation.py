"""The official SDK of every dialect, in front of a strict simulated provider of every other one."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import environment
from support.processes import run, running
from support.stage import without_proxies

pytestmark = pytest.mark.xdist_group("translation")

TESTS = Path(__file__).resolve().parent.parent
SOURCES = ("openai-chat", "openai-responses", "anthropic-messages", "gemini", "bedrock-converse")
TARGETS = (*SOURCES, "ollama", "cohere-chat")
PAIRS = [(source, target) for source in SOURCES for target in TARGETS if source != target]

ECHO = 'You said: Zażółć the 3 "ducks" \\ and 🦆'
ASKED = "Please get_weather and get_time for Łódź"
CALLED = [[name, {"city": ASKED, "days": 7}] for name in ("get_weather", "get_time")]

ENDED = {
    "openai-chat": ("stop", "tool_calls"),
    "openai-responses": ("completed", "completed"),
    "anthropic-messages": ("end_turn", "tool_use"),
    "gemini": ("STOP", "STOP"),
    "bedrock-converse": ("end_turn", "tool_use"),
}
"""How each dialect says that an answer is complete, and that tools are to be called."""
SHOWS_THOUGHTS = {"anthropic-messages", "bedrock-converse", "gemini"}
"""Targets whose simulated provider thinks aloud if it is asked to by an effort, or in its own words."""

type Told = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """(source, target, call) to what the client said of its answer."""
    folder = tmp_path_factory.mktemp("translation")
    ready = folder / "port"
    server = [sys.executable, TESTS / "support" / "translating.py", ready]
    paths = {"PYTHONPATH": f"{TESTS.parent / 'addons'}:{TESTS}"}
    env = without_proxies() | paths
    with running(server, folder / "log", env=env) as process:
        process.wait_for("the translating server is ready", lambda: ready.exists() and ready.read_text())  # type: ignore[arg-type,return-value]
        url = f"http://127.0.0.1:{ready.read_text()}"
        calls = [environment.ensure(), TESTS / "clients" / "translated_calls.py", url]
        lines = map(
            json.loads,
            run(calls, 120, without_proxies() | {"AWS_EC2_METADATA_DISABLED": "true"}).splitlines(),
        )
        yield {(line["source"], line["target"], line["call"]): line["said"] for line in lines}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_whole_answer_with_its_usage(source: str, target: str, told: Told) -> None:
    said = told[source, target, "whole"]

    assert said == {"text": ECHO, "calls": [], "stop": ENDED[source][0], "used": [13, 10], "thought": False}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_image(source: str, target: str, told: Told) -> None:
    said = told[source, target, "image"]

    assert (said["text"], said["stop"]) == (ECHO, ENDED[source][0])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_parallel_tools_streamed_through_the_sdks_accumulator(source: str, target: str, told: Told) -> None:
    said = told[source, target, "streamed_tools"]

    assert (said["text"], said["calls"]) == (f"You said: {ASKED}", CALLED)
    assert said["stop"] == ENDED[source][1]


@pytest.mark.parametrize(("source", "target"), [p for p in PAIRS if p[1] in SHOWS_THOUGHTS])
def test_thoughts_are_shown(source: str, target: str, told: Told) -> None:
    asks_by_effort = source in ("openai-chat", "openai-responses", "gemini")

    assert told[source, target, "streamed_tools"]["thought"] is (
        _thinks(source, target) if asks_by_effort else target != "gemini"
    )


def _thinks(source: str, target: str) -> bool:
    """Chat's clients cannot ask to see thoughts, which Gemini shows only then."""
    return not (source == "openai-chat" and target == "gemini")


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_the_next_turn_with_results_thoughts_and_seals(source: str, target: str, told: Told) -> None:
    said = told[source, target, "second_turn"]

    assert (said["text"], said["calls"], said["stop"]) == (ECHO, [], ENDED[source][0])


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_a_refusal_is_raised_as_what_it_is(source: str, target: str, told: Told) -> None:
    assert told[source, target, "refused"] == {"status": 429, "message": True}


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_an_error_within_a_stream_is_raised(source: str, target: str, told: Told) -> None:
    assert told[source, target, "broken"] == {"message": True}
