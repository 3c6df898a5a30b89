"""What Claude's models need to be told that others need not: a limit, and how to think."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from tollgate.routing.translation.loss import Losses
from tollgate.routing.translation.neutral import (
    Choice,
    Message,
    Reasoning,
    Request,
    Setting,
    Thinking,
    ToolResult,
)
from tollgate.routing.translation.passes import budget_of


class Claude(NamedTuple):
    model: re.Pattern[str]
    """Found anywhere in the name: Bedrock and Google put theirs around it."""
    most: int
    """Tokens that it answers with at the most."""
    adaptive: bool
    """Whether it decides itself how much to think; else it has to be given a budget."""


_MODELS = tuple(
    Claude(re.compile(model), most, adaptive)
    for model, most, adaptive in (
        (r"claude-3-7-sonnet", 64_000, False),
        (r"claude-3-5", 8_192, False),
        (r"claude-3", 4_096, False),
        (r"claude-opus-4(?:-1)?(?:-\d{6}|@|$)|claude-opus-4-1", 32_000, False),
        (r"claude-(?:opus|sonnet|haiku)-4-5|claude-sonnet-4(?:-\d{6}|@|$)", 64_000, False),
        (r"claude-sonnet-4-6", 64_000, True),
        (r"claude-opus-4-[6-9]", 128_000, True),
    )
)
"""https://platform.claude.com/docs/en/about-claude/models/overview"""

_NEWER = Claude(re.compile(""), 128_000, adaptive=True)
"""What no row knows is taken for a model of later years."""

DEFAULT_MOST = 32_000
"""Tokens that are allowed where the client names no limit: what an agent's turn needs, at no model's edge."""


def claude(model: str) -> Claude:
    """What is known of a model by its name."""
    return next((row for row in _MODELS if row.model.search(model)), _NEWER)


def max_tokens(model: str) -> int:
    """The limit for a request that has none: other dialects need none, Anthropic's does."""
    return min(claude(model).most, DEFAULT_MOST)


EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh", "max": "max"}
"""https://platform.claude.com/docs/en/build-with-claude/effort"""


def thinking(request: Request, choice: Choice | None, losses: Losses) -> dict[str, Any]:
    """How it shall think, in Anthropic's words; empty to leave that to the model.

    It does not think before a tool that it has to call: what is asked for by name wins over how to think.
    """
    given = request.settings.get("max_tokens")
    most = given.value if given else max_tokens(request.model)
    said = _thinking(request.reasoning, claude(request.model), most)
    if thinks(said) and (hindrance := _hindrance(request, choice, said, most)):
        losses.note(f"thinking {hindrance}", request.reasoning.where)
        return {}
    return said


def _hindrance(request: Request, choice: Choice | None, said: Mapping[str, Any], most: int) -> str:
    """Why it would refuse to think; empty where it does not."""
    if choice is not None and choice.mode == "required" and request.tools:
        return "before a tool that has to be called"
    if said.get("budget_tokens", 0) >= most:
        return "within the limit"
    if said["type"] == "enabled" and _called_without_thinking(request.messages):
        return "after a tool that was called without"
    return ""


def _called_without_thinking(messages: list[Message]) -> bool:
    """Whether the turn goes on whose last step does not begin with a thought, as one does that another
    provider made. https://platform.claude.com/docs/en/build-with-claude/extended-thinking"""
    if not messages or not any(isinstance(part, ToolResult) for part in messages[-1].parts):
        return False
    step = next((message for message in reversed(messages) if message.role == "assistant"), None)
    return step is not None and not (step.parts and isinstance(step.parts[0], Thinking))


def effort(request: Request) -> str:
    """The effort in Anthropic's words; empty where the model takes none, or none was asked for."""
    return EFFORTS.get(request.reasoning.effort, "") if claude(request.model).adaptive else ""


def _thinking(reasoning: Reasoning, model: Claude, most: int) -> dict[str, Any]:
    if reasoning.on is False or reasoning.effort == "none" or reasoning.budget == 0:
        return {"type": "disabled"}
    if reasoning.on is None and not reasoning.effort and not reasoning.budget:
        return {}
    if not model.adaptive:
        return {"type": "enabled", "budget_tokens": budget_of(reasoning, most)}
    shown = {} if reasoning.show is None else {"display": "summarized" if reasoning.show else "omitted"}
    return {"type": "adaptive", **shown}


def sampling(request: Request, thinks: bool, losses: Losses) -> dict[str, Setting]:
    """The settings without those that Claude refuses beside others."""
    given = dict(request.settings)
    for name in ("temperature", "top_k") if thinks else ():
        if name in given and (setting := given.pop(name)).value != 1:
            losses.note(f"{name} beside thinking", setting.where)
    if "temperature" in given and "top_p" in given:
        losses.note("top_p beside temperature", given.pop("top_p").where)
    if stop := given.get("stop"):
        visible = [text for text in stop.value if text.strip()]
        if len(visible) < len(stop.value):
            losses.note("a stop sequence of white space only", stop.where)
        given["stop"] = replace(stop, value=visible)
    return {name: setting for name, setting in given.items() if setting.value != []}


def thinks(said: Mapping[str, Any]) -> bool:
    return said.get("type") in ("adaptive", "enabled")
