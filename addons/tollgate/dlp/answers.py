"""Looks into an answer: event by event, or whole.

While a text may still turn out to be something, the events that carry it wait, and all that come behind them.
An event that nothing was found in goes on as it came; in any other, only the strings concerned are written
anew. What a provider says twice (the Responses API repeats all its texts) is judged once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from hashlib import blake2b
from typing import Any

import orjson

from tollgate.calls import End, Event, Slot
from tollgate.calls.contents import find_slots
from tollgate.dlp.channel import Channel, Edit, Waiting, edited
from tollgate.dlp.place import Marks, Place, ended, goes_on, kind_of, marks, names
from tollgate.dlp.places import GENERIC, INPUT, PLACES
from tollgate.dlp.reader import Reader, Seen, read_whole
from tollgate.dlp.rewrite import rewrite, unwrap, wrap
from tollgate.dlp.running import Running, RunningJson
from tollgate.dlp.screen import Screen
from tollgate.dlp.span import Span
from tollgate.dlp.written import key_at, long_numbers, written

_REMEMBERED = 1024
"""Characters from which on a text is remembered though nothing was found in it, to save a second look."""
_WHERE = {
    "text": "the answer's text",
    "input": "a tool call of the answer",
    "json": "a tool call of the answer",
    "signed": "a signed thought of the answer",
}

type _Look = Callable[[str, str], list[Span]]


class AnswerScreen:
    """Looks into one answer, before its tokens are restored."""

    def __init__(self, dialect: str, screen: Screen) -> None:
        """A dialect without a table is generic."""
        self._places = PLACES.get(dialect, GENERIC)
        self.screen = screen
        self._holds = screen.holds
        self._channels: dict[tuple[str, Marks], Channel] = {}
        self._queue: deque[Waiting] = deque()
        self._judged: dict[tuple[str, bytes], list[Edit]] = {}
        """Texts that were complete already: how they are read, and their digest."""

    def event(self, event: Event) -> list[Event]:
        """What goes on now. Refused where something is blocked."""
        if isinstance(event, End):
            self._finish(list(self._channels))
            return [*self._released(), event]
        waiting = Waiting(event)
        self._queue.append(waiting)
        self._read(waiting)
        return self._released()

    def whole(self, body: bytes) -> bytes:
        """A whole answer; what is not JSON is read as plain text. It may take long. Refused where something
        is blocked."""
        try:
            document = orjson.loads(body)
        except ValueError:
            return self._plain(body)
        look = self.screen.look_well
        body, edits = self._numbers(body, document, "", look), dict[int, str]()
        for slot in find_slots(document, None):
            if place := written(self._places, slot, ""):
                self._whole(slot, place, edits, look)
        return rewrite(body, document, edits)

    def _plain(self, body: bytes) -> bytes:
        try:
            text = body.decode()
        except UnicodeDecodeError:
            return body  # sound, pictures, files
        edits: dict[int, str] = {}
        self._whole(Slot(0, text, "text", ()), Place("text"), edits, self.screen.look_well)
        return edits[0].encode() if edits else body

    # -- events --------------------------------------------------------------------------------------------

    def _read(self, waiting: Waiting) -> None:
        event = waiting.event
        data = (unwrap(event) if self._places.in_base64 else event.data) or b""
        try:
            document = orjson.loads(data)
        except ValueError:
            if data.startswith(b"[DONE]"):
                self._finish(list(self._channels))
            return
        kind = kind_of(document, event.name)
        waiting.came = data
        waiting.data, waiting.document = self._numbers(data, document, kind, self.screen.look), document
        self._strings(waiting, kind)

    def _strings(self, waiting: Waiting, kind: str) -> None:
        """Pieces first, then what ends, then what is complete: it may say again what ends with it."""
        complete: list[tuple[Slot, Place]] = []
        for slot in find_slots(waiting.document, None):
            place = written(self._places, slot, kind)
            if place is None:
                continue
            if (place.piece or place.manner == "signed") and slot.kind != "key":
                self._piece(waiting, slot, place, kind)
            else:
                complete.append((slot, place))
        ends = self._places.ends(waiting.document, kind)
        self._finish([name for name, channel in self._channels.items() if ended(channel.marks, ends)])
        for slot, place in complete:
            self._overtake(None, len(slot.text))
            self._whole(slot, place, waiting.edits, self.screen.look)

    def _piece(self, waiting: Waiting, slot: Slot, place: Place, kind: str) -> None:
        where = marks(waiting.document, slot.path)
        name = place.channel or f"{kind}:{names(slot.path)}", where
        channel = self._channels.get(name) or self._opened(name, place)
        stays = not self._holds or place.manner == "signed"
        channel.take(slot, None if stays else waiting)
        self._decide(channel, channel.reader.feed(slot.text))
        self._overtake(channel, len(slot.text))
        if not goes_on(waiting.document, slot.path, place):
            self._finish([name])

    def _opened(self, name: tuple[str, Marks], place: Place) -> Channel:
        text = _running(place)
        reader = Reader(text, self.screen.look, self.screen.window)
        channel = self._channels[name] = Channel(reader, text, place, name[1])
        return channel

    def _overtake(self, by: Channel | None, length: int) -> None:
        """Judge texts that do not seem to go on, though nobody said that they ended: a model that calls tools
        said before what it had to say."""
        for channel in self._channels.values():
            if channel is not by and channel.pieces:
                channel.overtaken += length
                if channel.overtaken >= self.screen.window:
                    channel.overtaken = 0
                    self._decide(channel, channel.reader.catch_up())

    def _decide(self, channel: Channel, found: Iterable[Seen]) -> None:
        for seen in found:
            channel.edits += self._edits(seen, channel.text, channel.place)
        channel.settle()

    def _finish(self, ended: Iterable[tuple[str, Marks]]) -> None:
        for name in ended:
            channel = self._channels.pop(name)
            self._decide(channel, channel.reader.finish())
            self._judged[_read_as(channel.place), channel.digest.digest()] = channel.edits

    def _released(self) -> list[Event]:
        out = []
        while self._queue and not self._queue[0].open:
            out.append(self._made(self._queue.popleft()))
        return out

    def _made(self, waiting: Waiting) -> Event:
        event, came = waiting.event, waiting.came
        data = rewrite(waiting.data, waiting.document, waiting.edits)
        if data is came:
            return event
        return event.with_data(wrap(event, data) if self._places.in_base64 else data)

    # -- strings -------------------------------------------------------------------------------------------

    def _whole(self, slot: Slot, place: Place, edits: dict[int, str], look: _Look) -> None:
        """Look into a string that is complete."""
        name = _read_as(place), blake2b(slot.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        found = self._judged.get(name)
        if found is None:
            text = _running(place)
            key = "" if slot.kind == "key" else key_at(slot.path)
            seen = read_whole(text, slot.text, lambda content: look(content, key))
            found = [edit for one in seen for edit in self._edits(one, text, place)]
            if seen or len(slot.text) >= _REMEMBERED:
                self._judged[name] = found
        if found:
            edits[slot.ordinal] = edited(slot.text, found)

    def _numbers(self, data: bytes, document: Any, kind: str, look: _Look) -> bytes:
        """The payload, without what was found in a tool's input as a number. The document is changed, too."""
        changed = False
        for node, step, path in long_numbers(data, document):
            place, text = self._places.place(path, kind), str(node[step])
            if place.manner == "input":
                edits: dict[int, str] = {}
                self._whole(Slot(0, text, "text", path), INPUT, edits, look)
                if edits:
                    node[step], changed = edits[0], True
        return orjson.dumps(document) if changed else data

    def _edits(self, seen: Seen, text: Running, place: Place) -> list[Edit]:
        """What a finding has to change in what came: all of it has one stand-in, where it begins."""
        signed = place.manner == "signed"
        stand_in = self.screen.stand_in(seen.span, seen.value, _WHERE[place.manner], signed=signed)
        if stand_in is None:
            return []
        return [
            Edit(stretch.start, stretch.end, text.written("" if n else stand_in, stretch))
            for n, stretch in enumerate(seen.stretches)
        ]


def _read_as(place: Place) -> str:
    return "text" if place.manner == "input" else place.manner


def _running(place: Place) -> Running:
    return RunningJson() if place.manner == "json" else Running()
