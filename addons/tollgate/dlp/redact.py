"""Puts something else in the place of what was found in a text."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from tollgate.dlp.nesting import Nesting, Verbatim, escaped, needs_escapes, unescaped
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import DOMAIN, WIDTH, Book, pattern
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Action

type Change = Callable[[Action, str], str]
"""What "mask", "hash", "redact" and "encrypt" make of a value: `Operators.apply`."""

_LONGEST = WIDTH + len(DOMAIN)
_STAYS = frozenset[Action](("report", "ignore", "block"))
"""These change no text; whoever asked for "block" refuses the call."""


def redact(
    text: str, found: Iterable[tuple[Span, Action]], book: Book, change: Change, *, is_json: bool = False
) -> str:
    """The text with each span replaced as its action says; tokens are entered in the book. `is_json` tells a
    text that is JSON as a whole from one in which there may be some.

    What already has the shape of a token stays as it is. ValueError where two spans overlap.
    """
    return replaced(text, replacements(text, found, book, change, is_json=is_json))


def replacements(
    text: str, found: Iterable[tuple[Span, Action]], book: Book, change: Change, *, is_json: bool = False
) -> list[Piece]:
    """What is put in which place, from left to right, as `redact` does it."""
    pieces: list[Piece] = []
    done = 0
    values = _Values(text, is_json)
    for span, action in sorted((span, action) for span, action in found if action not in _STAYS):
        if span.start < done:
            raise ValueError(
                f"two findings overlap at character {span.start}: they have to be resolved first"
            )
        done = span.end
        if not within_token(text, span):
            value = values.at(span)
            stand_in = _stand_in(value.text, span, action, book, change)
            pieces.append(Piece(span.start, value.end, escaped(stand_in, value.depth)))
    return pieces


def replaced(text: str, pieces: Iterable[Piece]) -> str:
    """The text with other texts in some places, which are given from left to right."""
    out: list[str] = []
    done = 0
    for piece in pieces:
        out += (text[done : piece.start], piece.text)
        done = piece.end
    return "".join((*out, text[done:]))


class _Value(NamedTuple):
    """A value as it is once JSON's escapes are undone."""

    text: str
    end: int
    """Where it ends in the text."""
    depth: int
    """In how many strings of JSON it stands there; 0 where it has no escapes."""


class _Values:
    """The values in a text, asked for from left to right."""

    def __init__(self, text: str, is_json: bool) -> None:
        self._text = text
        self._is_json = is_json
        self._nesting = Nesting(is_json=is_json)
        self._fed = 0

    def at(self, span: Span) -> _Value:
        written = self._text[span.start : span.end]
        if needs_escapes(written):
            self._nesting.feed(self._text[self._fed : span.start], final=True)
            self._fed = span.start
            depth = self._nesting.depth
            for quote in range(depth + 1):  # the last backslashes may be those of a quote behind the value
                text = written.removesuffix("\\" * (2**quote - 1))
                value = unescaped(text, depth)
                if text and value is not None and self._is_exact(value, text):
                    return _Value(value, span.start + len(text), depth)
            if depth and not self._is_json:
                return _Value(Verbatim(written), span.end, 0)
        return _Value(written, span.end, 0)

    def _is_exact(self, value: str, written: str) -> bool:
        """Whether it will be written like that again; where all is JSON, it may be written otherwise."""
        return self._is_json or escaped(value, self._nesting.depth) == written


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
