"""Where calls go: targets, the keys for them, and the choice between them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from tollgate.policy.check import Check
from tollgate.policy.fields import Duration, File, Patterns, Port, Size, parse_list
from tollgate.policy.part import Part
from tollgate.policy.price_file import Tariff

type Modality = Literal["image", "document", "audio", "video"]
type KeyKind = Literal["bearer", "x-api-key", "api-key", "x-goog-api-key", "query-key", "sigv4"]
type Strategy = Literal[
    "priority", "weighted", "round_robin", "least_busy", "lowest_latency", "cheapest", "canary"
]

NAME = r"^[a-zA-Z0-9][\w.-]*$"
PLACEHOLDERS = frozenset({"model", "verb"})
"""What a target's path may ask for: {model} and {verb}."""


def check_path(path: str) -> str:
    """A path, from its first slash on, whose placeholders are known."""
    if not path.startswith("/") or "?" in path or "#" in path:
        raise ValueError("a path begins with a slash and has no query: /v1/chat/completions")
    try:
        path.format(**dict.fromkeys(PLACEHOLDERS, "x"))
    except (KeyError, IndexError, ValueError) as e:
        raise ValueError("of placeholders a path may have {model} and {verb}") from e
    return path


def check_keys(values: dict[str, Any]) -> dict[str, Any]:
    """Parameters, by name or by path, neither of which has empty parts."""
    if wrong := next((path for path in values if not all(path.split("."))), None):
        raise ValueError(f'"{wrong}" is no parameter: write temperature, or generationConfig.temperature')
    return values


def check_headers(headers: dict[str, str]) -> dict[str, str]:
    """Headers as HTTP has them. The message names none of their values."""
    for name, text in headers.items():
        if not _HEADER.fullmatch(name):
            raise ValueError(f'"{name}" is no name of a header: write X-Team')
        if not text.isprintable():
            raise ValueError(f'the value of "{name}" has to be one line of plain text')
    return headers


_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""https://www.rfc-editor.org/rfc/rfc9110#section-5.1"""

type Names = Annotated[
    list[str],
    BeforeValidator(parse_list, json_schema_input_type=str | list[str]),
    Field(description="A name, or a list of them."),
]
type TargetPath = Annotated[str, AfterValidator(check_path)]


class Credential(Part):
    """A key of the company's, put into requests in place of the client's. Its value stands in no policy."""

    env: Names | None = None
    """The environment variable of the proxy that holds it. For AWS: [AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN], of which the last may be unset."""
    file: File | None = None
    """Or the file that holds it, and nothing else."""
    command: list[str] | None = Field(default=None, min_length=1)
    """Or the program that prints it, with its arguments; no shell is between. For AWS, what its
    `credential_process` prints will do."""
    hosts: Patterns
    """The hosts it may be sent to: globs. It is sent to no other."""
    kind: KeyKind | None = None
    """How it is shown; left out, as the target's provider wants it."""
    refresh: Duration = 900.0
    """How long what a file or a program said is used."""
    rest: Duration = 30.0
    """How long it is left alone once it was refused or rate limited, where the answer does not say."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(source is not None for source in (self.env, self.file, self.command)) != 1:
            raise ValueError("a credential has one of env, file and command")
        return self


class Limits(Part):
    """How much a target is given at once."""

    concurrent: int | None = Field(default=None, ge=1)
    """How many calls may be under way; left out, any number. What is more waits in a queue."""
    queue: int = Field(default=100, ge=0)
    """How many may wait; what is more goes to the next target."""
    wait: Duration = 30.0
    """How long one waits before it goes to the next target."""


class Breaker(Part):
    """When a target that fails is left alone for a while, for each model by itself."""

    failures: int = Field(default=5, ge=1)
    """How many failures in a row: no connection, no answer in time, a status of 500 or more."""
    rest: Duration = 30.0
    """For how long; then one call finds out whether it works again. Where a `check` passes, at once."""


class HeaderChanges(Part):
    """What becomes of a request's headers."""

    set: Annotated[dict[str, str], AfterValidator(check_headers)] = Field(default_factory=dict)
    """Headers to set. Keys belong under `credentials`."""
    remove: list[str] = Field(default_factory=list)
    """Headers to leave out."""

    @property
    def idle(self) -> bool:
        """True where nothing changes."""
        return not (self.set or self.remove)


class Parameters(Part):
    """What becomes of a request's parameters: by name, or by path such as generationConfig.temperature."""

    set: Annotated[dict[str, JsonValue], AfterValidator(check_keys)] = Field(default_factory=dict)
    """Always this value."""
    default: Annotated[dict[str, JsonValue], AfterValidator(check_keys)] = Field(default_factory=dict)
    """This value where the client gives none."""
    cap: Annotated[dict[str, float], AfterValidator(check_keys)] = Field(default_factory=dict)
    """A larger number becomes this one."""
    remove: list[str] = Field(default_factory=list)
    """Left out."""

    @property
    def idle(self) -> bool:
        """True where nothing changes."""
        return not (self.set or self.default or self.cap or self.remove)


