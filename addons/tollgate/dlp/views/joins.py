"""Values that are taken apart: over lines, string concatenations and separators; over parts and messages."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from tollgate.calls import Slot
from tollgate.dlp.views.signs import Signs, matches
from tollgate.dlp.views.view import Piece

_LONGEST = 256
"""Characters of a word that are looked at."""
_OF_WORDS = string.ascii_letters + string.digits + "_+/=@.-"
_HEAD = re.compile(r"[A-Za-z0-9_+/@.-]++=*+(?!\s*[:=(\[]|[A-Za-z0-9])")
"""The first word of what follows, unless it is a name that something is assigned to."""
_BEGINNING = re.compile(rf"\s*+({_HEAD.pattern})")
_OF_VALUES = re.compile("[0-9@]")
"""What any value has that is looked for here."""
_NUMBER = re.compile(r"[\d.:,-]+")
"""Also such as are no value when they are put together: measurements, addresses of machines."""
_KNOWN_NUMBERS = re.compile(r"\d{3}-\d{2}-\d{4}|\d{3}-\d{3}-\d{4}")
_ADDRESS = re.compile(r"[^@]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}[.-]?")
_SHORTEST_KEY = 12
_TELLING = re.compile(r"[\d@]")
"""A value that was taken apart has one of these."""


def glue(tail: str, head: str) -> str | None:
    """What stood between two words that may be one value taken apart; None where they are two."""
    whole = tail + head
    if not _OF_VALUES.search(whole):
        return None
    if _NUMBER.fullmatch(whole):
        if len(tail) == len(head) == 4 and whole.isdigit():  # groups of a card number
            return " "
        return "" if _KNOWN_NUMBERS.fullmatch(whole) else None
    is_one = _is_address(tail, head) if "@" in whole else _is_key(tail, head)
    return "" if is_one else None


def _is_address(tail: str, head: str) -> bool:
    """An address that is none before its second part, and of which that is more than all."""
    if "@" not in tail + head[0] or is_address(tail):
        return False
    return is_address(tail + head)


def _is_key(tail: str, head: str) -> bool:
    ends_sentence = tail.endswith(".") and tail[:-1].isalpha()
    whole = tail + head
    return len(whole) >= _SHORTEST_KEY and any(map(str.isdigit, whole)) and not ends_sentence


def is_address(text: str) -> bool:
    """Whether this is an e-mail address as it stands, and no part of one that was taken apart."""
    return _ADDRESS.fullmatch(text) is not None


def _last_word(text: str, end: int) -> str:
    before = text[max(0, end - _LONGEST) : end]
    return before[len(before.rstrip(_OF_WORDS)) :]


# -- within one text -----------------------------------------------------------------------------------------

_WORD = "[A-Za-z0-9_+/=@.-]"
_CONCATENATED = {
    quote: re.compile(
        rf"{quote}(?=[\s+.&|\\])(?<={_WORD}{quote})\s*+(?:\+\+?|\.\.?|&|\|\|)?+\s*+(?:\\\r?\n\s*+)?+"
        rf"[fbruFBRU]{{0,2}}+{quote}(?={_WORD})"
    )
    for quote in "\"'`"
}
_LINE_END = re.compile(r"(\n(?<=[A-Za-z0-9_@\r\\=-]\n)[ \t]*+)(?=[a-z_.+/-]{0,80}+[0-9A-Z@])")
_ADDRESS_END = re.compile(r"@[A-Za-z0-9.-]*+\r?(\n[ \t]*+)(?=[a-z])")
"""Line ends, those of shell and quoted-printable too, before no ordinary word or within an address."""
_SPACED = tuple(
    re.compile(rf"(?<![^\s\"'(:=]){char}(?:{gap}{char}){{8,}}(?!{char})")
    for char, gap in (
        (r"\S", " "),
        ("[A-Za-z0-9]", r"\."),
        *(("[A-Za-z0-9@.]", gap) for gap in ("-", "_", "/", r"\|", r"\*", ",", "\t")),
    )
)
_NEAR, _FAR = 64, 4096
"""Characters before and behind such a sign that are looked at, where lines are long."""


def gaps(text: str, signs: Signs) -> Iterator[Piece]:
    """What stands between the parts of values that may have been taken apart."""
    yield from _concatenated(text)
    yield from _broken(text)
    yield from _spaced(text, signs)


def _concatenated(text: str) -> Iterator[Piece]:
    for quote, pattern in _CONCATENATED.items():
        if quote in text:
            yield from (Piece(*match.span(), "") for match in pattern.finditer(text))


def _broken(text: str) -> Iterator[Piece]:
    address = matches(_ADDRESS_END, "@", text)
    for match in chain(_LINE_END.finditer(text), address):
        start, end = match.span(1)
        if text[start - 1] in "\r\\=":
            start -= 1
        if head := _HEAD.match(text, end):
            tail = _last_word(text, start)
            if tail and (between := glue(tail, head[0])) is not None:
                yield Piece(start, end, between)


def _spaced(text: str, signs: Signs) -> Iterator[Piece]:
    """The gaps of values that are written with one between all characters."""
    at = signs.spaced()
    while at >= 0:
        begin, end = text.rfind("\n", 0, at) + 1, text.find("\n", at, at + _FAR)
        begin, end = max(begin, at - _NEAR), end if end >= 0 else min(at + _FAR, len(text))
        for match in chain.from_iterable(pattern.finditer(text, begin, end) for pattern in _SPACED):
            yield from (Piece(gap, gap + 1, "") for gap in range(match.start() + 1, match.end(), 2))
        at = signs.spaced(end)


# -- over slots ----------------------------------------------------------------------------------------------

_REACH = 5
"""How many slots on the second part of a value may stand."""
_CONTEXT = 256
"""Characters of a slot that a join shows, and more where they are one word."""
_FRAGMENT = re.compile(r"\s*[A-Za-z0-9_+/=@.-]{1,64}\s*")
"""A slot that is nothing but a part of a value."""
_LONG_NUMBER = re.compile(r"\d{13,19}")


class Part(NamedTuple):
    """A stretch of a slot's text in a join."""

    slot: Slot
    start: int
    end: int
    at: int
    """Where it stands in the joined text."""


