"""The LLM hooks: what an addon may have to take part in calls.

mitmproxy has hooks for HTTP; these are Tollgate's for LLM calls. Any addon in mitmproxy's chain may have
any of them, a user's own script too. `Gate` walks the addons down with the request and back up with the
answer, only through those already passed; an addon listed later stands nearer the provider.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from tollgate.calls.answer import Answer
from tollgate.calls.call import Call
from tollgate.calls.connection import Connection, Notice
from tollgate.calls.event import Event
from tollgate.calls.runtime import Runtime
from tollgate.calls.verdict import Failed


class TakesRequests(Protocol):
    async def llm_request(self, call: Call) -> None:
        """On the way down. May edit `call.request`, set `call.answer` (the walk ends), or raise `Refused`."""


class TakesEvents(Protocol):
    def llm_event(self, call: Call, event: Event) -> Iterable[Event]:
        """On the way up, one streamed piece; gives what goes on in its place. The last is an `End`."""


class TakesAnswers(Protocol):
    async def llm_response(self, call: Call, answer: Answer) -> None:
        """On the way up, a whole answer, to be edited in place."""


class TakesHeads(Protocol):
    def llm_head(self, call: Call, answer: Answer) -> None:
        """On the way up, a streamed answer before its first event; its status and headers may be edited."""


class StandsIn(Protocol):
    async def llm_failed(self, call: Call, error: Failed) -> None:
        """What stands below did not answer. May set `call.answer`, which goes up from here in its place."""


class HearsTheEnd(Protocol):
    def llm_end(self, call: Call) -> None:
        """Exactly once for each call: answered, refused, failed or abandoned. It must not block."""


class HearsConnections(Protocol):
    def llm_connection(self, connection: Connection) -> None:
        """A connection or request that is not looked into. It must not block."""


class HearsNotices(Protocol):
    def llm_notice(self, notice: Notice) -> None:
        """Something about the proxy itself. It must not block."""


class HasSetup(Protocol):
    def llm_prepare(self, runtime: Runtime) -> None:
        """Before `llm_setup`, in a thread: build what takes long, beside what is in force. ValueError or
        OSError keeps the old policy."""

    def llm_setup(self, runtime: Runtime) -> None:
        """At start, before the first call, and again after each change of the policy: put it in force."""


class HasHealth(Protocol):
    def llm_health(self) -> Mapping[str, object]:
        """How the addon is, for /healthz; {"ok": False, …} where calls are turned away because of it."""


HOOKS = ("llm_request", "llm_event", "llm_response", "llm_end", "llm_head", "llm_failed")
