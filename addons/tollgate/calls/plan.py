"""Where a call may go: the plan that `routing` writes and `upstream` walks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, Protocol

from tollgate.calls.answer import Headers
from tollgate.calls.event import Event

if TYPE_CHECKING:
    from tollgate.calls.call import Call, Request
    from tollgate.dialects import Dialect
    from tollgate.policy.routing import Breaker, Limits

SAME = "same"
"""The target that is always there: where the client wanted to go, by its own key."""
CLIENT = "client"
"""In place of a credential's name: the client's own."""


class Translator(Protocol):
    """The events of a target's stream in, those for the client out; one in gives what it gives, at once."""

    def feed(self, event: Event) -> list[Event]: ...

    def close(self) -> list[Event]:
        """The target's stream has ended."""


class WayBack(Protocol):
    """Brings a target's answer into the client's dialect. ValueError for one that is none of its dialect."""

    def answer(self, status: int, headers: Headers, body: bytes) -> tuple[int, Headers, bytes]: ...

    def events(self, headers: Headers) -> Translator: ...


@dataclass(slots=True)
class Leg:
    """A call as one target is to have it, without the key that belongs to it."""

    request: Request
    dialect: Dialect
    """How the target speaks."""
    params: Mapping[str, str]
    """What the request's path says, as `Call.params`."""
    back: WayBack | None = None
    """None where the target speaks as the client does."""
    losses: tuple[str, ...] = ()
    """What the target cannot express, and where it stood; never values."""


@dataclass(slots=True)
class Standing:
    """How a target does with one model, as calls have seen it. Written by `upstream`, read by `routing`."""

    busy: int = 0
    """Calls that are under way."""
    first_token: float | None = None
    """Moving average of the seconds until an answer begins; None before the first."""
    failures: int = 0
    """How many in a row failed."""
    closed_at: float = 0.0
    """While failures are too many: when it is tried again, in seconds on the monotonic clock."""
    probing: bool = False
    """True while one call finds out whether it works again."""


@dataclass(slots=True)
class Checkup:
    """How a target does, as the policy's checks have seen it. Written by `upstream`, read by `routing`."""

    failures: int = 0
    """How many in a row failed."""
    problem: str = ""
    """Why it is left alone; empty while it is not."""
    passed_at: float = -inf
    """When the last check that passed was sent, in seconds on the monotonic clock."""
    changed_at: float | None = None
    """When it last was left alone or taken back; None for one that never was."""


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """Where a call may go, and how it gets there."""

    name: str
    """As the policy calls it, or "same"."""
    provider: str
    host: str
    model: str
    """As the target calls it; empty where the request names none."""
    render: Callable[[Call], Leg]
    """Refused where the call cannot be sent there. Long bodies take long: run it in a thread."""
    limits: Limits
    breaker: Breaker
    credentials: tuple[str, ...] = ()
    """The policy's credentials to use, the first that is free; none for a target that asks for no key."""
    standing: Standing = field(default_factory=Standing)
    checkup: Checkup | None = None
    """None for one that nobody checks."""
