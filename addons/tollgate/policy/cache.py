"""Which answers are kept, and how they are given again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tollgate.policy.fields import Duration, File, Patterns, Size
from tollgate.policy.part import Part

type Scope = Literal["credential", "user", "group", "project", "all"]

# -- what is kept of which calls: governs one call, rules override it --------------------------------------


class Cache(Part):
    """Answers that are given again to calls that ask the same."""

    enabled: bool = False
    """Whether answers are kept and given again at all."""
    scope: Scope = "credential"
    """Who may get an answer that somebody's call brought: whoever sends the same credential to the provider,
    the same user, users of the same groups, calls of the same project, or all. A call of which that is not
    known has a scope of its user's own."""
    ttl: Duration = 86400.0
    """How long an answer is given again."""
    operations: Patterns = ["chat", "responses", "completions", "embeddings", "count_tokens", "rerank"]
    """Operations whose answers are kept."""
    tools: bool = False
    """Whether calls that offer tools count too. An agent's next step is then what it was the last time."""
    max_temperature: float | None = Field(default=None, ge=0.0)
    """Calls with a higher temperature are left alone, and those that name none; null for no such limit."""
    max_answer: Size = 4 * 1024 * 1024
    """The largest answer that is kept."""
    share: bool = True
    """Whether identical calls that are under way at the same time share one call to the provider."""
    pace: Literal["at_once", "original"] = "at_once"
    """How fast a kept stream is given again."""
    stale_if_error: Duration | None = None
    """How long after its time an answer may still stand in for a provider that fails; null for never."""
    tag: str = ""
    """A word of your own for what these calls bring, for `tollgate cache clear --tag`."""


# -- where they are kept: set once for all -----------------------------------------------------------------


class CacheStorage(Part):
    """Where answers are kept."""

    path: File | None = None
    """The folder; left out, `answers` in the state folder."""
    room: Size = 1024 * 1024 * 1024
    """How much the folder may hold. The oldest answers make place for new ones."""
    encrypt: bool = True
    """Whether answers lie there encrypted, with a key of the state folder. They hold no originals of redacted
    values in either case."""
