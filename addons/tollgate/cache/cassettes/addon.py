"""Records calls in a folder of files, and answers them from there: tests without a provider.

It stands where the cache stands: below redaction, so that the files hold no originals, and above what costs.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from mitmproxy.proxy.server_hooks import ServerConnectionHookData
from multidict import CIMultiDict

from tollgate.cache.cassettes.asked import Asked, asked
from tollgate.cache.cassettes.library import Explanation, Library, Mode
from tollgate.cache.cassettes.recording import Recording
from tollgate.cache.entry import Piece, pieces_of, usage_of
from tollgate.cache.keeping import Heard, ended_well, headers_of
from tollgate.cache.replay import paced
from tollgate.calls import Answer, Call, End, Event, Headers, Refused, Request, Runtime, Scrub, Usage, Verdict
from tollgate.calls.credentials import SECRET_HEADERS

logger = logging.getLogger(__name__)

type Pace = Literal["at_once", "original"]

OFF_LOOP = 32 * 1024
_LARGEST = 64 * 2**20
"""Bytes that a streamed answer may have."""
_HEADERS = frozenset(("x-should-retry", "x-amzn-errortype"))
"""Of an answer, besides those that the cache keeps: how an error is to be taken. None makes clients wait."""
_LEAST_SECRET = 8
"""Characters from which on a header's value may be a credential."""
_NO_JSON = Explanation(*["Only bodies of JSON are recorded."] * 2)
_UNTOLD = frozenset(("other",))
"""Operations that are not recorded: telemetry and settings of clients, other ones each time."""


@dataclass(frozen=True, slots=True)
class Settings:
    folder: Path
    mode: Mode = "none"
    pace: Pace = "at_once"
    unredacted: bool = False
    ignored: tuple[str, ...] = ()


@dataclass(slots=True)
class Carried:
    """What a call that is recorded takes from its way down to its end."""

    request: Asked
    number: int
    heard: Heard | None = None
    status: int = 0
    """Set once the answer is complete."""
    headers: Iterable[tuple[str, str]] = ()
    body: bytes = b""
    framing: str = ""


class Cassettes:
    """Answers what is recorded; records the rest, or refuses it, as its mode says."""

    name = "cassettes"

    def __init__(self, settings: Settings) -> None:
        """CassetteError where the folder cannot be used."""
        self._settings = settings
        self._library = Library(settings.folder, settings.mode, settings.ignored)
        self._writer = ThreadPoolExecutor(1, "cassette writer")
        self.counts: Counter[str] = Counter()
        """What became of calls: recorded, replayed, unknown, left (not recorded), lost (not written)."""

    def llm_prepare(self, runtime: Runtime) -> None:
        """ValueError where the policy's tokens would tie the recordings to this machine."""
        numbered = runtime.policy.file.detection.tokens == "numbered"
        if self._library.records and not numbered and not self._settings.unredacted:
            raise ValueError("recordings need `detection: {tokens: numbered}` in the policy")

    def done(self) -> None:
        self._writer.shutdown()

    def server_connect(self, data: ServerConnectionHookData) -> None:
        """mitmproxy's own leg, for tunnels and what is no call: no way around the recordings."""
        if not self._library.records:
            data.server.error = "Tollgate answers from recordings only, and connects to nobody"

    # -- down ------------------------------------------------------------------------------------------------

    async def llm_request(self, call: Call) -> None:
        request, key = await self._asked(call)
        found = self._library.find(key) if request else None
        if found is not None:
            self._give(call, found)
        elif not self._library.records:
            raise await self._unknown(call, request)
        elif request is None or call.operation in _UNTOLD:
            self._leave(call, "its body is no JSON" if request is None else "it is no model's work")
        elif not (self._settings.unredacted or redacted(call)):
            raise _not_redacted()
        else:
            call.notes["cassettes"] = Carried(request, self._library.number(key))

    async def _asked(self, call: Call) -> tuple[Asked | None, str]:
        def ask() -> tuple[Asked | None, str]:
            request = asked(call)
            return request, self._library.key(request) if request else ""

        return await asyncio.to_thread(ask) if len(call.request.body.content) > OFF_LOOP else ask()

    def _give(self, call: Call, recording: Recording) -> None:
        headers: Headers = CIMultiDict(recording.headers)
        call.usage, call.answered_model = Usage(**recording.usage), recording.model
        call.answer = Answer(recording.status, headers, recording.body, source="cache")
        if recording.framing:
            original = self._settings.pace == "original"
            pauses = [piece.after / 1000 for piece in recording.pieces] if original else []
            events = [Event(piece.data, piece.name) for piece in recording.pieces]
            call.answer.events, call.answer.framing = paced(events, pauses), recording.framing
        call.verdicts.append(Verdict("cassettes", "allow", "answered from a recording", "replayed"))
        self.counts["replayed"] += 1

    async def _unknown(self, call: Call, request: Asked | None) -> Refused:
        self.counts["left" if call.operation in _UNTOLD else "unknown"] += 1
        why = _NO_JSON if request is None else await asyncio.to_thread(self._library.explain, request)
        message, record = (
            f"This call is not recorded in {self._settings.folder.name}, and nobody else is asked. {words}"
            " `tollgate record` adds it."
            for words in why
        )
        return Refused(message, code="not_recorded", always=True, record=record)

    def _leave(self, call: Call, why: str) -> None:
        call.verdicts.append(Verdict("cassettes", "warn", f"not recorded: {why}", "not_recorded"))
        self.counts["left"] += 1

    # -- up --------------------------------------------------------------------------------------------------

    def llm_head(self, call: Call, answer: Answer) -> None:
        carried: Carried | None = call.notes.get("cassettes")
        if carried is not None and answer.framing != "raw":
            headers = list(answer.headers.items())
            carried.heard = Heard(answer.status, time.monotonic(), headers, _LARGEST)
            carried.framing = answer.framing

    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        carried: Carried | None = call.notes.get("cassettes")
        if carried is not None and carried.heard is not None:
            if not isinstance(event, End):
                carried.heard.hear(event, time.monotonic())
            elif carried.heard.room >= 0 and ended_well(call, event):
                carried.status, carried.headers = carried.heard.status, carried.heard.headers
        return (event,)

    async def llm_response(self, call: Call, answer: Answer) -> None:
        carried: Carried | None = call.notes.get("cassettes")
        if carried is not None:
            carried.status, carried.headers = answer.status, list(answer.headers.items())
            carried.body = answer.body

    def llm_end(self, call: Call) -> None:
        """Its usage is known by now."""
        carried: Carried | None = call.notes.pop("cassettes", None)
        if carried is None:
            return
        recording = recording_of(call, carried)
        if not carried.status:
            self._leave(call, "its answer is not complete")
        elif any(secret in answered(recording) for secret in secrets_of(call.client_request)):
            self._leave(call, "its answer holds the credential")
        else:
            self._writer.submit(self._save, recording, call.scrub).add_done_callback(self._saved)

    def _save(self, recording: Recording, scrub: Callable[[], Scrub] | None) -> Path:
        return self._library.save(scrubbed(recording, scrub()) if scrub else recording)

    def _saved(self, done: Future[Path]) -> None:
        error = done.exception()
        self.counts["lost" if error else "recorded"] += 1
        if error:
            logger.error("A call was not recorded. %s", error)


