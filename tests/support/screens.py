"""A quick engine for tests of what becomes of findings in answers."""

from __future__ import annotations

import re
from typing import Any

from tollgate.dlp.allow import AllowList
from tollgate.dlp.engine import Engine
from tollgate.dlp.operators import Operators
from tollgate.dlp.screen import Screen
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter
from tollgate.policy.dlp import Allowed, AnswerScan

KEY = b"k" * 32
RULES = {
    "EMAIL_ADDRESS": r"\b[a-z]+@corp\.io\b",
    "SECRET": r"\bsk-[a-z0-9]{8,}|-----BEGIN KEY-----[\w\s]*(?:-----END KEY-----)?",
    "US_SSN": r"\b\d{3}-\d{2}-\d{4}\b",
    "CREDIT_CARD": r"\b\d{4} ?\d{4} ?\d{4} ?\d{4}\b",
}
MASK_ALL = {"SECRET": "mask", "PERSONAL": "mask"}


class Finds:
    """A detector by simple rules; under the key "pin", all is a PIN."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        found = [
            Span(m.start(), m.end(), entity, 0.9, "sk-rule" if entity == "SECRET" else "")
            for entity, rule in RULES.items()
            for m in re.finditer(rule, text)
        ]
        return [*found, Span(0, len(text), "PIN", 0.9)] if key == "pin" else found


class FindsNames:
    """One that is too slow for streams."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        return [Span(m.start(), m.end(), "PERSON", 0.9) for m in re.finditer("Ada", text)]


ENGINE = Engine([Finds()], AllowList(Allowed()), slow=[FindsNames()])


def new_book(*values: str) -> Book:
    """The book of a call whose request had these e-mail addresses."""
    book = Book(Minter(KEY))
    for value in values:
        book.token("EMAIL_ADDRESS", value)
    return book


def make_screen(
    actions: dict[str, Any] | None = None, *, book: Book | None = None, observe: bool = False, **more: Any
) -> Screen:
    policy = AnswerScan.model_validate({"scan": True, "actions": actions or MASK_ALL, **more})
    return Screen(ENGINE, policy, book or new_book(), Operators(KEY).apply, observe=observe)
