"""What a detector gives."""

from __future__ import annotations

from typing import NamedTuple, Protocol


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


class Detector(Protocol):
    """Looks into texts. Safe to use from several threads at once."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        """Everything found, in any order, overlaps included. `key` is the JSON key under which the text
        stands, as context: {"ssn": "536228941"}."""
