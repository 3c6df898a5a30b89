"""What comes back for a call."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from multidict import CIMultiDict

from tollgate.calls.event import Event

type Headers = CIMultiDict[str]


class Events(Protocol):
    """Batches of events, as an async generator gives them: what arrived together travels together, so that it
    costs one write. Whoever takes them from the call closes them, also when the client leaves."""

    def __aiter__(self) -> AsyncIterator[Sequence[Event]]: ...

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class Answer:
    """What comes back for a call, in the client's own dialect: whole (`body`) or streamed (`events`)."""

    status: int
    headers: Headers = field(default_factory=CIMultiDict)
    body: bytes = b""
    """A whole answer, content-encoding already undone; empty while `events` is set."""
    events: Events | None = None
    """A streamed answer."""
    framing: str = ""
    """How `events` are written on the wire: a name in `dialects.FRAMINGS`; empty for a whole answer."""
    source: str = "provider"
    """Who gave it: "provider", "cache", "refusal" or "error"."""
    _read: tuple[bytes, Any] | None = field(default=None, init=False, repr=False, compare=False)
    """What stands in which body."""

    @property
    def streamed(self) -> bool:
        return self.events is not None

    def json(self) -> Any:
        """The whole body as JSON, parsed once; do not change it in place. ValueError where it is not JSON."""
        if self._read is None or self._read[0] is not self.body:
            self._read = self.body, orjson.loads(self.body)
        return self._read[1]
