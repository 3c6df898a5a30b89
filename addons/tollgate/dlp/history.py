"""What became of the beginning of a body, remembered: agents send all that was said before with every call.

A body is known as far as it was there before, by the digest of all of its bytes up to a place. What is kept
of them are places, tokens and counts, and no text but the keys that lead there.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from threading import Lock
from typing import NamedTuple

from cryptography.hazmat.primitives.poly1305 import Poly1305

from tollgate.calls import Body, Finding, Slot
from tollgate.calls.body import Text
from tollgate.calls.contents import Contents, File, Number
from tollgate.calls.literals import Finder, Patch, patches
from tollgate.dlp.redact import replaced
from tollgate.dlp.sight import Outcome
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Dlp

LEAST = 16 * 1024
"""Characters of text from which on a stretch is remembered: shorter ones cost more than they save."""
ROOM = 50_000
"""Segments, patches and findings that are kept: some 300 bytes each."""
_FOLLOWING = 1024
"""Ways a beginning may go on."""
_WAYS = 32
"""Ends of stretches that look alike, as those of sessions with the same instructions do."""
_SIGN = 64
"""Bytes of each of some places of a stretch that are looked at to tell it from others."""
_SIGNS = 0, LEAST // 2, LEAST - _SIGN


class Settled(NamedTuple):
    """What became of a slot in which something was found."""

    place: str
    """For a person."""
    pieces: Sequence[Piece]
    """What is put in which place of its text."""
    outcome: Outcome | None
    """None where the same need not come of it another time."""


class Edit(NamedTuple):
    """What changes in a slot."""

    slot: Slot
    """Without its text."""
    pieces: tuple[Piece, ...]
    """What is put in which place of its text."""


class Stood(NamedTuple):
    """What a token stands for."""

    token: str
    slot: Slot
    """In whose text the value is; without it."""
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a body, the last one that is known, or one of those before it."""

    policy: Dlp
    """By which it was settled."""
    end: int = 0
    """Bytes up to there: a string literal begins there."""
    slot: Slot | None = None
    """Whose literal that is, without its text; None for the beginning of the body."""
    edits: tuple[Edit, ...] = ()
    patches: tuple[Patch, ...] = ()
    """The same in bytes, counted from the beginning of the body."""
    tokens: tuple[Stood, ...] = ()
    """Each that was put in and in none of the segments before: in one call it always stands for the same."""
    findings: tuple[Finding, ...] = ()
    """What was found in it."""
    numbers: tuple[Number, ...] = ()
    """The large ones in it, without their values."""
    files: tuple[str, ...] = ()
    """The ids of those that it names."""
    following: dict[int, tuple[int, ...]] = field(default_factory=dict)
    """Where the next segment ends, or may end, by its sign."""


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

    def __init__(self, history: History, body: Body, dialect: str, policy: Dlp) -> None:
        self._history = history
        self.body = body
        self._content = memoryview(body.content)
        # Of a policy nothing is told apart but which one it is: its segments keep it, so no other has its id.
        root_name = history.name(b"", f"{dialect}\0{id(policy)}".encode())
        self._names = [root_name]
        root = history.recall(root_name)
        if root is None:
            history.keep(root_name, root := Segment(policy))
        self.segments = [root]
        while self._follow():
            pass
        history.used(self._names)

    @property
    def last(self) -> Segment:
        return self.segments[-1]

    @property
    def ordinal(self) -> int:
        """Of the first slot that is not known; -1 where nothing is."""
        return self.last.slot.ordinal if self.last.slot else -1

    @property
    def patches(self) -> Iterator[Patch]:
        """All of what is known, in order."""
        for segment in self.segments:
            yield from segment.patches

    @property
    def edits(self) -> Iterator[tuple[Slot, Text]]:
        """The same as edits, with what comes of each slot."""
        for segment in self.segments:
            for slot, pieces in segment.edits:
                text = self._text(slot)
                yield slot._replace(text=text), partial(replaced, text, pieces)

    @property
    def tokens(self) -> set[str]:
        return {token for segment in self.segments for token, *_ in segment.tokens}

    @property
    def stood(self) -> Iterator[tuple[str, str]]:
        """Tokens, and what they stand for in this body."""
        for segment in self.segments:
            for token, slot, start, end in segment.tokens:
                yield token, self._text(slot)[start:end]

    @property
    def numbers(self) -> Iterator[Number]:
        for segment in self.segments:
            for number in segment.numbers:
                yield number._replace(value=self.body.at(number.path))

    def since(self, back: int) -> Contents:
        """What stands in the body behind what is known, and before that in so many segments."""
        slot = self.segments[-1 - back].slot if back < len(self.segments) else None
        return self.body.since(slot) if slot else self.body.contents

    def _text(self, slot: Slot) -> str:
        return str(slot.path[-1]) if slot.kind == "key" else str(self.body.at(slot.path))

    def add(self, segment: Segment) -> None:
        """Remember what follows."""
        following, sign = self.last.following, self._sign()
        if len(following) >= _FOLLOWING:
            following.clear()
        others = [end for end in following.get(sign, ()) if end != segment.end]
        following[sign] = (segment.end, *others[: _WAYS - 1])
        self._names.append(self._name_to(segment.end))
        self._history.keep(self._names[-1], segment)
        self.segments.append(segment)

    def _follow(self) -> bool:
        """Go on to the next segment; False where none is known."""
        if self.last.following:
            for end in self.last.following.get(self._sign(), ()):
                if end <= len(self._content) and (found := self._history.recall(name := self._name_to(end))):
                    self._names.append(name)
                    self.segments.append(found)
                    return True
        return False

    def _name_to(self, end: int) -> bytes:
        """The digest of all up to there, where the next segment ends."""
        return self._history.name(self._names[-1], self._content[self.last.end : end])

    def _sign(self) -> int:
        """Tells stretches that begin behind what is known apart, by bytes that each has."""
        begin, content = self.last.end, self.body.content
        return hash(tuple(content[at : at + _SIGN] for at in (begin + sign for sign in _SIGNS)))


