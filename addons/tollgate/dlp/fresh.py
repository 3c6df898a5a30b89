"""What of a body has to be looked at: all of it, or what stands behind that which is known."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from tollgate.calls import Body, Call, Slot
from tollgate.calls.contents import Contents, Number
from tollgate.dlp.history import History, Track, between, may_be_known
from tollgate.dlp.views.joins import reach_back

_ATTESTED = frozenset(("thinking", "reasoningContent", "reasoning_details"))
"""Keys under which text stands that the provider signed, and gets back to the letter."""
_SIGNATURE = "signature"
"""The member beside it that says so. Other servers' thoughts are text as any."""
_BILLING = re.compile(r"x-anthropic-billing-header:(?:\s*\w{1,32}=[\w.:-]{0,32};?){0,16}\s*", re.ASCII)
"""What Claude Code puts first in its system prompt; it may vouch for the rest of the body."""


class Fresh(NamedTuple):
    """What is new in a body."""

    new: Contents
    near: list[Slot]
    """Slots before it, as far as values that were taken apart may begin in them."""
    track: Track | None
    """What is known of the body; None where nothing can be."""

    @property
    def numbers(self) -> list[Number]:
        """The large ones in all of the body."""
        return [*(self.track.numbers if self.track else ()), *self.new.numbers]

    @property
    def size(self) -> int:
        """Characters of text that are new."""
        return sum(len(slot.text) for slot in self.new.slots)

    @property
    def files(self) -> list[str]:
        """The ids of files that the body names."""
        known = (file for segment in self.track.segments for file in segment.files) if self.track else ()
        return [*known, *(file.id for file in self.new.files)]


def fresh(call: Call, history: History) -> Fresh:
    """What is new in a call's body."""
    body = call.request.body
    if not may_be_known(body):
        return all_of(body)
    track = Track(history, body, call.dialect.name, call.policy.dlp)
    back = 0
    while True:
        back += 1
        found = track.since(back)
        slots = without_attested(body, found.slots)
        known = bisect_left(slots, track.ordinal, key=attrgetter("ordinal"))
        if reach_back(slots, known) or back >= len(track.segments):
            behind = track.ordinal, sys.maxsize
            new = Contents(slots[known:], between(found.numbers, *behind), between(found.files, *behind))
            return Fresh(new, slots[:known], track)


def all_of(body: Body) -> Fresh:
    """A body of which nothing is known."""
    slots, numbers, files = body.contents
    return Fresh(Contents(without_attested(body, slots), numbers, files), [], None)


def without_attested(body: Body, slots: Iterable[Slot]) -> list[Slot]:
    """All but text that has to go back to the letter: signed thoughts, and what vouches for the body."""
    free = _ATTESTED.isdisjoint
    return [
        slot
        for slot in slots
        if (free(slot.path) or not _is_signed(body, slot)) and not _BILLING.fullmatch(slot.text)
    ]


def _is_signed(body: Body, slot: Slot) -> bool:
    beside = body.at(slot.path[:-1])
    return type(beside) is dict and type(beside.get(_SIGNATURE)) is str and beside[_SIGNATURE] != ""
