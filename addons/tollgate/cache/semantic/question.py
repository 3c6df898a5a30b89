"""The one short question of a call, and everything else that it asks with. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.cache.eligible import offers_tools

TURNS: Mapping[str, tuple[str, str]] = {
    "openai-chat": ("messages", "content"),
    "openai-responses": ("input", "content"),
    "anthropic-messages": ("messages", "content"),
    "bedrock-invoke": ("messages", "content"),
    "bedrock-converse": ("messages", "content"),
    "gemini": ("contents", "parts"),
    "cohere-chat": ("messages", "content"),
    "ollama": ("messages", "content"),
}
"""Where the turns of a conversation stand, and where their text does. Other dialects have no single turns."""

_GUIDING = frozenset(("system", "developer"))
"""Roles of turns that may stand before the question."""
_TEXT = frozenset((None, "text", "input_text"))
_BLANK = {"the question": None}
"""In place of the question's text: nothing that a client could send there."""

type Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    rest: dict[str, Any]
    """The request's body without the text: two questions compare only where all of it is the same."""


def question_of(dialect: str, body: Any, max_length: int) -> Question | None:
    """The question; None where there are tools, more turns than one, more than text, or too much of it."""
    if dialect not in TURNS or type(body) is not dict or offers_tools(body):
        return None
    turns, content = TURNS[dialect]
    found = _in_turns(turns, content, body.get(turns))
    if found is None or not found[1].strip() or len(found[1]) > max_length:
        return None
    path, text = found
    return Question(text, _replaced(body, path, _BLANK))


def _in_turns(name: str, content: str, turns: Any) -> tuple[Path, str] | None:
    if type(turns) is str:
        return (name,), turns
    if type(turns) is not list or not all(type(turn) is dict for turn in turns):
        return None
    *before, last = turns or [{}]
    if any(turn.get("role") not in _GUIDING for turn in before) or last.get("role", "user") != "user":
        return None
    return _in_turn((name, len(before), content), last.get(content))


def _in_turn(path: Path, content: Any) -> tuple[Path, str] | None:
    if type(content) is str:
        return path, content
    if type(content) is not list or len(content) != 1 or type(content[0]) is not dict:
        return None
    [part] = content
    if part.get("type") not in _TEXT or type(part.get("text")) is not str:
        return None
    return (*path, 0, "text"), part["text"]


def _replaced(tree: Any, path: Path, value: Any) -> Any:
    """A copy of the tree with another value at the path; what is not on the path is not copied."""
    if not path:
        return value
    copy = tree.copy()
    copy[path[0]] = _replaced(tree[path[0]], path[1:], value)
    return copy
