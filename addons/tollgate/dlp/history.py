"""What became of the beginning of a body, remembered: agents send all that was said before with every call.

A body is known as far as it was there before, by the digest of all of its bytes up to a place. What is kept
of them are places, tokens and counts, and no text.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import NamedTuple

from cryptography.hazmat.primitives.poly1305 import Poly1305

from tollgate.calls import Body, Finding, Slot
from tollgate.calls.literals import Finder, Patch, patches
from tollgate.dlp.sight import Outcome
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Dlp

LEAST = 16 * 1024
"""Characters of text from which on a stretch is remembered: shorter ones cost more than they save."""
ROOM = 50_000
"""Segments, patches and findings that are kept: some 300 bytes each."""
_FOLLOWING = 1024
"""Ways a beginning may go on."""
_SIGN = 64
"""Characters at both ends of a text that tell it from others, as a rule."""


class Settled(NamedTuple):
    """What became of a slot in which something was found."""

    place: str
    """For a person."""
    pieces: Sequence[Piece]
    """What is put in which place of its text."""
    outcome: Outcome | None
    """None where the same need not come of it another time."""


class Edit(NamedTuple):
    """A slot in which something changes."""

    slot: int
    """The how manyth it is."""
    pieces: tuple[Piece, ...]
    """What is put in which place of its text."""


class Stood(NamedTuple):
    """What a token stands for."""

    token: str
    slot: int
    """The how manyth it is, in whose text the value is."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a body, the last one that is known, or one of those before it."""

    policy: Dlp
    """By which it was settled."""
    end: int = 0
    """Bytes up to there: a string literal begins there."""
    strings: int = 0
    """Literals up to there."""
    slots: int = 0
    """Slots up to there."""
    edits: tuple[Edit, ...] = ()
    patches: tuple[Patch, ...] = ()
    """The same in bytes, counted from the beginning of the body."""
    tokens: tuple[Stood, ...] = ()
    """Each that was put in, once: in one call it always stands for the same."""
    findings: tuple[Finding, ...] = ()
    """What was found in it."""
    following: dict[int, int] = field(default_factory=dict)
    """Where the next segment ends, by the sign of its first text."""


class History:
    """Segments by digests of all that leads to their ends; those asked for longest ago are forgotten.
    Thread-safe."""

    def __init__(self, room: int = ROOM) -> None:
        self._key = os.urandom(32)
        self._room = room
        self._taken = 0
        self._segments: OrderedDict[bytes, Segment] = OrderedDict()
        self._lock = Lock()

    def name(self, before: bytes, stretch: bytes | memoryview) -> bytes:
        """The digest of all that leads to the end of a stretch, by the digest of what leads to its beginning.

        Poly1305 (RFC 8439, 2.5): who does not know the key finds no two texts with one digest, and it takes a
        quarter of the time of SHA-256. Its key is good for one text where digests can be seen; these are
        written down nowhere and told nobody, and so it serves for all.
        """
        digest = Poly1305(self._key)
        digest.update(before)
        digest.update(stretch)
        return digest.finalize()

    def recall(self, name: bytes) -> Segment | None:
        return self._segments.get(name)

    def keep(self, name: bytes, segment: Segment) -> None:
        with self._lock:
            if (before := self._segments.pop(name, None)) is not None:  # two calls were at it
                self._taken -= _weight(before)
                segment.following.update(before.following)
            self._taken += _weight(segment)
            self._segments[name] = segment
            while self._taken > self._room:
                self._taken -= _weight(self._segments.popitem(last=False)[1])

    def used(self, names: Sequence[bytes]) -> None:
        """Keep these for longer than others, and each for longer than those that follow it."""
        with self._lock:
            for name in reversed(names):
                if name in self._segments:
                    self._segments.move_to_end(name)


def may_be_known(body: Body) -> bool:
    """False for a body without a stretch that is remembered."""
    return body.as_written and len(body.content) >= LEAST