def recording_of(call: Call, carried: Carried) -> Recording:
    """What is written down of a call. Of its headers what it is and what it used: no account, no limits."""
    kept = headers_of(call, carried.headers)
    errors = ((name, value) for name, value in carried.headers if name.lower() in _HEADERS)
    return Recording(
        request=carried.request,
        number=carried.number,
        recorded=datetime.fromtimestamp(call.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        status=carried.status,
        headers={name.lower(): value for name, value in (*kept, *errors)},
        model=call.answered_model,
        usage=usage_of(call.usage),
        body=carried.body,
        framing=carried.framing,
        pieces=pieces_of(carried.heard.events) if carried.heard else (),
    )


def scrubbed(recording: Recording, scrub: Scrub) -> Recording:
    """The same, but for values in the answer that would have been redacted in a request."""
    if not recording.framing:
        return replace(recording, body=scrub.whole(recording.body))
    events = [*(Event(piece.data, piece.name) for piece in recording.pieces), End()]
    clean = [one for event in events for one in scrub.event(event)][:-1]
    pairs = zip(recording.pieces, clean, strict=True)
    return replace(recording, pieces=tuple(Piece(old.after, new.name, new.data or b"") for old, new in pairs))


def answered(recording: Recording) -> bytes:
    """All bytes of an answer."""
    return recording.body + b"".join(piece.data for piece in recording.pieces)


def secrets_of(request: Request) -> set[bytes]:
    """What the client sent as credentials: some providers quote them in errors."""
    values = (value for name, value in request.headers.items() if name.lower() in SECRET_HEADERS)
    words = (word for value in values for word in value.split())
    return {word.encode() for word in words if len(word) >= _LEAST_SECRET}


def redacted(call: Call) -> bool:
    """True where what must not leave was taken out of the call."""
    return call.policy.dlp.enabled and call.policy.mode == "enforce"


def _not_redacted() -> Refused:
    return Refused(
        "This call would be recorded as it is: the policy does not redact it (dlp.enabled, mode). Have it"
        " redacted, or record with --unredacted.",
        code="not_redacted",
        always=True,
    )
