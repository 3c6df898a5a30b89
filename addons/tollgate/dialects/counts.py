"""Where an answer says what it used, as a table, and how its numbers become a `Usage`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tollgate.calls import Usage
from tollgate.dialects.paths import is_count, number_at, object_at, text_at

type Found = dict[str, Any]
"""Fields of `Usage` with what a document says of them."""

type Beside = Callable[[dict[str, Any], dict[str, Any], Found], Found]
"""Reads (answer, usage object, found so far) for what no path can say; gives more, or better, fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Where counts stand, and which of them contain which."""

    within: tuple[str, ...] = ("",)
    """Where the answer stands in a document, first hit wins: an event may wrap it ("response")."""
    at: tuple[str, ...] = ("usage",)
    """Where the usage object stands in the answer."""
    fields: Mapping[str, tuple[str, ...]]
    """Field of `Usage` → where it stands in the usage object, first hit wins."""
    parts: tuple[tuple[str, str], ...] = ()
    """(part, whole): the provider's number for the whole contains the part's. Outer wholes first."""
    total: str = ""
    """Where the provider's own sum stands, if it may hold output that its output count leaves out."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field of `Usage` that is a word (tier, speed, region) → where it stands in the answer."""
    beside: Beside | None = None
    """What else there is to count, where a path cannot say it."""
    updates: bool = False
    """True where an event says only what changed; else its counts are all there are."""

    def read(self, document: Any, so_far: Usage | None) -> Usage | None:
        """What a document says, on top of `so_far`; `so_far` itself where it says nothing."""
        answer = object_at(document, self.within)
        said = object_at(answer, self.at)
        if answer is None or said is None or not (found := self._counts(answer, said)):
            return so_far
        found |= {name: word for name, paths in self.words.items() if (word := text_at(answer, paths))}
        before = so_far or Usage()
        if not self.updates:
            before = Usage(tier=before.tier, requests=before.requests)
        return replace(before, **self._disjoint(found, before))

    def _counts(self, answer: dict[str, Any], said: dict[str, Any]) -> Found:
        """The provider's own numbers, by our names."""
        numbers = ((name, number_at(said, paths)) for name, paths in self.fields.items())
        found: Found = {name: number for name, number in numbers if number is not None}
        if self.total:
            add_unlisted_output(found, number_at(said, (self.total,)))
        return found | self.beside(answer, said, found) if self.beside else found

    def _disjoint(self, found: Found, before: Usage) -> Found:
        """The same with each whole less its parts; no part is taken to be more than its whole."""
        for part, whole in self.parts:
            if whole in found:
                found[part] = min(found.get(part, getattr(before, part)), found[whole])
                found[whole] -= found[part]
        return found


def add_unlisted_output(found: Found, total: float | None) -> None:
    """xAI, and Google's OpenAI endpoint, count reasoning in their sum, but not as output."""
    if total is not None and "input" in found and "output" in found:
        found["output"] = max(found["output"], total - found["input"])


def tally(counted: Any, suffix: str = "") -> dict[str, int]:
    """An object of counts as {name without suffix: count}, less what has another suffix or is zero."""
    rows = counted.items() if isinstance(counted, dict) else ()
    return {
        name.removesuffix(suffix): int(n) for name, n in rows if name.endswith(suffix) and is_count(n) and n
    }
