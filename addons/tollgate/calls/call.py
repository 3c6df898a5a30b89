"""One LLM request with its answer: what all rooms share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from multidict import CIMultiDict

from tollgate.calls.answer import Answer, Headers
from tollgate.calls.audience import Audience
from tollgate.calls.body import Body
from tollgate.calls.event import Event
from tollgate.calls.plan import Target
from tollgate.calls.usage import Usage
from tollgate.calls.verdict import Finding, Verdict

if TYPE_CHECKING:
    from tollgate.dialects import Dialect
    from tollgate.policy import Settings

type Outcome = Literal["open", "answered", "refused", "failed", "abandoned"]
type Coverage = Literal["inspected", "generic", "opaque", "undecodable", "oversize", "websocket"]


METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
"""Of HTTP. No API has others, and a name that is none of these may be anybody's text."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who is calling, as far as can be known without asking."""

    user: str
    """The proxy user where there is one, else the client's address."""
    address: str
    """The client's address, without port."""
    authenticated: bool = False
    """True where `user` gave a password to the proxy."""
    credential: str = ""
    """Keyed fingerprint of the credential sent to the provider; empty where none was sent."""
    credential_kind: str = ""
    """Where it stood and what it looked like: "bearer", "x-api-key", "oauth", "sigv4", "query"."""
    tool: str = ""
    """The client program by its user agent: "claude-code", "codex", "openai-python"."""
    session: str = ""
    project: str = ""


@dataclass(slots=True)
class Request:
    """What goes to the provider. A target may have it with anything changed but the method."""

    method: str
    scheme: str
    host: str
    port: int
    target: str
    """Path and query as they stand in the request line, still percent-encoded."""
    headers: Headers
    body: Body

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def url(self) -> str:
        """ValueError where the target is no path: appended to the host, it would lead to another one."""
        if not self.target.startswith("/"):
            raise ValueError("the target of a request is a path")
        default = {"https": 443, "http": 80}.get(self.scheme)
        port = "" if self.port == default else f":{self.port}"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{port}{self.target}"


@dataclass(slots=True)
class Attempt:
    """One try at one target. Written by `upstream`."""

    target: str
    """Where to, for a person: host, or the target's name in the policy."""
    started: float
    """Seconds on the monotonic clock."""
    provider: str = ""
    """Who was asked; empty, like `host` and `model`, where that is as the client has it."""
    host: str = ""
    model: str = ""
    """As the target calls it."""
    own_key: bool = False
    """True where one of the policy's credentials took the place of the client's."""
    first_byte: float | None = None
    """The head of the answer was here."""
    ready: float | None = None
    """What goes to the client first was here: the first piece of a stream, or all of a whole answer."""
    ended: float | None = None
    status: int | None = None
    error: str = ""
    complete: bool = False
    """True once the answer's own end was seen, whatever may still follow."""
    fruitless: bool = False
    """True where the provider broke a stream off, or ended it with an error, before it said anything."""
    usage: Usage | None = None
    answered_model: str = ""
    """The model that the answer names."""


class Scrub(Protocol):
    """Takes out of one answer of a provider what is not to be written down. It may take long."""

    def event(self, event: Event) -> Sequence[Event]:
        """What is known to be clean by now. With the `End` as many events have come out as went in."""

    def whole(self, body: bytes) -> bytes: ...


@dataclass(slots=True)
class Timings:
    """Moments in seconds on the monotonic clock; None where the call did not get that far."""

    started: float = field(default_factory=time.monotonic)
    """The request's last byte was here. Written by `gate`."""
    sent: float | None = None
    """The request left for the provider. Written by `upstream`."""
    first_byte: float | None = None
    """The head of the provider's answer was here. Written by `upstream`."""
    first_out: float | None = None
    """The first byte of the answer's body went to the client. Written by `gate`."""
    ended: float | None = None
    """Written by `gate`."""


@dataclass(slots=True)
class Call:
    """One LLM request with its answer: what all rooms share. Each field has one writer, named with it."""

    # -- what it is: written by `gate` when the call is made, then fixed ---------------------------------
    id: str
    time: float
    """When it started: seconds since 1970."""
    identity: Identity
    provider: str
    """The provider's id in `providers`."""
    dialect: Dialect
    operation: str
    """"chat", "responses", "embeddings", "count_tokens", …: `providers` lists them."""
    model: str
    """The model that the client asked for; empty where the request names none."""
    stream: bool
    """True where the client asked for a streamed answer."""
    params: Mapping[str, str]
    """What the path said: {"model": …, "verb": …}."""
    policy: Settings
    """The effective policy of this call."""
    client_request: Request
    """The request as the client sent it. No room changes it."""

    # -- on the way ----------------------------------------------------------------------------------------
    request: Request
    """The request as it leaves: edited by `dlp` (what text stands in it) and `cost` (its body). Once a plan
    was walked, as the target had it that answered, without its key; `upstream` writes that."""
    coverage: Coverage = "inspected"
    """How much of the request was seen. Written by `gate`."""
    answer: Answer | None = None
    """Set on the way down by the room that answers (`cache`, `upstream`); the walk stops there."""
    findings: list[Finding] = field(default_factory=list)
    """Appended by `dlp` and, later, `guard`."""
    scrub: Callable[[], Scrub] | None = None
    """Has what the policy redacts taken out of the answer too, for who writes it down; None where nothing is
    redacted. Written by `dlp`."""
    verdicts: list[Verdict] = field(default_factory=list)
    """Appended by any room about itself, and by `gate` for a room that raised."""
    plan: tuple[Target, ...] = ()
    """Where it may go, in order; empty for where the client wanted, untouched. Written by `routing`."""
    attempts: list[Attempt] = field(default_factory=list)
    """Appended by `upstream`. The one whose answer the client has is the last."""
    cache: str = ""
    """"hit", "miss", "bypass" or "stored"; empty where the cache is off. Written by `cache`."""
    audience: Audience = field(default_factory=Audience)
    """Who wants the answer: the call goes on while anybody does. `gate` gives the call up with it; `cache`
    joins for calls that share the answer."""
    cost: int | None = None
    """Nano-dollars; None where unknown. Written by `cost`."""
    paid: str = ""
    """"metered", or "subscription" where nobody is billed, and the cost is what it would have been. Written
    by `cost`."""
    extra_headers: Headers = field(default_factory=CIMultiDict)
    """What rooms add to the headers of the answer that the client gets; set on the way down, or, for a whole
    answer, up."""
    notes: dict[str, Any] = field(default_factory=dict)
    """A place for what a room carries from its way down to its way up, under the room's own name."""

    # -- how it went ---------------------------------------------------------------------------------------
    answered_model: str = ""
    """The model that the answer names. Written by who answers, `upstream` or `cache`."""
    usage: Usage | None = None
    """What the answer as a whole used; of one that the cache gives, what it used when it was new. Written by
    who answers, `upstream` or `cache`."""
    status: int | None = None
    """The HTTP status the client got. Written by `gate`."""
    answer_headers: Headers = field(default_factory=CIMultiDict)
    """Headers of the answer that the client got. Written by `gate`."""
    bytes_in: int = 0
    """Bytes of the request's body as the client sent them. Written by `gate`."""
    bytes_out: int = 0
    """Bytes of the answer's body as the client got them. Written by `gate`."""
    events_out: int = 0
    """Streamed events that went to the client. Written by `gate`."""
    outcome: Outcome = "open"
    """Written by `gate`, once, before `llm_end`."""
    error: str = ""
    """Why it was refused, failed or abandoned, for a person. Written by `gate`."""
    timings: Timings = field(default_factory=Timings)
