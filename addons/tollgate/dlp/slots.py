"""What becomes of the slots of a JSON body. What was treated before is known: see `history`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import chain

from tollgate.calls import Body, Slot
from tollgate.calls.body import Text
from tollgate.calls.contents import Path
from tollgate.calls.contents import place_of as path_as_place
from tollgate.calls.literals import patched
from tollgate.dlp.examine import Examiner
from tollgate.dlp.fresh import Fresh, all_of
from tollgate.dlp.history import Settled, Track, extend
from tollgate.dlp.redact import replaced
from tollgate.dlp.settle import Settling, Where
from tollgate.dlp.span import Span
from tollgate.dlp.stubs import Strings
from tollgate.dlp.views.joins import is_address, joins

_NEVER_APART = frozenset(("IP_ADDRESS",))
"""What nobody takes apart over messages, but the end of one number and the beginning of another make."""
_ADDRESS = "EMAIL_ADDRESS"
_REST_OF_KEY = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{8,}")
"""What the second half of a key has, but words, dates and paths have not: letters and digits, mixed."""

type Part = tuple[Slot, int, int]
"""A part of a value: the slot, and from where to where in its text."""

_REMOVED = "[removed]"
"""Stands for a text that is gone as a whole: APIs refuse texts that are empty, or blank."""


def treat_slots(body: Body, fresh: Fresh, examiner: Examiner, settling: Settling) -> Body | None:
    """The body as it leaves; None where nothing in it changes, or it must not leave. `settling` is new, and
    knows then what was found."""
    if fresh.track is not None and settling.steady:
        made = _Slots(body, fresh, examiner, settling)
        if settling.again(fresh.track) and made.joins():
            made.slots()
            return made.body(fresh.track)
        settling.forget()
    made = _Slots(body, all_of(body), examiner, settling)
    made.joins()
    made.slots()
    return made.body(None)


class _Slots:
    """The slots of one body that have to be looked at."""

    def __init__(self, body: Body, fresh: Fresh, examiner: Examiner, settling: Settling) -> None:
        self._body = body
        self._near, self._new = fresh.near, fresh.new
        self._examiner = examiner
        self._settling = settling
        self._edits: list[tuple[Slot, Text]] = []
        self._settled: dict[int, Settled] = {}
        """By ordinal: slots in which something was found."""
        self._pieces: dict[int, list[Span]] = {}
        """By ordinal: the parts of values that several slots make together, where they are to go."""
        self._keys: set[Path] = set()
        """Keys in which something was found."""
        self._strings: Strings | None = None
        self._joined = self._stubbed = False
        """Whether there was a value in several slots, or a slot whose change is not that of its findings."""

    def joins(self) -> bool:
        """Look for values that are taken apart, the last part in a new slot. False where a part in one of
        those before has to go."""
        slots = self._new.slots
        for join in joins([*self._near, *slots], len(self._near)):
            for span in self._settling.resolved(self._examiner.joined(join.text, self._settling.budget)):
                pieces = join.spans(span.start, span.end)
                if len(pieces) < 2 or not _taken_apart(span.entity, pieces) or self._whole(span, pieces):
                    continue  # it is found in its slot as well, or is none
                self._joined = True
                place = " and ".join(place_of(slot) for slot, _, _ in pieces)
                if self._settling.cannot_stay(span, place):
                    for slot, start, end in pieces:
                        self._pieces.setdefault(slot.ordinal, []).append(span._replace(start=start, end=end))
        return not self._pieces or min(self._pieces) >= slots[0].ordinal

    def _whole(self, value: Span, pieces: Collection[Part]) -> bool:
        """Whether one slot holds all of a value, as surely, and the others add but what stands next to it: a
        file that ends with a key, and the text behind it."""
        return any(
            self._holds(piece, value.score)
            and not any(_REST_OF_KEY.search(slot.text, *at) for slot, *at in pieces if slot is not piece[0])
            for piece in pieces
        )

    def _holds(self, piece: Part, score: float) -> bool:
        slot, start, end = piece
        found = self._examiner.text(slot.text, slot.kind, key_of(slot), self._settling.budget)
        spans = (each.span for each in found if each.direct)
        return any(span.start <= start and end <= span.end and span.score >= score for span in spans)

    def slots(self) -> None:
        """Settle the slots."""
        for slot in self._new.slots:
            sight = self._examiner.sight(slot.text, slot.kind, key_of(slot), self._settling.budget)
            dropped = self._pieces.get(slot.ordinal)
            if not (sight.found or dropped):
                continue
            if slot.kind == "key":
                self._keys.add(slot.path)
            where = Where(place_of(slot, self._keys), key_of(slot), slot.kind == "json")
            if dropped:
                changes = self._settling.changes(slot.text, sight.found, where, dropped)
                settled = Settled(where.place, changes, None)
            else:
                settled = self._settling.known(slot.text, sight, where)
            self._settled[slot.ordinal] = settled
            gone = any(not piece.text for piece in settled.pieces)
            self._edit(slot, replaced(slot.text, settled.pieces), gone=gone)

    def _edit(self, slot: Slot, text: str, *, gone: bool) -> None:
        """Note another text for a slot; in the place of what is gone as a whole stands something else."""
        if text == slot.text:
            return
        if gone and (slot.kind == "blob" or not text or text.startswith("data:")):
            self._strings = self._strings or Strings(self._body.json)
            if stub := list(self._strings.stub(slot)):
                self._stubbed = True
                self._edits += stub
                return
        if slot.kind == "text" and not text.strip():
            text, self._stubbed = _REMOVED, True
        self._edits.append((slot, text))

    def body(self, track: Track | None) -> Body | None:
        """The body as it leaves, written at once, while this is no work of the event loop's."""
        if self._settling.stuck is not None:
            return None
        edited = self._body.copy()
        edits: Iterable[tuple[Slot, Text]] = chain(track.edits if track else (), self._edits)
        if track is None or self._stubbed:
            for slot, text in edits:
                edited.edit(slot, text)
        else:
            changes = list(track.patches)
            changes += extend(track, self._new, self._settled, keep=not self._joined)
            if changes:
                edited.edit_all(edits, patched(self._body.content, changes))
        edited.render()
        return edited if edited.edited else None


def _taken_apart(entity: str, pieces: Iterable[Part]) -> bool:
    """Whether these may be parts of one value. Where one of them is an address, what stands before it is not:
    "user", "bob@acme.com"."""
    if entity in _NEVER_APART:
        return False
    return entity != _ADDRESS or not any(is_address(slot.text[start:end]) for slot, start, end in pieces)


def key_of(slot: Slot) -> str:
    """The JSON key under which a slot stands; empty for a key, and where there is none."""
    if slot.kind == "key":
        return ""
    return next((name for name in reversed(slot.path) if isinstance(name, str)), "")


def place_of(slot: Slot, unnamed: Collection[Path] = ()) -> str:
    """Where a slot stands, for a person. Neither the key that it is itself is told, nor those above it that
    must not be named."""
    path = slot.path[:-1] if slot.kind == "key" else slot.path
    steps = (("" if path[: n + 1] in unnamed else step) for n, step in enumerate(path)) if unnamed else path
    place = path_as_place(tuple(steps)) or "the body"
    return f"a key of {place}" if slot.kind == "key" else place