class Target(Part):
    """A place that calls can be sent to. What is left out stays as the client has it."""

    provider: str | None = None
    """A provider's id: openai, anthropic, bedrock, or one that `hosts` adds."""
    host: str | None = Field(default=None, min_length=1)
    """Left out: the provider's usual host, or that of `region`."""
    port: Port | None = None
    """Left out: 443, or 80 for plain HTTP."""
    scheme: Literal["https", "http"] = "https"
    """Plain HTTP is for a server within your own network."""
    region: str | None = None
    """Picks the provider's host: eu, us-east-1, westeurope."""
    path: TargetPath | None = None
    """Where the provider's own paths will not do; may use {model} and {verb}."""
    dialect: str | None = None
    """How it speaks; left out, as the client does where the provider can, else as it can be translated."""
    model: str | None = Field(default=None, min_length=1)
    """The model to ask for, whichever the client names."""
    models: dict[str, str] = Field(default_factory=dict)
    """Or by the model that the client names (a glob) the one to ask for."""
    credential: Names = []
    """Which of `credentials` to use: the first that is not resting. "client" is the client's own key. Left
    out: the client's own on its own host, none elsewhere."""
    headers: HeaderChanges = HeaderChanges()
    parameters: Parameters = Parameters()
    prices: Tariff | None = None
    """What was agreed for this target; left out, as `cost.prices` has it."""
    limits: Limits = Limits()
    breaker: Breaker = Breaker()
    check: Check | None = None
    """Left out, only the calls themselves tell whether it works."""
    context: int | None = Field(default=None, ge=1)
    """How many tokens fit, answer included; longer calls go to another target."""
    modalities: list[Modality] | None = None
    """What it takes besides text; left out, everything."""
    tools: bool = True
    """Whether it can call tools."""


class Choice(Part):
    """A target of a route, and which of its calls are for it."""

    target: str = Field(min_length=1)
    """One of `targets`, or "same": where the client wanted to go."""
    weight: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """Its part of the calls, against those of the others (weighted, least_busy)."""
    share: float | None = Field(default=None, ge=0.0, le=1.0)
    """Its share of all calls, with the strategy canary: 0.05 is one in twenty."""
    operations: Patterns | None = None
    """Only for these: chat, embeddings."""
    min_size: Size | None = None
    """Only for bodies of at least this size."""
    max_size: Size | None = None
    """Only for bodies of at most this size."""


def _named(value: Any) -> Any:
    return {"target": value} if isinstance(value, str) else value


type Chosen = Annotated[Choice, BeforeValidator(_named, json_schema_input_type=str | Choice)]


class Route(Part):
    """Where a call goes. The default sends it where the client wanted, untouched."""

    targets: list[Chosen] = Field(default_factory=list)
    """By name, or with what each is for; the next is tried where one fails. None: where the client wanted."""
    strategy: Strategy = "priority"
    """In which order: as they stand (priority), by chance (weighted), in turn (round_robin), the one with the
    fewest calls under way (least_busy), the one that begins to answer soonest (lowest_latency), the cheapest,
    or a small share of the calls to a new one (canary)."""
    models: dict[str, str] = Field(default_factory=dict)
    """Names for models: what the client asks for (a glob), and what that stands for."""
    headers: HeaderChanges = HeaderChanges()
    parameters: Parameters = Parameters()
    sticky: bool = False
    """A conversation stays with the target it began with, so that the provider's prompt cache stays warm."""
    on_loss: Literal["warn", "drop", "error"] = "warn"
    """What a target of another dialect cannot express. It is always recorded; "warn" also tells the client in
    the header x-tollgate-loss, "error" refuses the call, unless the answer should hardly differ (hints for
    caches, names of speakers)."""
    retries: int = Field(default=0, ge=0, le=10)
    """How often a target is asked again before the next is. Most clients do that themselves."""
    backoff: Duration = 0.5
    """The pause before the first retry; it doubles each time, and is cut at random. A provider's retry-after
    goes before it."""
    longest_pause: Duration = 20.0
    """Where a provider asks for a longer one, the next target is tried at once."""
    deadline: Duration | None = None
    """How long all of it may take until the answer begins; left out, as long as `timeouts` allow."""
    hedge: Duration | None = None
    """Where an answer has not begun by then, the next target is asked as well; the first to answer is taken.
    Both may bill."""
    broken_stream: Literal["error", "cut"] = "error"
    """How an answer ends that dies after it has begun, which is never asked for again: in an error event of
    the client's dialect, or "cut", a dropped connection, on which many clients ask again by themselves."""

    @property
    def idle(self) -> bool:
        """True where every call goes where the client wanted, as it is, once."""
        others = any(choice.target != "same" for choice in self.targets)
        plain = not (others or self.models or self.retries)
        return plain and self.deadline is self.hedge is None and self.headers.idle and self.parameters.idle
