"""How alike two answers are, in words that both have: no model is needed, and nothing waits. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

_MOST = 4000
"""Characters of an answer that count."""
_ALIKE = 0.8
_WORD = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+")
_SAID = frozenset(("text", "content", "response"))
"""Fields that hold what an answer says, in all dialects."""


def said(tree: Any) -> str:
    """What a whole answer says, without what was thought."""
    return " ".join(_said(tree))[:_MOST]


def _said(tree: Any) -> Iterator[str]:
    if isinstance(tree, list):
        for item in tree:
            yield from _said(item)
    elif isinstance(tree, dict) and not tree.get("thought"):
        for name, value in tree.items():
            if isinstance(value, str) and name in _SAID:
                yield value
            else:
                yield from _said(value)


def likeness(one: str, other: str) -> float:
    """The cosine of how often they use each word: 1.0 for the same words, 0.0 for none in common."""
    a, b = Counter(_words(one)), Counter(_words(other))
    if not a or not b:
        return float(one.strip() == other.strip())
    product = sum(count * b[word] for word, count in a.items())
    return product / math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))


def agree(one: str, other: str) -> bool:
    """True for answers with the same numbers and mostly the same words; not for two that say nothing. Rather
    too strict: two answers to one question may be worded differently."""
    return bool(one) and _numbers(one) == _numbers(other) and likeness(one, other) >= _ALIKE


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _numbers(text: str) -> set[str]:
    return {word for word in _words(text) if word[0].isdigit()}
