"""The way of a call down through the addons and back up, and the one place where a failing room is caught.

mitmproxy logs a raising hook and lets the request go on; a raising stream callable hangs the client. So
whatever a room raises here becomes a refusal, nothing leaves, and the trail names the room.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from tollgate.calls import HOOKS, Answer, Call, CallError, End, Event, Failed, Refused, Verdict
from tollgate.gate.guards import log_failure
from tollgate.store import StateError


@dataclass(frozen=True, slots=True)
class Room:
    """An addon that takes part in calls, with the hooks it has, in the order of `HOOKS`."""

    name: str
    addon: object
    request: Any = None
    event: Any = None
    response: Any = None
    end: Any = None
    head: Any = None
    failed: Any = None

    @property
    def last(self) -> bool:
        """True for the one that stands nearest the provider."""
        return bool(getattr(self.addon, "llm_last", False))


def rooms_of(addons: Iterable[object]) -> tuple[Room, ...]:
    """The addons that have an LLM hook, in order; one that says `llm_last` stands nearest the provider."""
    found = [a for a in addons if any(callable(getattr(a, hook, None)) for hook in HOOKS)]
    rooms = [Room(name_of(a), a, *(getattr(a, hook, None) for hook in HOOKS)) for a in found]
    return tuple(sorted(rooms, key=lambda room: room.last))


def name_of(addon: object) -> str:
    """An addon's name by mitmproxy's rule: its `name`, else its class in lower case."""
    return str(getattr(addon, "name", type(addon).__name__.lower()))


class Walk:
    """One call's walk. `passed` are the rooms it went through, and goes back through, in reverse."""

    def __init__(self, call: Call, rooms: Sequence[Room]) -> None:
        self.call = call
        self.rooms = rooms
        self.passed: list[Room] = []
        self._broken: set[str] = set()
        self._events: list[Room] = []

    async def down(self) -> None:
        """Ask each room in turn until one sets `call.answer`. CallError where one says no or fails."""
        try:
            await self._ask()
        except Failed as error:
            if not await self._stand_in(error):
                raise
        self._events = [r for r in reversed(self.passed) if r.event is not None]

    async def _ask(self) -> None:
        for room in self.rooms:
            if room.request is not None:
                with _Guard(self, room):
                    await room.request(self.call)
            if self.call.answer is not None:
                break
            self.passed.append(room)

    async def _stand_in(self, error: Failed) -> bool:
        """True where a room that was passed has an answer in place of the failure; it goes up from there."""
        for number in reversed(range(len(self.passed))):
            room = self.passed[number]
            if room.failed is not None:
                with _Guard(self, room):
                    await room.failed(self.call, error)
            if self.call.answer is not None:
                del self.passed[number:]
                return True
        return False

    def head(self, answer: Answer) -> None:
        """Show the head of a streamed answer to each room that was passed."""
        for room in reversed(self.passed):
            if room.head is not None and room.name not in self._broken:
                with _Guard(self, room):
                    room.head(self.call, answer)

    async def up(self, answer: Answer) -> None:
        """Show a whole answer to each room that was passed."""
        for room in reversed(self.passed):
            if room.response is not None and room.name not in self._broken:
                with _Guard(self, room):
                    await room.response(self.call, answer)

    @property
    def plain(self) -> bool:
        """True where no room has to see events: bytes can go through as they are."""
        return not self._events

    def event(self, event: Event) -> list[Event]:
        """Show an event to each room that was passed; gives what goes to the client in its place."""
        events = [event]
        for room in self._events:
            if room.name not in self._broken:
                events = self._through(room, events)
        return events

    def _through(self, room: Room, events: list[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            guard = _Guard(self, room)
            with guard:
                out += list(room.event(self.call, event))  # all or nothing, where it fails half-way
            if guard.failed:
                out.append(event)
        if events and isinstance(events[-1], End) and not (out and isinstance(out[-1], End)):
            out.append(events[-1])  # a room may swallow an event, but not the end
        return out

    def end(self) -> None:
        """Tell every room that the call is over, the last one first, whether it was passed or not."""
        for room in reversed(self.rooms):
            if room.end is not None:
                with _Guard(self, room, harmless=True):
                    room.end(self.call)

    def failed(self, room: Room, error: Exception) -> Refused | None:
        """Note that a room failed; gives the refusal that follows, or None where the call goes on. Only the
        words of a StateError are meant for people: those of others may hold anything."""
        self._broken.add(room.name)
        self.call.verdicts.append(Verdict(room.name, "error", type(error).__name__, "room_failed"))
        log_failure(f"The {room.name} room", error)
        if any(name == room.name and choice == "open" for name, choice in self.call.policy.on_error.items()):
            return None
        why = str(error).rstrip(".") if isinstance(error, StateError) else type(error).__name__
        message = f"Tollgate refused this call because its {room.name} room failed ({why})."
        return Refused(message, code="room_failed", always=True)

    def refused(self, room: Room, error: CallError) -> bool:
        """Note that a room said no; True where it counts."""
        observed = isinstance(error, Refused) and self.call.policy.mode == "observe" and not error.always
        action = "observe" if observed else error.action
        self.call.verdicts.append(Verdict(room.name, action, error.record, error.code))
        return not observed


class _Guard:
    """Around every hook of a room. `harmless`: the call is over, so a failure is only noted."""

    __slots__ = ("failed", "harmless", "room", "walk")

    def __init__(self, walk: Walk, room: Room, *, harmless: bool = False) -> None:
        self.walk = walk
        self.room = room
        self.harmless = harmless
        self.failed = False

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        self.failed = True
        if self.harmless:
            log_failure(f"The {self.room.name} room", error)
            return True
        if isinstance(error, CallError):
            return not self.walk.refused(self.room, error)
        if refusal := self.walk.failed(self.room, error):
            raise refusal from None
        return True
