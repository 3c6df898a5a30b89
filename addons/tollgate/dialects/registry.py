"""Every dialect that there is, by name and API version."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from tollgate.dialects import (
    anthropic,
    bedrock,
    cohere,
    gemini,
    generic,
    interactions,
    ollama,
    openai_chat,
    openai_other,
    openai_responses,
)
from tollgate.dialects.base import Dialect

DIALECTS: Mapping[tuple[str, str], Dialect] = {
    (row.name, row.version): row
    for row in (
        openai_chat.CHAT,
        openai_responses.RESPONSES,
        openai_other.COMPLETIONS,
        openai_other.EMBEDDINGS,
        anthropic.MESSAGES,
        anthropic.MESSAGES_2026_10_21,
        gemini.GEMINI,
        gemini.CLOUDCODE,
        interactions.INTERACTIONS,
        bedrock.CONVERSE,
        bedrock.INVOKE,
        cohere.CHAT,
        ollama.OLLAMA,
        generic.GENERIC,
    )
}
"""(name, version) → row. The version is empty in the row that holds for all versions without their own."""


def dialect(name: str, version: str = "") -> Dialect:
    """The row for a name and API version. KeyError, with the nearest names, where there is no such name."""
    row = DIALECTS.get((name, version)) or DIALECTS.get((name, ""))
    if row is None:
        names = list(dict.fromkeys(name for name, _ in DIALECTS))
        near = get_close_matches(name, names, cutoff=0.4) or names
        raise KeyError(f"no dialect is called {name!r}; there is {', '.join(near)}")
    return row