def extend(track: Track, new: Contents, settled: Mapping[int, Settled], *, keep: bool) -> list[Patch]:
    """How the bytes change in what is new, behind what is known. Where `keep` says so, that is remembered,
    but for the last item of a list and for what need not come of it again.

    `settled`, by ordinal, are the slots in which something was found. The body has to be `as_written`.
    """
    find = Finder(track.body.content)
    policy, done, passed = track.last.policy, track.last.end, max(track.ordinal, 0)
    written: list[Patch] = []
    stretch = _Stretch()
    item = _item(new.slots[0]) if new.slots else ()
    for slot in new.slots:
        before, item = item, _item(slot)
        ends = keep and stretch.size >= LEAST and item != before
        known = settled.get(slot.ordinal)
        if ends or (known is not None and known.pieces):
            done, end = find.literal(done, slot.ordinal - passed, slot.text)
            passed = slot.ordinal
            if ends:
                track.add(stretch.segment(policy, done, slot, new, track))
                stretch = _Stretch()
            if known is not None:
                changed = patches(done, end, slot.text, known.pieces)
                written += changed
                stretch.patches += changed
        stretch.size += len(slot.text)
        if known is not None:
            keep = keep and stretch.add(slot, known)
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

    def add(self, slot: Slot, settled: Settled) -> bool:
        """False where it need not come like that again."""
        outcome = settled.outcome
        if outcome is None:
            return False
        place = slot._replace(text="")
        if outcome.pieces:
            self.edits.append(Edit(place, outcome.pieces))
        for start, end, token in outcome.tokens:
            self.tokens.setdefault(token, Stood(token, place, start, end))
        for entity, action, count in outcome.seen:
            self.findings.append(Finding(entity, settled.place, action, count))
        return True

    def segment(self, policy: Dlp, end: int, slot: Slot, new: Contents, track: Track) -> Segment:
        """Up to that slot, which begins there."""
        tokens, since, until = track.tokens, track.ordinal, slot.ordinal
        return Segment(
            policy,
            end,
            slot._replace(text=""),
            tuple(self.edits),
            tuple(self.patches),
            tuple(stood for token, stood in self.tokens.items() if token not in tokens),
            tuple(self.findings),
            tuple(number._replace(value=0) for number in between(new.numbers, since, until)),
            tuple(file.id for file in between(new.files, since, until)),
        )


def between[T: (Number, File)](found: list[T], since: int, until: int) -> list[T]:
    """Of numbers or files, those between two slots, by the ordinals of these."""
    ordinal = attrgetter("ordinal")
    return found[bisect_right(found, since, key=ordinal) : bisect_right(found, until, key=ordinal)]


def _item(slot: Slot) -> tuple[str | int, ...]:
    """The path of the outermost item of a list that a slot stands in."""
    path = slot.path
    return next((path[: n + 1] for n, step in enumerate(path) if isinstance(step, int)), path[:1])


def _weight(segment: Segment) -> int:
    return 1 + len(segment.patches) + len(segment.findings)
