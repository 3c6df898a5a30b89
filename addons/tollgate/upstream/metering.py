"""What an answer says of itself: usage, model, end and errors, read while it passes."""

from __future__ import annotations

from typing import Any

from tollgate.calls import Answer, Attempt, Call, End, Event, Headers, Usage
from tollgate.dialects import Dialect


class Meter:
    """Reads an answer's own words onto its attempt and call. Looks into what has the dialect's marks only."""

    __slots__ = ("_call", "_dialect", "attempt", "said")

    def __init__(
        self, call: Call, attempt: Attempt, headers: Headers, dialect: Dialect | None = None
    ) -> None:
        """`dialect`: how the provider speaks, where that is not the client's way."""
        self._call = call
        self.attempt = attempt
        self.said = False
        """True once a stream has brought an event that is no error."""
        self._dialect = dialect or call.dialect
        attempt.complete = self._dialect.is_last(End())  # at once where the dialect knows of no last event
        self._count(self._dialect.usage_of_headers(headers))

    def whole(self, answer: Answer) -> None:
        """Read a whole answer. What is not JSON says nothing, which is noted where it should be."""
        self.attempt.complete = True
        if self._marked(answer.body):
            try:
                self._read(answer.json())
            except ValueError:
                self.attempt.error = "the answer is not JSON"

    def events(self, events: list[Event]) -> None:
        """Read the next events of a stream."""
        for event in events:
            if event.data is None:
                continue
            if self._marked(event.data):
                self._read(self._dialect.payload(event))
            if error := self._dialect.stream_error(event):
                self.attempt.error = f"the provider ended its answer with an error: {error}"
            else:
                self.said = True
            if error or self._dialect.is_last(event):
                self.attempt.complete = True

    def _marked(self, data: bytes) -> bool:
        dialect = self._dialect
        return any(mark in data for mark in dialect.usage_marks) or (
            not self.attempt.answered_model and any(mark in data for mark in dialect.model_marks)
        )

    def _read(self, document: Any) -> None:
        attempt, dialect = self.attempt, self._dialect
        if not attempt.answered_model:
            attempt.answered_model = self._call.answered_model = dialect.answered_model(document)
        self._count(dialect.usage(document, attempt.usage))

    def _count(self, usage: Usage | None) -> None:
        self.attempt.usage = self._call.usage = usage