class Track:
    """A body as far as it is known, and what becomes known of it."""

    def __init__(
        self, history: History, body: Body, slots: Sequence[Slot], dialect: str, policy: Dlp
    ) -> None:
        self._history = history
        self._content = memoryview(body.content)
        # Of a policy nothing is told apart but which one it is: its segments keep it, so no other has its id.
        root_name = history.name(b"", f"{dialect}\0{id(policy)}".encode())
        self._slots = slots
        self._names = [root_name]
        root = history.recall(root_name)
        if root is None:
            history.keep(root_name, root := Segment(policy))
        self.segments = [root]
        while (found := self._next()) is not None:
            self.segments.append(found)
        history.used(self._names)

    @property
    def last(self) -> Segment:
        return self.segments[-1]

    @property
    def patches(self) -> Iterator[Patch]:
        """All of what is known, in order."""
        for segment in self.segments:
            yield from segment.patches

    def add(self, segment: Segment) -> None:
        """Remember what follows."""
        last = self.last
        if len(last.following) >= _FOLLOWING:
            last.following.clear()
        last.following[_sign(self._slots[last.slots].text)] = segment.end
        self._names.append(self._name_to(segment.end))
        self._history.keep(self._names[-1], segment)
        self.segments.append(segment)

    def _next(self) -> Segment | None:
        last = self.last
        if last.slots >= len(self._slots):
            return None
        end = last.following.get(_sign(self._slots[last.slots].text), 0)
        if not last.end < end <= len(self._content):
            return None
        name = self._name_to(end)
        found = self._history.recall(name)
        if found is not None:
            self._names.append(name)
        return found

    def _name_to(self, end: int) -> bytes:
        """The digest of all up to there, where the next segment ends."""
        return self._history.name(self._names[-1], self._content[self.last.end : end])


def extend(
    track: Track, body: Body, slots: Sequence[Slot], settled: Mapping[int, Settled], *, keep: bool
) -> list[Patch]:
    """How the bytes change behind what is known. Where `keep` says so, that is remembered, but for the last
    item of a list and for what need not come of it again.

    `settled`, by ordinal, are the slots in which something was found. The body has to be `as_written`.
    """
    find = Finder(body.content)
    last = track.last
    done, passed = last.end, last.strings
    written: list[Patch] = []
    stretch = _Stretch()
    for number in range(last.slots, len(slots)):
        slot = slots[number]
        ends = keep and stretch.size >= LEAST and _item(slots[number - 1]) != _item(slot)
        known = settled.get(slot.ordinal)
        if ends or (known is not None and known.pieces):
            done, end = find.literal(done, slot.ordinal - passed, slot.text)
            passed = slot.ordinal
            if ends:
                track.add(stretch.segment(last.policy, done, passed, number))
                stretch = _Stretch()
            if known is not None:
                changed = patches(done, end, slot.text, known.pieces)
                written += changed
                stretch.patches += changed
        stretch.size += len(slot.text)
        if known is not None:
            keep = keep and stretch.add(number, known)
    return written


class _Stretch:
    """What will be a segment."""

    __slots__ = ("edits", "findings", "patches", "size", "tokens")

    def __init__(self) -> None:
        self.size = 0
        self.edits: list[Edit] = []
        self.patches: list[Patch] = []
        self.findings: list[Finding] = []
        self.tokens: dict[str, Stood] = {}

    def add(self, number: int, settled: Settled) -> bool:
        """False where it need not come like that again."""
        outcome = settled.outcome
        if outcome is None:
            return False
        if outcome.pieces:
            self.edits.append(Edit(number, outcome.pieces))
        for start, end, token in outcome.tokens:
            self.tokens.setdefault(token, Stood(token, number, start, end))
        for entity, action, count in outcome.seen:
            self.findings.append(Finding(entity, settled.place, action, count))
        return True

    def segment(self, policy: Dlp, end: int, strings: int, slots: int) -> Segment:
        made = tuple(self.edits), tuple(self.patches), tuple(self.tokens.values()), tuple(self.findings)
        return Segment(policy, end, strings, slots, *made)


def _item(slot: Slot) -> tuple[str | int, ...]:
    """The path of the outermost item of a list that a slot stands in."""
    path = slot.path
    return next((path[: n + 1] for n, step in enumerate(path) if isinstance(step, int)), path[:1])


def _sign(text: str) -> int:
    return hash((len(text), text[:_SIGN], text[-_SIGN:]))


def _weight(segment: Segment) -> int:
    return 1 + len(segment.patches) + len(segment.findings)
