"""What agents say of the moment does not count; what people write does."""

from __future__ import annotations

from typing import Any

import pytest

from tollgate.cache.cassettes.passing import PASSING, steady
from tollgate.dialects import DIALECTS

CODEX = (
    "<environment_context>\n  <cwd>/w</cwd>\n  <current_date>{}</current_date>\n  <timezone>{}</timezone>\n"
)
CLAUDE = "<system-reminder>\nYou can use the following context:\n# currentDate\nToday's date is {}.\n\n"
GEMINI = "<session_context>\nThis is the Gemini CLI. We begin.\nToday's date is {} (in the user's locale).\n"
COMMAND = "Chunk ID: {}\nWall time: {} seconds\nProcess exited with code {}\nOutput:\n{}"
SHELL = "Exit code: {}\nWall time: {} seconds\nOutput:\n{}"


def responses(text: str) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [{"type": "input_text", "text": text}]}]}


def output(text: str) -> dict[str, Any]:
    return {"input": [{"type": "function_call_output", "call_id": {"link": 0}, "output": text}]}


def messages(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": text}]}]}


def contents(text: str) -> dict[str, Any]:
    return {"contents": [{"role": "user", "parts": [{"text": text}]}]}


def asked(dialect: str, body: Any) -> dict[str, Any]:
    return steady({"provider": "p", "dialect": dialect, "body": body})


@pytest.mark.parametrize(
    ("dialect", "one", "other"),
    [
        (
            "openai-responses",
            responses(CODEX.format("2026-11-22", "Etc/UTC")),
            responses(CODEX.format("2027-01-01", "Asia/Tokyo")),
        ),
        (
            "openai-responses",
            output(COMMAND.format("a1b2c3", "0.0000", 0, "fine")),
            output(COMMAND.format("00ffee", "12.5", 0, "fine")),
        ),
        ("openai-responses", output(SHELL.format(0, "0.1", "x")), output(SHELL.format(0, "2", "x"))),
        ("anthropic-messages", messages(CLAUDE.format("2026-11-22")), messages(CLAUDE.format("2027-01-01"))),
        (
            "gemini",
            contents(GEMINI.format("Sunday, November 22, 2026")),
            contents(GEMINI.format("Freitag, 1. Januar 2027")),
        ),
    ],
)
def test_what_passes_does_not_count(dialect: str, one: Any, other: Any) -> None:
    assert one != other
    assert asked(dialect, one) == asked(dialect, other)


@pytest.mark.parametrize(
    ("dialect", "one", "other"),
    [
        ("openai-responses", responses("<current_date>1"), responses("<current_date>2")),
        ("openai-responses", output(COMMAND.format("a", 1, 0, "x")), output(COMMAND.format("a", 1, 1, "x"))),
        ("openai-responses", output(COMMAND.format("a", 1, 0, "x")), output(COMMAND.format("a", 1, 0, "y"))),
        (
            "openai-responses",
            output("first\n" + COMMAND.format("a", 1, 0, "")),
            output("first\n" + COMMAND.format("b", 2, 0, "")),
        ),
        ("openai-responses", output("Chunk ID: a"), output("Chunk ID: b")),
        (
            "anthropic-messages",
            messages("Today's date is 2026-11-22."),
            messages("Today's date is 2027-01-01."),
        ),
        (
            "anthropic-messages",
            messages("I read: " + CLAUDE.format("2026-11-22")),
            messages("I read: " + CLAUDE.format("2027-01-01")),
        ),
        ("gemini", contents("Today's date is A (x)"), contents("Today's date is B (x)")),
        ("openai-chat", messages(CLAUDE.format("2026-11-22")), messages(CLAUDE.format("2027-01-01"))),
    ],
)
def test_what_people_write_and_programs_print_counts(dialect: str, one: Any, other: Any) -> None:
    assert asked(dialect, one) != asked(dialect, other)


@pytest.mark.parametrize("body", [None, "text", {"input": "text"}, {"input": [{"output": [{"text": "x"}]}]}])
def test_what_is_of_another_form_stays(body: Any) -> None:
    assert asked("openai-responses", body)["body"] == body


def test_nothing_is_changed_in_place() -> None:
    body = responses(CODEX.format("2026-11-22", "Etc/UTC"))
    asked("openai-responses", body)

    assert body == responses(CODEX.format("2026-11-22", "Etc/UTC"))


def test_the_table_names_dialects_that_there_are() -> None:
    assert PASSING.keys() <= {name for name, _ in DIALECTS}
