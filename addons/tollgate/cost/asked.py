"""What a request asks for, as far as it has a price: its texts, media, tools, and how long the answer may be.
Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tollgate.calls import Body, Call
from tollgate.dialects.paths import find, number_at, text_at

GENERATES = frozenset(
    {"chat", "responses", "completions", "conversations", "agents", "images", "audio", "decisions", "other"}
)
"""Operations whose answers have output tokens."""

_LIMITS = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_tokens",
    "max_tokens_to_sample",
    "generationConfig.maxOutputTokens",
    "generation_config.max_output_tokens",
    "request.generationConfig.maxOutputTokens",
    "inferenceConfig.maxTokens",
    "textGenerationConfig.maxTokenCount",
    "max_gen_len",
    "options.num_predict",
)
"""Where requests of all dialects limit their answer."""
_ANSWERS = ("n", "generationConfig.candidateCount", "request.generationConfig.candidateCount")
_MESSAGES = ("messages", "input", "contents", "request.contents")
_TOOLS = ("tools", "toolConfig.tools", "request.tools", "functions")
_TIERS = ("service_tier", "serviceTier", "serviceTier.type")

_KEPT = (
    *("previous_response_id", "conversation", "prompt.id"),
    *("previous_interaction_id", "cached_content"),
    *("cachedContent", "request.cachedContent"),
)
"""Where a request stands on what the provider keeps, and bills as input."""

_WORD = 32
"""Characters of a word that clients choose, and by which prices are remembered."""

_PICTURE = 1600
"""Tokens of a picture: the most that one costs on Claude; others take less, or little more.
https://platform.claude.com/docs/en/build-with-claude/vision#evaluate-image-size"""
_PDF = "JVBER"
"""How a PDF begins in base64."""
_PDF_CHARACTERS = 40
"""Of a PDF's base64, for one token: a page has 1,500 to 3,000 tokens, and some 80 KB."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for."""

    text: str
    """All of its texts, one below the other."""
    media: int
    """Tokens that its pictures and documents may have."""
    complete: bool
    """False where the provider adds what it keeps of earlier calls."""
    messages: int
    tools: int
    output: int | None
    """The most output tokens that the answer may have; None where it sets no limit."""
    tier: str
    speed: str


def asked(call: Call) -> Asked:
    """What a call's request asks for, as it stands now. It takes some ms for a MB."""
    body = call.request.body
    tree = body.json
    limit = number_at(tree, _LIMITS)
    return Asked(
        text=_text(body),
        media=sum(_media(body.text(slot)) for slot in body.slots if slot.kind == "blob"),
        complete=not text_at(tree, _KEPT) and not find(tree, "conversation"),
        messages=_length(tree, _MESSAGES),
        tools=_length(tree, _TOOLS),
        output=_output(call.operation, limit, number_at(tree, _ANSWERS)),
        tier=text_at(tree, _TIERS)[:_WORD],
        speed=text_at(tree, ("speed",))[:_WORD],
    )


def _text(body: Body) -> str:
    return "\n".join(body.text(slot) for slot in body.slots if slot.kind != "blob")


def _output(operation: str, limit: float | None, answers: float | None) -> int | None:
    if operation not in GENERATES:
        return 0
    return None if limit is None else int(limit * max(1, answers or 1))


def _media(blob: str) -> int:
    data = blob.partition(",")[2] if blob.startswith("data:") else blob
    return max(_PICTURE, len(data) // _PDF_CHARACTERS) if data.startswith(_PDF) else _PICTURE


def _length(tree: Any, paths: tuple[str, ...]) -> int:
    return next((len(found) for path in paths if isinstance(found := find(tree, path), list)), 0)