@dataclass(frozen=True, slots=True)
class Join:
    """Stretches of several slots as one text. What is found within one part is of no interest: it is found
    in the slot as well."""

    text: str = field(repr=False)
    parts: tuple[Part, ...] = field(repr=False)

    def spans(self, start: int, end: int) -> list[tuple[Slot, int, int]]:
        """Where [start, end) of the joined text stands, slot by slot."""
        return [
            (part.slot, part.start + max(0, start - part.at), min(part.end, part.start + end - part.at))
            for part in self.parts
            if start < part.at + part.end - part.start and end > part.at
        ]


class _Edges(NamedTuple):
    """A slot, and the words that it begins and ends with."""

    slot: Slot
    head: str
    tail: str
    telling: bool
    """Whether one of them has what a value that `glue` puts together has to have."""


def joins(slots: Sequence[Slot], since: int = 0) -> Iterator[Join]:
    """Texts that come about where slots are read together: ends with beginnings, and rows of fragments. Only
    such as have a part in the slots from `since` on."""
    if since >= len(slots):
        return
    near = slots[reach_back(slots, since) :]
    edges = [_edges(slot) for slot in near if _is_joined(slot)]
    for join in chain(_pairs(edges), _rows(edges)):
        if join.parts[-1].slot.ordinal >= slots[since].ordinal:
            yield join


def _is_joined(slot: Slot) -> bool:
    return slot.kind in ("text", "json") and bool(slot.text) and not slot.text.isspace()


def reach_back(slots: Sequence[Slot], since: int) -> int:
    """From where on slots may stand in a join with those from `since` on: some, and no part of a row. At 0,
    more that stand before them may belong to it."""
    joined = 0
    in_row = True
    while since and (joined < _REACH or in_row):
        since -= 1
        if _is_joined(slots[since]):
            joined += 1
            in_row = _FRAGMENT.fullmatch(slots[since].text) is not None
    return since


def _pairs(edges: Sequence[_Edges]) -> Iterator[Join]:
    for n, first in enumerate(edges):
        for second in edges[n + 1 : n + 1 + _REACH] if first.tail else ():
            if not second.head or not (first.telling or second.telling):
                continue
            if (between := _glue(first.tail, second.head)) is not None:
                yield _joined([_end_of(first.slot), _beginning_of(second.slot)], between)


def _edges(slot: Slot) -> _Edges:
    found = _BEGINNING.match(slot.text)
    end = slot.text[-2 * _LONGEST :].rstrip() or slot.text.rstrip()  # without a copy of all of a long one
    head, tail = found[1] if found else "", _last_word(end, len(end))
    return _Edges(slot, head, tail, _TELLING.search(head + tail) is not None)


def _glue(tail: str, head: str) -> str | None:
    return "" if _LONG_NUMBER.fullmatch(tail + head) else glue(tail, head)


def _rows(edges: Sequence[_Edges]) -> Iterator[Join]:
    """Slots that are nothing but fragments, with the end of the slot before and the beginning of the next."""
    n = 0
    while n < len(edges):
        first = n
        while n < len(edges) and _FRAGMENT.fullmatch(edges[n].slot.text):
            n += 1
        if n - first > 1:
            before = [_end_of(edge.slot) for edge in edges[max(0, first - 1) : first]]
            row = [_whole(edge.slot) for edge in edges[first:n]]
            after = [_beginning_of(edge.slot) for edge in edges[n : n + 1]]
            if len(before + row + after) > 2:
                yield _joined([*before, *row, *after], "")
        n += 1


def _whole(slot: Slot) -> Part:
    return _part(slot, 0, len(slot.text))


def _end_of(slot: Slot) -> Part:
    """The end of a slot, from a white space on, so that no word is cut."""
    text = slot.text
    near = max(0, len(text) - _CONTEXT)
    far = max(0, near - 8 * _CONTEXT)
    return _part(slot, max(far, text.rfind(" ", far, near) + 1, text.rfind("\n", far, near) + 1), len(text))


def _beginning_of(slot: Slot) -> Part:
    text = slot.text
    far = min(len(text), 9 * _CONTEXT)
    ends = [at for space in " \n" if (at := text.find(space, _CONTEXT, far)) >= 0]
    return _part(slot, 0, min(ends, default=far))


def _part(slot: Slot, start: int, end: int) -> Part:
    """A stretch without the white space around it."""
    text = slot.text[start:end]
    return Part(slot, start + len(text) - len(text.lstrip()), start + len(text.rstrip()), 0)


def _joined(parts: Sequence[Part], between: str) -> Join:
    text, placed = "", []
    for n, part in enumerate(parts):
        text += between if n else ""
        placed.append(part._replace(at=len(text)))
        text += part.slot.text[part.start : part.end]
    return Join(text, tuple(placed))
