"""Restores the values in an answer: event by event, or whole.

What holds no token, and cannot end in the beginning of one, goes on as the very event that came. In others only
the strings concerned are written anew.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from tollgate.calls import End, Event, Slot
from tollgate.calls.body import count_literals, count_strings, find_slots, splice
from tollgate.dlp.place import Marks, Path, Place, another, kind_of, marks
from tollgate.dlp.places import GENERIC, PLACES
from tollgate.dlp.restore import Restorer, begins
from tollgate.policy.dlp import Dlp

_CONCERNED = re.compile(rb'q(?:zx|z?")', re.IGNORECASE).search
"""A token's brand, or a string that ends with the beginning of it. Nobody escapes letters in JSON."""

_BYTES = re.compile(rb'"bytes":\s*"([^"]*)"').search
_LOGPROBS = frozenset(("logprobs", "logprobsResult"))


class _Held(NamedTuple):
    """An event whose end waits for the next one: the pattern for an event of its own."""

    event: Event
    document: Any
    path: Path
    marks: Marks


class AnswerRestorer:
    """Restores one answer."""

    __slots__ = ("_held", "_known", "_places", "_restorer")

    def __init__(self, dialect: str, known: Mapping[str, str], policy: Dlp) -> None:
        """`known` is token → value, as the call's book has it. Dialects without a table are read as generic."""
        self._places = PLACES.get(dialect, GENERIC)
        self._restorer = Restorer(known, policy.on_mangled)
        self._known = bool(known)
        self._held: dict[Hashable, _Held] = {}

    @property
    def counts(self) -> Counter[str]:
        """How often tokens were "restored", "mended", "mangled" and "unknown"; copies count again."""
        return self._restorer.counts

    def event(self, event: Event) -> list[Event]:
        """What goes on in its place."""
        if not self._known:
            return [event]
        if isinstance(event, End):
            return [*self._flush([()]), event]
        data = self._unwrapped(event)
        if data is None or not (self._held or _CONCERNED(data)):
            return [event]
        return self._restored(event, data)

    def whole(self, body: bytes) -> bytes:
        """A whole answer. What is not JSON is read as plain text."""
        if not self._known or not _CONCERNED(body):
            return body
        try:
            document = orjson.loads(body)
        except ValueError:
            return self._restorer.whole(body.decode(errors="surrogateescape")).encode(
                errors="surrogateescape"
            )
        slots = [slot for slot in find_slots(document, None) if begins(slot.text)]
        return _rewritten(body, document, {slot.ordinal: self._complete(slot, "") for slot in slots})

    # -- one event -----------------------------------------------------------------------------------------

    def _restored(self, event: Event, data: bytes) -> list[Event]:
        try:
            document = orjson.loads(data)
        except ValueError:
            return [*self._flush([()] if data.startswith(b"[DONE]") else []), event]
        kind = kind_of(document, event.name)
        ends = self._places.ends(document, kind)
        edits = {
            slot.ordinal: self._slot(slot, event, document, kind, ends) for slot in self._concerned(document)
        }
        rewritten = _rewritten(data, document, edits)
        changed = event if rewritten is data else self._wrapped(event, rewritten)
        return [*self._flush(ends), changed]

    def _concerned(self, document: Any) -> Iterator[Slot]:
        """The strings to look at: all of them while a text has its end held back."""
        slots = find_slots(document, None)
        return iter(slots) if self._held else (slot for slot in slots if begins(slot.text))

    def _slot(self, slot: Slot, event: Event, document: Any, kind: str, ends: list[Marks]) -> str:
        place = self._places.place(slot.path, kind)
        if slot.kind == "key" or not place.piece:
            return self._complete(slot, kind)
        where = marks(document, slot.path)
        channel = (place.channel or _names(slot.path), kind if not place.channel else "", where)
        return self._piece(slot, place, channel, _Held(event, document, slot.path, where), ends)

    def _piece(self, slot: Slot, place: Place, channel: Hashable, held: _Held, ends: list[Marks]) -> str:
        """What of a piece may go out with its event."""
        assert place.manner != "signed"
        self._held.pop(channel, None)
        text = self._restorer.feed(channel, slot.text, place.manner)
        if place.more and not _beside(held.document, slot.path, place.more) or _ended(held.marks, ends):
            return text + self._restorer.flush(channel)
        if self._restorer.holds(channel):
            self._held[channel] = held
        return text

    def _complete(self, slot: Slot, kind: str) -> str:
        path = slot.path[:-1] if slot.kind == "key" else slot.path
        place = self._places.place(path, kind)
        if place.manner == "signed":
            return slot.text
        return self._restorer.whole(slot.text, place.manner)

    def _flush(self, ends: Iterable[Marks]) -> list[Event]:
        """An event for each text that ends and has something held back."""
        ends = list(ends)
        over = [channel for channel, held in self._held.items() if _ended(held.marks, ends)]
        return [self._event_of(self._held.pop(channel), self._restorer.flush(channel)) for channel in over]

    def _event_of(self, held: _Held, text: str) -> Event:
        payload = another(held.document, held.path, text, self._places)
        name = held.event.name and kind_of(payload, held.event.name)
        made = self._wrapped(held.event, orjson.dumps(payload))
        return Event(made.data, name)

    # -- events within events ------------------------------------------------------------------------------

    def _unwrapped(self, event: Event) -> bytes | None:
        """The model's own event."""
        if not self._places.in_base64 or event.data is None or not (found := _BYTES(event.data)):
            return event.data
        try:
            return b64decode(found[1])
        except ValueError:
            return None

    def _wrapped(self, event: Event, data: bytes) -> Event:
        found = _BYTES(event.data or b"") if self._places.in_base64 else None
        if found is None:
            return event.with_data(data)
        outer = event.data or b""
        return event.with_data(outer[: found.start(1)] + b64encode(data) + outer[found.end(1) :])


def _ended(where: Marks, ends: Iterable[Marks]) -> bool:
    return any(where[: len(end)] == end for end in ends)


def _names(path: Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


def _beside(document: Any, path: Path, name: str) -> bool:
    for step in path[:-1]:
        document = document[step]
    return bool(document.get(name))


def _rewritten(data: bytes, document: Any, texts: Mapping[int, str]) -> bytes:
    """The same JSON with these strings in their places; the very bytes where none is another."""
    before = dict(enumerate(_strings(document))) if texts else {}
    edits = {ordinal: text for ordinal, text in texts.items() if text != before[ordinal]}
    if not edits:
        return data
    if count_strings(document) != count_literals(data):  # a key stands there twice: keep what parsers keep
        data = orjson.dumps(document)
    data = splice(data, edits)
    return orjson.dumps(_without_logprobs(orjson.loads(data))) if b'"logprobs' in data else data


def _strings(document: Any) -> Iterator[str]:
    return (slot.text for slot in find_slots(document, None))


def _without_logprobs(node: Any) -> Any:
    """Log probabilities are told token by token, of a text that is no longer the same."""
    if isinstance(node, list):
        return [_without_logprobs(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: ([] if isinstance(value, list) else None) if key in _LOGPROBS else _without_logprobs(value)
        for key, value in node.items()
    }
