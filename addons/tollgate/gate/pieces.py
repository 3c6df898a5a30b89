"""Answers as bytes: streamed events through the rooms, and errors in the client's own dialect. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from multidict import CIMultiDict

from tollgate.calls import Answer, Call, CallError, End, Event
from tollgate.dialects import FRAMINGS
from tollgate.gate.walk import Walk

CALL_ID = "x-tollgate-call-id"
"""On refusals and errors only, so that a person can find the call in the trail."""


class Pieces:
    """Takes batches of events on their way up, gives the bytes for the client."""

    def __init__(self, walk: Walk, framing: str) -> None:
        self._walk = walk
        self._framing = framing
        self._encode = FRAMINGS[framing].encoder().encode
        self.error = ""
        """Why the stream broke off; empty while all is well."""

    def up(self, batch: Sequence[Event]) -> bytes:
        """The bytes of one batch. A piece without data (a keep-alive) is not shown to rooms."""
        out: list[bytes] = []
        for event in batch:
            ending = isinstance(event, End)
            if ending:
                self.error = event.error  # type: ignore[attr-defined]  # mypy does not narrow by a name
            if self._walk.plain or (event.data is None and not ending):
                out.append(self._encode(event))
            else:
                out.extend(self._encode(e) for e in self._walk.event(event))
        self._walk.call.events_out += len(batch)
        return b"".join(out)

    def broken_off(self, error: CallError) -> bytes:
        """The end of a stream that cannot go on, in the dialect; nothing where the framing has no way."""
        if self._framing == "raw":
            return b""
        call = self._walk.call
        events = call.dialect.error_events(error.message, error.code, call.id)
        return b"".join(map(self._encode, [*events, End()]))


def error_answer(call: Call, error: CallError) -> Answer:
    """An error before the first byte, with the dialect's own body, so that SDKs and CLIs show it well."""
    dialect = call.dialect
    headers = CIMultiDict(dialect.error_headers(error.status, error.code))
    headers["x-should-retry"] = "false"
    headers[CALL_ID] = call.id
    body = dialect.error_body(error.status, error.message, error.code, call.id)
    return Answer(error.status, headers, body, source="error")
