"""Identical calls that are under way share one call to the provider.

The first is the leader: it goes on as any other call does, and what comes back for it is shared as it comes.
Its client may leave; the call goes on while others want the answer. Where it brings no answer to share, the
others make their own calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from tollgate.calls import Answer, Audience, Call, End, Event, Headers


@dataclass(slots=True)
class Head:
    """What an answer begins with; all of it where it is whole. Nobody changes it."""

    status: int
    headers: Headers
    framing: str = ""
    body: bytes = b""


class Flight:
    """A call under way, as those see it who share its answer."""

    __slots__ = ("_begun", "_events", "_head", "_more", "leader", "over")

    def __init__(self, leader: Call) -> None:
        self.leader = leader
        self.over = False
        """True once all of the answer is here, or nothing more will come."""
        self._begun = False
        self._head: Head | None = None
        self._events: list[Event] = []
        self._more: asyncio.Event | None = None
        """Made by who waits: most calls are shared by nobody."""

    # -- the leader's side -----------------------------------------------------------------------------------

    def begin(self, head: Head | None) -> None:
        """The answer's head is here; None where there is nothing to share."""
        if not self._begun:
            self._begun, self._head = True, head
            self.over = head is None or not head.framing
            self._wake()

    def add(self, event: Event) -> None:
        """The next event, its `End` too."""
        self._events.append(event)
        if isinstance(event, End):
            self.over = True
        self._wake()

    def end(self) -> None:
        """Nothing more will come. A stream that was not ended by then broke off."""
        self._begun = True
        if not self.over:
            self.over = True
            self._events.append(End("the call that was shared broke off"))
        self._wake()

    def _wake(self) -> None:
        if self._more is not None:
            self._more.set()
            self._more = None

    async def _wait(self) -> None:
        """Until something comes."""
        if self._more is None:
            self._more = asyncio.Event()
        await self._more.wait()

    # -- the others' side ------------------------------------------------------------------------------------

    async def share(self, call: Call) -> Answer | None:
        """The answer, once its head is here; None where there is none to share."""
        audience = self.leader.audience
        audience.join()
        try:
            while not self._begun:
                await self._wait()
        except asyncio.CancelledError:
            audience.leave()
            raise
        head = self._head
        if head is None:
            return None
        events = Following(self, call, audience) if head.framing else None
        if events is None:
            call.usage, call.answered_model = self.leader.usage, self.leader.answered_model
        return Answer(head.status, head.headers.copy(), head.body, events, head.framing, source="cache")

    async def after(self, number: int) -> Sequence[Event]:
        """The events from that one on, once there is one; none where all were given."""
        while number >= len(self._events) and not self.over:
            await self._wait()
        return self._events[number:]


class Following:
    """The events of a flight, for one call."""

    __slots__ = ("_audience", "_call", "_flight", "_given")

    def __init__(self, flight: Flight, call: Call, audience: Audience) -> None:
        self._flight = flight
        self._call = call
        self._audience: Audience | None = audience
        self._given = 0

    def __aiter__(self) -> Following:
        return self

    async def __anext__(self) -> Sequence[Event]:
        events = await self._flight.after(self._given)
        if not events:
            raise StopAsyncIteration
        self._given += len(events)
        leader = self._flight.leader
        self._call.usage, self._call.answered_model = leader.usage, leader.answered_model
        return events

    async def aclose(self) -> None:
        """Leave. The call that is shared is given up if nobody else is left."""
        if self._audience is not None and not self._flight.over:
            self._audience.leave()
        self._audience = None
