"""Which answers are kept, and how they are given again."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tollgate.policy.fields import Duration, File, Patterns, Size
from tollgate.policy.part import Part

type Scope = Literal["credential", "user", "group", "project", "all"]

# -- what is kept of which calls: governs one call, rules override it --------------------------------------


class Semantic(Part):
    """Answers to questions that mean the same, of calls without tools that are one short question."""

    mode: Literal["off", "shadow", "serve"] = "off"
    """shadow asks the provider as before, and records whether the kept answer would have agreed; serve gives
    the kept answer."""
    threshold: float = Field(default=0.95, ge=0.0, le=1.0)
    """The least likeness of two questions: the cosine of their vectors."""
    words: Literal["same", "order"] = "same"
    """What must be equal besides numbers, names, negations, stand-ins for redacted values, and text that is
    quoted, follows a colon or stands on further lines. same: all words and their order, but for "the",
    courtesies and short forms. order: that of the words which both have; it finds more, and is wrong more
    often."""
    max_length: int = Field(default=400, ge=1, le=4000)
    """Characters of the longest question."""


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
    """Whether identical calls that are under way at the same time share one call to the provider: in one
    process in any form, in processes with the same folder where their answers are whole."""
    pace: Literal["at_once", "original"] = "at_once"
    """How fast a kept stream is given again."""
    stale_if_error: Duration | None = None
    """How long after its time an answer may still stand in for a provider that fails; null for never."""
    tag: str = ""
    """A word of your own for what these calls bring, for `tollgate cache clear --tag`."""
    semantic: Semantic = Semantic()


# -- where they are kept: set once for all -----------------------------------------------------------------


class Embedder(Part):
    """What turns a question into a vector. It is never downloaded."""

    kind: Literal["static", "onnx"] = "static"
    """static: a table with a vector per token, as Model2Vec makes it. onnx: a sentence transformer."""
    folder: File | None = None
    """Has tokenizer.json, and model.safetensors or embeddings.npy (static), or model.onnx (onnx)."""


class CacheStorage(Part):
    """Where answers are kept."""

    path: File | None = None
    """The folder; left out, `answers` in the state folder."""
    room: Size = 1024 * 1024 * 1024
    """How much the folder may hold. The oldest answers make place for new ones."""
    encrypt: bool = True
    """Whether answers lie there encrypted, with a key of the state folder. They hold no originals of redacted
    values in either case."""
    embedder: Embedder = Embedder()
    questions: int = Field(default=20000, ge=1)
    """How many questions are held in memory, to find those that mean the same."""
