"""Puts something else in the place of what was found in a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tollgate.dlp.span import Span
from tollgate.dlp.tokens import DOMAIN, WIDTH, Book, pattern
from tollgate.policy.dlp import Action

type Change = Callable[[Action, str], str]
"""What "mask", "hash", "redact" and "encrypt" make of a value: `Operators.apply`."""

_LONGEST = WIDTH + len(DOMAIN)
_STAYS = frozenset[Action](("report", "ignore", "block"))
"""These change no text; whoever asked for "block" refuses the call."""


def redact(text: str, found: Iterable[tuple[Span, Action]], book: Book, change: Change) -> str:
    """The text with each span replaced as its action says; tokens are entered in the book.

    What already has the shape of a token stays as it is. ValueError where two spans overlap.
    """
    changes = sorted((span, action) for span, action in found if action not in _STAYS)
    if not changes:
        return text
    pieces: list[str] = []
    done = 0
    for span, action in changes:
        if span.start < done:
            raise ValueError(
                f"two findings overlap at character {span.start}: they have to be resolved first"
            )
        if within_token(text, span):
            continue
        pieces += (
            text[done : span.start],
            _stand_in(text[span.start : span.end], span, action, book, change),
        )
        done = span.end
    pieces.append(text[done:])
    return "".join(pieces)


def within_token(text: str, span: Span) -> bool:
    """True where the span is a token, or a part of one, by its shape."""
    at = max(0, span.end - _LONGEST)
    while (found := pattern().search(text, at, span.end + _LONGEST)) and found.start() <= span.start:
        if span.end <= found.end():
            return True
        at = found.start() + 1  # a token may begin within what only looks like one
    return False


def _stand_in(value: str, span: Span, action: Action, book: Book, change: Change) -> str:
    return book.token(span.entity, value) if action == "replace" else change(action, value)
