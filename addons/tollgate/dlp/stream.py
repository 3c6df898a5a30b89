"""Restores the values in an answer: event by event, or whole.

What holds no token, and cannot end in the beginning of one, goes on as the very event that came. In any
other, only the strings concerned are written anew.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import orjson

from tollgate.calls import End, Event, Slot
from tollgate.calls.contents import find_slots
from tollgate.dlp.place import Marks, Path, Place, another, ended, goes_on, kind_of, marks, names
from tollgate.dlp.places import GENERIC, PLACES
from tollgate.dlp.restore import Restorer, begins
from tollgate.dlp.rewrite import rewrite, unwrap, wrap
from tollgate.policy.dlp import Dlp

_CONCERNED = re.compile(rb'q(?:zx|z?")', re.IGNORECASE).search
"""A token's brand, or a string that ends with the beginning of it. Nobody escapes letters in JSON."""


class _Seen(NamedTuple):
    """An event as it is worked on."""

    event: Event
    document: Any
    kind: str
    ends: list[Marks]
    """Which texts end with it."""


class _Held(NamedTuple):
    """Where a piece stood whose end waits for the next: the pattern for an event of its own."""

    seen: _Seen
    path: Path
    marks: Marks


type _Channel = tuple[str, Marks]

_FILE = "file"
"""The channel of a file."""
_DECODER = getincrementaldecoder("utf-8")


class AnswerRestorer:
    """Restores one answer."""

    __slots__ = ("_decoder", "_held", "_places", "_restorer", "known")

    def __init__(self, dialect: str, known: Mapping[str, str], policy: Dlp) -> None:
        """`known` is token → value, as the call's book has it. A dialect without a table is generic."""
        self._places = PLACES.get(dialect, GENERIC)
        self._restorer = Restorer(known, policy.on_mangled)
        self.known = bool(known)
        """Whether there is anything to restore."""
        self._held: dict[_Channel, _Held] = {}
        self._decoder = _DECODER("surrogateescape")

    @property
    def counts(self) -> Counter[str]:
        """How often tokens were "restored", "mended", "mangled" and "unknown"; copies count again."""
        return self._restorer.counts

    def spare(self, tokens: Iterable[str]) -> None:
        """Tokens that are to stay."""
        self._restorer.spare(tokens)

    def event(self, event: Event) -> list[Event]:
        """What goes on in its place."""
        if not self.known:
            return [event]
        if isinstance(event, End):
            return [*self._flush([()]), event]
        data = unwrap(event) if self._places.in_base64 else event.data
        if data is None or not (self._held or self._restorer.follows or _CONCERNED(data)):
            return [event]
        return self._restored(event, data)

    def file(self, event: Event) -> list[Event]:
        """The same for a piece of a file, which is in no framing: a batch's results, a transcript."""
        ending = isinstance(event, End)
        text = self._restorer.feed(_FILE, self._decoder.decode(event.data or b"", ending))
        if ending:
            text += self._restorer.flush(_FILE)
        data = text.encode(errors="surrogateescape")
        if data == event.data:
            return [event]
        pieces = [Event(data, raw=data)] if data else []
        return [*pieces, event] if ending else pieces

    def whole(self, body: bytes) -> bytes:
        """A whole answer. What is not JSON is read as plain text."""
        if not self.known or not _CONCERNED(body):
            return body
        try:
            document = orjson.loads(body)
        except ValueError:
            return self._plain(body)
        return rewrite(body, document, self._edits(_Seen(Event(body), document, "", [()])))

    def _plain(self, body: bytes) -> bytes:
        text = body.decode(errors="surrogateescape")
        return self._restorer.whole(text).encode(errors="surrogateescape")

    def _restored(self, event: Event, data: bytes) -> list[Event]:
        try:
            document = orjson.loads(data)
        except ValueError:
            return [*self._flush([()] if data.startswith(b"[DONE]") else []), event]
        kind = kind_of(document, event.name)
        seen = _Seen(event, document, kind, self._places.ends(document, kind))
        rewritten = rewrite(data, document, self._edits(seen))
        changed = event if rewritten is data else self._made(event, rewritten)
        return [*self._flush(seen.ends), changed]

    def _edits(self, seen: _Seen) -> dict[int, str]:
        """What the strings become that change, by their ordinals."""
        edits: dict[int, str] = {}
        for slot in find_slots(seen.document, None):
            if self._held or self._restorer.follows or begins(slot.text):
                text = self._slot(slot, seen)
                if text != slot.text:
                    edits[slot.ordinal] = text
        return edits

    def _slot(self, slot: Slot, seen: _Seen) -> str:
        """What becomes of a string now."""
        path = slot.path[:-1] if slot.kind == "key" else slot.path
        place = self._places.place(path, seen.kind)
        if place.manner == "signed":
            return slot.text
        if place.piece and slot.kind != "key":
            return self._piece(slot, seen, place)
        return self._restorer.whole(slot.text, place.manner)

    def _piece(self, slot: Slot, seen: _Seen, place: Place) -> str:
        """What of a piece may go out now, with what was held back before it."""
        assert place.manner != "signed"
        held = _Held(seen, slot.path, marks(seen.document, slot.path))
        channel = (place.channel or f"{seen.kind}:{names(slot.path)}", held.marks)
        self._held.pop(channel, None)
        text = self._restorer.feed(channel, slot.text, place.manner)
        if ended(held.marks, seen.ends) or not goes_on(seen.document, slot.path, place):
            return text + self._restorer.flush(channel)
        if self._restorer.holds(channel):
            self._held[channel] = held
        return text

    def _flush(self, ends: Iterable[Marks]) -> list[Event]:
        """An event for each text that ends and has something held back."""
        over = [channel for channel, held in self._held.items() if ended(held.marks, ends)]
        return [self._rest(self._held.pop(channel), self._restorer.flush(channel)) for channel in over]

    def _rest(self, held: _Held, text: str) -> Event:
        payload = another(held.seen.document, held.path, text, self._places)
        event = self._made(held.seen.event, orjson.dumps(payload))
        if event.name and not self._places.in_base64:
            event.name = kind_of(payload, event.name)
        return event

    def _made(self, event: Event, data: bytes) -> Event:
        return event.with_data(wrap(event, data) if self._places.in_base64 else data)
