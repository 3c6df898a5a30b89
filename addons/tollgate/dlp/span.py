"""What a detector gives."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple, Protocol

_STRETCH = 16_384
"""Characters of which the spans are sorted at once."""


class Span(NamedTuple):
    """A piece of a text that is something. It never carries the text itself."""

    start: int
    """Index of its first character."""
    end: int
    """Index behind its last character."""
    entity: str
    """EMAIL_ADDRESS, CREDIT_CARD …; SECRET for all secrets."""
    score: float
    """How sure it is, 0 to 1."""
    rule: str = ""
    """For a secret, the rule's id."""


def in_order(spans: Iterable[Span]) -> list[Span]:
    """Spans from left to right. No other thread goes on while Python sorts: 50,000 at once take 40 ms."""
    stretches: defaultdict[int, list[Span]] = defaultdict(list)
    for span in spans:
        stretches[span.start // _STRETCH].append(span)
    return [span for stretch in sorted(stretches) for span in sorted(stretches[stretch])]


class Detector(Protocol):
    """Looks into texts. Safe to use from several threads at once."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        """Everything found, in any order, overlaps included. `key` is the JSON key under which the text
        stands, as context: {"ssn": "536228941"}."""
