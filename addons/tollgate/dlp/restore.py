"""Puts the values back where their tokens stand in an answer, while it streams.

Text comes in pieces that may end within a token. So the end of a piece waits for the next one if a token may
begin there, and nothing else waits. A token is known by its letters alone: no matter its case, what stands
around it, or which quotes, brackets and backslashes a model has put there.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping
from typing import Literal

from tollgate.dlp.fuzzy import REACH, Near
from tollgate.dlp.nesting import Nesting, Verbatim, escaped, needs_escapes
from tollgate.dlp.tokens import BRAND, DOMAIN, EMAIL, WIDTH, core

type Manner = Literal["text", "input", "json"]
"""What a piece belongs to: text that people read, a tool's input, or a tool's input as JSON."""
type OnMangled = Literal["restore_fuzzy", "error_to_model", "pass"]

NOTICE = "[a stand-in for a protected value was not copied exactly here: call again with it as it was given]"
"""Stands in a tool's input where "error_to_model" finds a changed token. Tools fail on it, or write it where
it is seen; and the model reads it, since calls are sent back with the history."""

_FLAGS = re.ASCII | re.IGNORECASE
_BEGINS = re.compile(r"q(?:zx|z?\Z)", _FLAGS)
"""A brand, or the beginning of one at the end."""
_SHAPED = re.compile(rf"q(?:z(?:x(?:[a-z][a-z2-7]{{0,{WIDTH - 4}}})?)?)?", _FLAGS)
_WORD = re.compile(rf"q(?:z(?:x[a-z0-9]{{0,{WIDTH - 3 + REACH + 1}}})?)?", _FLAGS)
"""As much as a changed token may have, and one more to see that it has more."""

_AT = ("@", "\\@", "\\\\@", "%40")
_DOT = (".", "\\.", "\\\\.")
_DOMAINS = tuple(at + DOMAIN[1:].replace(".", dot) for at in _AT for dot in _DOT)
"""How models write the domain, within regular expressions and URLs too."""
_LONGEST = max(map(len, _DOMAINS))


def begins(text: str) -> bool:
    """True where a token may stand or begin in the text: a cheap test, and rarely true without one."""
    return _BEGINS.search(text) is not None


class Restorer:
    """Restores text that comes in pieces over several channels at once."""

    __slots__ = ("_held", "_known", "_near", "_nesting", "_on_mangled", "_spared", "counts", "follows")

    def __init__(self, known: Mapping[str, str], on_mangled: OnMangled = "restore_fuzzy") -> None:
        """`known` is token → value; other tokens are passed as they are."""
        self.counts: Counter[str] = Counter()
        """"restored"; "mended", changed by the model and restored; "mangled", changed and not restored;
        "unknown", of a token's shape only."""
        self._known = {core(token): value for token, value in known.items()}
        self._near: Near | None = None
        self._on_mangled = on_mangled
        self._held: dict[Hashable, tuple[str, Manner]] = {}
        self._spared: set[str] = set()
        self.follows = any(map(needs_escapes, known.values()))
        """True where a value has to be escaped in JSON: then every piece has to be fed, for it may say how
        deep in JSON the next ones stand."""
        self._nesting: dict[Hashable, Nesting] = {}

    def spare(self, tokens: Iterable[str]) -> None:
        """Tokens that are no stand-ins for what is known here, nor copies of such, however near they are."""
        self._spared.update(map(core, tokens))

    def feed(self, channel: Hashable, text: str, manner: Manner = "text") -> str:
        """What may go out now."""
        if not self._known:
            return text
        held, _ = self._held.pop(channel, ("", manner))
        nesting = self._nesting.get(channel) or _nesting(manner)
        if self.follows:
            self._nesting[channel] = nesting
        out, rest = self._restore(held + text, manner, nesting, final=False)
        if rest:
            self._held[channel] = rest, manner
        return out

    def flush(self, channel: Hashable) -> str:
        """What was held back, now that the channel has ended."""
        text, manner = self._held.pop(channel, ("", "text"))
        nesting = self._nesting.pop(channel, None) or _nesting(manner)
        return self._restore(text, manner, nesting, final=True)[0]

    def holds(self, channel: Hashable) -> bool:
        return channel in self._held

    def whole(self, text: str, manner: Manner = "text") -> str:
        """A text that is complete."""
        return self._restore(text, manner, _nesting(manner), final=True)[0] if self._known else text

    def _restore(self, text: str, manner: Manner, nesting: Nesting, *, final: bool) -> tuple[str, str]:
        """What may go out, and the end that has to wait."""
        out: list[str] = []
        done = at = followed = 0
        while found := _BEGINS.search(text, at):
            start = found.start()
            word = self._word(text, start, manner)
            end = start + len(word)
            after = text[end : end + _LONGEST].lower()
            if not final and self._unfinished(word, after, manner):
                self._follow(nesting, text[followed:start])
                return "".join((*out, text[done:start])), text[start:]
            value = self._value(word, manner)
            at = start + 1  # a token may begin within what only looks like one
            if value is not None:
                if needs_escapes(value):
                    nesting.feed(text[followed:start], final=True)
                    followed = start
                    value = escaped(value, _depth(value, nesting, manner))
                out += (text[done:start], value)
                done = at = end + (_domain(after) if _kind(word) == EMAIL else 0)
        if not final:
            self._follow(nesting, text[followed:])
        return "".join((*out, text[done:])), ""

    def _follow(self, nesting: Nesting, text: str) -> None:
        if self.follows:
            nesting.feed(text)

    def _word(self, text: str, start: int, manner: Manner) -> str:
        """The known token that begins there, else as much as may be one, in lower case."""
        word = core(text[start : start + WIDTH])
        if word not in self._known:
            found = (_SHAPED if manner == "text" else _WORD).match(text, start)
            word = found[0].lower() if found else ""
        return word

    def _unfinished(self, word: str, after: str, manner: Manner) -> bool:
        """True where more text could make another token of it."""
        if after or word in self._known:
            return _kind(word) == EMAIL and _begins_domain(after)
        return len(word) < WIDTH or (manner != "text" and len(word) <= WIDTH + REACH)

    def _value(self, word: str, manner: Manner) -> str | None:
        """What the word stands for; None where it is to be left as it is."""
        value = self._known.get(word)
        if value is not None:
            self.counts["restored"] += 1
        elif word in self._spared:
            return None
        elif manner == "text":
            self.counts["unknown"] += len(word) == WIDTH
        elif abs(len(word) - WIDTH) <= REACH:
            value = self._mend(word)
        return value

    def _mend(self, word: str) -> str | None:
        if self._on_mangled == "restore_fuzzy":
            self._near = self._near or Near(self._known)
            if known := self._near.find(word):
                self.counts["mended"] += 1
                return self._known[known]
        self.counts["mangled"] += 1
        return NOTICE if self._on_mangled == "error_to_model" else None


def _kind(word: str) -> str:
    return word[len(BRAND) : len(BRAND) + 1].upper()


def _begins_domain(after: str) -> bool:
    return any(domain.startswith(after) and domain != after for domain in _DOMAINS)


def _domain(after: str) -> int:
    """How long the domain is with which this begins; 0 for none."""
    return max((len(domain) for domain in _DOMAINS if after.startswith(domain)), default=0)


def _nesting(manner: Manner) -> Nesting:
    return Nesting(is_json=manner == "json")


def _depth(value: str, nesting: Nesting, manner: Manner) -> int:
    """How often a value is escaped."""
    in_json = int(manner == "json")
    return in_json if isinstance(value, Verbatim) else max(nesting.depth, in_json)
