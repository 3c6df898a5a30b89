"""One call from its request to its end: read the body, walk down, answer, walk up, record."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from tollgate.calls import (
    Answer,
    BodyError,
    Call,
    CallError,
    Events,
    Failed,
    Headers,
    Outcome,
    Refused,
    Verdict,
)
from tollgate.calls.coding import CodingError, decode
from tollgate.calls.upload import is_piece
from tollgate.dialects.forms import model_of_form
from tollgate.gate.guards import log_failure
from tollgate.gate.pieces import Pieces, error_answer
from tollgate.gate.walk import Room, Walk
from tollgate.policy import Settings

OFF_LOOP = 256 * 1024
"""Bodies from this many bytes on are read in a thread, so that other calls' events go on meanwhile."""
STREAM_CUT = "stream_cut"
"""The code of a stream that died midway."""
_JSON_LINES = ("jsonl", "ndjson", "json-seq")
"""Of types of many JSON documents."""


class Sink(Protocol):
    """The client's side of a call: where the answer goes. Cancelled when the client leaves."""

    async def whole(self, status: int, headers: Headers, body: bytes) -> None: ...

    async def head(self, status: int, headers: Headers) -> None: ...

    async def data(self, data: bytes) -> None: ...

    async def end(self) -> None: ...

    async def abort(self, reason: str) -> None: ...


