"""What a dialect is: a table row that says where things stand, and the few functions that read it.

A dialect does not mirror a provider's schema. It knows where text, model, usage and errors stand, how its
streams end, and nothing else; unknown fields pass through.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tollgate.calls import Event, Shape, Usage
from tollgate.dialects.counts import Counts
from tollgate.dialects.ends import Ends
from tollgate.dialects.errors import Errors
from tollgate.dialects.paths import MOST, text_at

_DIGITS = len(str(MOST))


def json_of(event: Event) -> Any:
    """The event's payload where it is a JSON object, else None: `[DONE]`, keep-alives and garbage."""
    if event.data is None or not event.data.lstrip().startswith(b"{"):
        return None
    try:
        return event.json()
    except ValueError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Dialect:
    """How an API speaks. Rows are made once, in this room's other files; `registry.DIALECTS` has them all."""

    name: str
    version: str = ""
    """The API version that this row is for; empty for any."""
    shape: Shape
    """Where text stands in a request's body."""
    framing: str = "sse"
    """How its streams are cut into events: a name in `dialects.FRAMINGS`."""
    usage_marks: tuple[bytes, ...]
    """An event, or a whole answer, without one of these cannot carry usage: a cheap test before parsing."""
    model_marks: tuple[bytes, ...] = (b'"model"',)
    """One without any of these cannot name the model. A stream names it in its first events, so this is
    worth asking only until the model is known; empty where answers never name it."""

    asked: tuple[str, ...] = ("model",)
    """Where a request's body names the model: the first path that is there."""
    answered: tuple[str, ...] = ("model",)
    """Where an answer or an event names the model that really answered."""
    streams_unasked: bool = False
    """Whether a body without `stream` asks for a stream."""
    stream_verbs: frozenset[str] = frozenset()
    """Values of params["verb"] that ask for a stream."""
    stream_flag: bool = True
    """Whether the body's `stream` decides; False where only the path does."""
    framing_without_sse: str = ""
    """The framing where the query does not say `alt=sse`; empty where that makes no difference."""
    refused_params: frozenset[str] = frozenset()
    """Fields of a request that this version answers with HTTP 400."""

    counts: Counts
    errors: Errors
    ends: Ends
    header_usage: Mapping[str, str] = field(default_factory=dict)
    """Response headers that carry counts: header in lower case → field of `Usage`."""
    read: Callable[[Event], Any] = json_of
    """An event's JSON document; None where it has none."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.version!r})"  # its shape contains itself

    # -- requests ------------------------------------------------------------------------------------------

    def model(self, body: Any, params: Mapping[str, str]) -> str:
        """The model asked for; the path wins over the body. Empty where neither names one."""
        return params.get("model") or text_at(body, self.asked)

    def streams(self, body: Any, params: Mapping[str, str]) -> bool:
        """True where the client asks for a streamed answer."""
        if params.get("verb", "") in self.stream_verbs:
            return True
        if not self.stream_flag:
            return False
        flag = body.get("stream") if isinstance(body, dict) else None
        return self.streams_unasked if flag is None else flag is True

    def expected_framing(self, params: Mapping[str, str]) -> str:
        """How the provider should frame a streamed answer, before it has said so itself."""
        if self.framing_without_sse and params.get("alt") != "sse":
            return self.framing_without_sse
        return self.framing

    # -- answers -------------------------------------------------------------------------------------------

    def payload(self, event: Event) -> Any:
        """The event's JSON document for `answered_model` and `usage`; None where it has none ([DONE])."""
        return self.read(event)

    def answered_model(self, document: Any) -> str:
        """The model that a whole answer, or one event of a streamed one, names; empty where it names none."""
        return text_at(document, self.answered)

    def usage(self, document: Any, so_far: Usage | None = None) -> Usage | None:
        """What a whole answer, or a stream up to this event, used; `so_far` where the document says nothing.

        Providers count up in a stream: a later number takes an earlier one's place.
        """
        return self.counts.read(document, so_far)

    def usage_of_headers(self, headers: Mapping[str, str]) -> Usage | None:
        """What the answer's headers say of usage, None for nothing. It is a `so_far` for the whole answer's
        own, which says it finer, but not always all of it.
        """
        found = {name: headers[header] for header, name in self.header_usage.items() if header in headers}
        numbers = {
            name: int(text) for name, text in found.items() if text.isdecimal() and len(text) < _DIGITS
        }
        return Usage(**numbers) if numbers else None  # type: ignore[arg-type]

    def is_last(self, event: Event) -> bool:
        """True where with this event the answer is complete; a usage chunk or `[DONE]` may still follow."""
        return self.ends(event)

    # -- errors --------------------------------------------------------------------------------------------

    def stream_error(self, event: Event) -> str:
        """The type or code of an error told within a stream; empty for any other event. Never its text."""
        return self.errors.of_event(event, self.read)

    def error_body(self, status: int, message: str, code: str, request_id: str) -> bytes:
        """An error as this provider words it. `code` is our stable word: "duplicate_keys"."""
        return self.errors.body(status, message, code, request_id)

    def error_headers(self, status: int, code: str) -> dict[str, str]:
        """The headers that belong to `error_body`."""
        return self.errors.headers(status)

    def error_events(self, message: str, code: str, request_id: str) -> list[Event]:
        """How a stream that has begun ends with an error, so that clients raise rather than hang."""
        return self.errors.events(message, code, request_id)
