"""What agents say of the moment at which they ask, in words of their own programs.

A recording is found without it, on another day too; what a person wrote always counts. The cache does not use
this: an answer of yesterday may be another one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tollgate.cache import key
from tollgate.cache.neutral import Neutral

_CODEX_CONTEXT = tuple(
    re.compile(rf"\A(<environment_context>.*?<{name}>)[^<]*", re.DOTALL)
    for name in ("current_date", "timezone")
)
_CODEX_COMMAND = (
    re.compile(r"\A(Chunk ID: )[0-9a-f]+(?=\nWall time: )"),
    re.compile(r"\A((?:Chunk ID: [^\n]*\n|Exit code: -?\d+\n)?Wall time: )[\d.]+(?= seconds\n)"),
)
"""How a command went, above what it printed: a number made up for it, and the time that it took."""
_CLAUDE_CODE = (
    re.compile(
        r"\A(<system-reminder>\n.*?\n# currentDate\nToday's date is )\d{4}-\d\d-\d\d(?=\.)", re.DOTALL
    ),
)
_GEMINI_CLI = (
    re.compile(r"\A(<session_context>\nThis is the Gemini CLI\.[^\n]*\nToday's date is )[^(\n]*(?= \()"),
)

PASSING: Mapping[str, Neutral] = {
    "openai-responses": {"input": {"content": {"text": _CODEX_CONTEXT}, "output": _CODEX_COMMAND}},
    "anthropic-messages": {"messages": {"content": {"text": _CLAUDE_CODE}}},
    "gemini": {"contents": {"parts": {"text": _GEMINI_CLI}}},
    "gemini-cloudcode": {"request": {"contents": {"parts": {"text": _GEMINI_CLI}}}},
}
"""As Codex 0.169, Claude Code 2.1.197 and Gemini CLI 0.61 write it."""


def steady(request: dict[str, Any]) -> dict[str, Any]:
    """The request as it would be at any other moment."""
    table = PASSING.get(str(request.get("dialect")))
    steadied: dict[str, Any] = key.without(request, {"body": table}) if table else request
    return steadied