class Exchange:
    """Carries one call. `settle` gives the effective policy once the model is known."""

    def __init__(self, call: Call, rooms: Sequence[Room], settle: Callable[[Call], Settings]) -> None:
        self.call = call
        self.walk = Walk(call, rooms)
        self.refusal: Refused | None = None
        """Why the call is refused whatever it says, where that was clear before its body was read."""
        self.dropped = False
        """True where the request's body was larger than allowed, and so was not kept."""
        self.finished = False
        """True once the rooms were told that the call is over."""
        self._settle = settle
        self._pieces: Pieces | None = None
        """Set once a streamed answer has begun: an error can then only be told inside of it."""

    async def run(self, sink: Sink) -> None:
        """Answer the call. Cancelling it means that the client left."""
        try:
            await self._run(sink)
        except asyncio.CancelledError:
            self.left()
            raise
        except Exception as error:
            # The only one: a bug of ours must neither hang the client nor let anything pass.
            log_failure("The gate", error)
            failure = Failed("Tollgate failed to carry this call.", code="gate_failed", status=500)
            await self._break_off(sink, failure)
        finally:
            self.finish()

    async def _run(self, sink: Sink) -> None:
        try:
            await self.ask()
            if self.call.answer is None:
                raise Failed("No addon of the chain answered this call.", code="unanswered")
            await self._deliver(sink, self.call.answer)
        except CallError as error:
            await self._break_off(sink, error)

    async def ask(self) -> None:
        """Read the request and walk down. CallError where the call ends here."""
        try:
            if self.refusal:
                raise self.refusal
            await self._inspect()
        except Refused as refusal:
            self.call.verdicts.append(Verdict("gate", refusal.action, refusal.record, refusal.code))
            raise
        await self.walk.down()

    # -- the request ---------------------------------------------------------------------------------------

    async def _inspect(self) -> None:
        call, body = self.call, self.call.request.body
        if self.dropped or len(body.wire) > call.policy.bodies.max_size:
            self._oversize()
        elif len(body.wire) > OFF_LOOP:
            await asyncio.to_thread(self._read)
        else:
            self._read()
        if body.parsed:
            call.model = call.dialect.model(body.json, call.params) or call.model
        call.stream = call.dialect.streams(body.json, call.params)
        call.policy = self._settle(call)

    def _oversize(self) -> None:
        limits = self.call.policy.bodies
        self.call.coverage = "oversize"
        if self.dropped or limits.oversize == "refuse":
            size = f"{limits.max_size} bytes"
            message = (
                f"The request's body is larger than the {size} that the policy allows (bodies.max_size)."
            )
            self._object(message, "body_too_large", always=self.dropped)

    def _read(self) -> None:
        """Decode and parse the body, as far as it is one that has text."""
        call, body = self.call, self.call.request.body
        try:
            if body.encoding:
                body.content = decode(body.wire, body.encoding, call.policy.bodies.max_size)
            if is_json(call, body.content):
                body.parse(call.dialect.shape)
            else:
                form = call.client_request.headers.get("content-type", "")
                call.model = call.model or model_of_form(body.content, form)
        except CodingError as e:
            if e.code == "too_large":
                self._oversize()
            else:
                self._undecodable(f"The request's body cannot be decoded: {e}.", e.code)
        except BodyError as e:
            if call.operation == "uploads":
                return  # the pieces of a file, which Google's SDK says are JSON, whatever they are
            self._undecodable(f"The request cannot be inspected: {e}.", e.code)

    def _undecodable(self, message: str, code: str) -> None:
        self.call.coverage = "undecodable"
        if self.call.policy.bodies.undecodable == "refuse":
            self._object(message, code)

    def _object(self, message: str, code: str, *, always: bool = False) -> None:
        """Refuse, or in observe mode note that we would have."""
        if self.call.policy.mode == "observe" and not always:
            self.call.verdicts.append(Verdict("gate", "observe", message, code))
        else:
            raise Refused(message, code=code)

    # -- the answer ----------------------------------------------------------------------------------------

    async def _deliver(self, sink: Sink, answer: Answer) -> None:
        if answer.events is None:
            await self._whole(sink, answer)
        else:
            await self._stream(sink, answer, answer.events)

    async def _whole(self, sink: Sink, answer: Answer) -> None:
        await self.walk.up(answer)
        answer.headers.update(self.call.extra_headers)
        self.sent(answer.status, answer.headers, answer.body)
        self.close("answered")
        await sink.whole(answer.status, answer.headers, answer.body)

    async def _stream(self, sink: Sink, answer: Answer, events: Events) -> None:
        try:
            self.walk.head(answer)
            answer.headers.update(self.call.extra_headers)
            pieces = self._pieces = Pieces(self.walk, answer.framing)
            self.call.status, self.call.answer_headers = answer.status, answer.headers
            await sink.head(answer.status, answer.headers)
            async for batch in events:
                for data in self.count(pieces.up(batch)):
                    await sink.data(data)
        finally:
            await events.aclose()
        if pieces.error:
            message = f"The provider's answer broke off: {pieces.error}."
            self.call.verdicts.append(Verdict("upstream", "error", message, STREAM_CUT))
            raise Failed(message, code=STREAM_CUT)
        asked = self.call.attempts if answer.source != "cache" else []
        said = asked[-1].error if asked else ""  # an error event of the provider's own
        self.close("failed" if said else "answered", said)
        await sink.end()

    async def _break_off(self, sink: Sink, error: CallError) -> None:
        """Tell the client in its own dialect, as its SDK expects it at this point of the answer."""
        if self._pieces is None:
            answer = self.tell(error)
            await sink.whole(answer.status, answer.headers, answer.body)
        elif last := self._last_words(error, self._pieces):
            await sink.data(last)
            await sink.end()
        else:
            await sink.abort(error.message)

    def _last_words(self, error: CallError, pieces: Pieces) -> bytes:
        """What a stream that has begun ends with; nothing where the client shall see that it broke off."""
        if error.code == STREAM_CUT and self.call.policy.route.broken_stream == "cut":
            self._close_with(error)
            return b""
        return self.tell_inside(error, pieces)

    # -- what the call remembers of it ---------------------------------------------------------------------

    def sent(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer went out."""
        self.call.status, self.call.answer_headers = status, headers
        self.count(body)

    def count(self, data: bytes) -> list[bytes]:
        """Some bytes of the answer's body went out; gives them, or nothing for none."""
        if not data:
            return []
        if self.call.timings.first_out is None:
            self.call.timings.first_out = time.monotonic()
        self.call.bytes_out += len(data)
        return [data]

    def tell(self, error: CallError) -> Answer:
        """The error as an answer in the client's own dialect."""
        self._close_with(error)
        answer = error_answer(self.call, error)
        answer.headers.update(self.call.extra_headers)
        self.sent(answer.status, answer.headers, answer.body)
        return answer

    def tell_inside(self, error: CallError, pieces: Pieces) -> bytes:
        """The error as the end of a stream that has begun; nothing where its framing cannot say one."""
        self._close_with(error)
        return b"".join(self.count(pieces.broken_off(error)))

    def _close_with(self, error: CallError) -> None:
        self.close("refused" if isinstance(error, Refused) else "failed", error.record)

    @property
    def closed(self) -> bool:
        """True once the outcome is known."""
        return self.call.outcome != "open"

    def close(self, outcome: Outcome, error: str = "") -> None:
        """Say how the call went. What was said first holds."""
        if not self.closed:
            self.call.outcome, self.call.error = outcome, error

    def left(self) -> None:
        """The client left."""
        self.give_up("abandoned", "the client left before the answer was complete")

    def give_up(self, outcome: Outcome, why: str) -> None:
        """The body will not come to its end. Its last event may be there: many clients hang up at that."""
        if self.call.attempts and self.call.attempts[-1].complete:
            self.close("answered")
        self.close(outcome, why)

    def finish(self) -> None:
        """Tell every room that the call is over, once."""
        if self.finished:
            return
        self.finished = True
        self.call.timings.ended = time.monotonic()
        self.walk.end()


def is_json(call: Call, content: bytes) -> bool:
    """Whether a body has to be JSON. Where the dialect is known, it has to be, whatever the headers say."""
    if not content:
        return False
    if call.dialect.name != "generic":
        return True
    if is_piece(call.request.headers):
        return False
    kind = call.request.headers.get("content-type", "").lower()
    if not kind:
        return content[:1] in b"{["
    return "json" in kind and not any(lines in kind for lines in _JSON_LINES)
