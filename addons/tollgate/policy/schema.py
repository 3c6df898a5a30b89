"""Every word a policy may contain, with its default. The defaults of a policy are the defaults here.

The text under a field is its description in the JSON Schema, so it is what an editor shows for the key.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.json_schema import GenerateJsonSchema

from tollgate.policy.cache import Cache, CacheStorage
from tollgate.policy.cost import CostSettings
from tollgate.policy.dlp import Detection, Dlp
from tollgate.policy.fields import (
    Duration,
    File,
    HostName,
    PassOrRefuse,
    Patterns,
    Port,
    ProxyUrl,
    Size,
    TunnelOrRefuse,
    Variable,
)
from tollgate.policy.part import Part
from tollgate.policy.routing import NAME, Credential, Route, Target
from tollgate.policy.when import When

type Rooms = Literal["access", "limits", "dlp", "cache", "routing", "cost", "trail"]


# -- what governs one call; rules override it ------------------------------------------------------------


class Bodies(Part):
    """What a request's body has to be like to be passed on."""

    max_size: Size = 32 * 1024 * 1024
    """The largest body that is inspected, before and after its content-encoding is undone."""
    oversize: PassOrRefuse = "refuse"
    """What happens to a larger one. "pass" sends it on unseen, and records that."""
    undecodable: PassOrRefuse = "refuse"
    """What happens to one that cannot be read: an unknown content-encoding, broken JSON, the same key
    twice in an object. "pass" sends it on unseen, and records that."""
    unknown_path: Literal["inspect", "refuse"] = "inspect"
    """What happens to a call on an LLM host whose path nobody knows. "inspect" treats it as generic JSON."""


class Answers(Part):
    """What a provider's answer has to be like to be passed on."""

    max_size: Size = 64 * 1024 * 1024
    """The largest whole (not streamed) JSON answer that is read into memory."""
    oversize: PassOrRefuse = "refuse"
    """What happens to a larger one. "pass" streams it on unseen, and records that."""


class Timeouts(Part):
    """How long the upstream leg waits."""

    connect: Duration = 10.0
    """For a connection to the provider, TLS included."""
    first_byte: Duration = 600.0
    """From the end of the request to the head of the answer. Reasoning models think for minutes."""
    idle: Duration = 600.0
    """Between two pieces of an answer."""


class Settings(Part):
    """What governs one call. Rules override these."""

    mode: Literal["enforce", "observe"] = "enforce"
    """ "observe" changes nothing and refuses nothing by policy; what would have been done is recorded."""
    websocket: PassOrRefuse = "refuse"
    """A WebSocket upgrade on an LLM host. "refuse" answers 426, on which clients fall back to HTTP at
    once; "pass" lets it through and records it as not inspected."""
    bodies: Bodies = Bodies()
    answers: Answers = Answers()
    timeouts: Timeouts = Timeouts()
    dlp: Dlp = Dlp()
    cache: Cache = Cache()
    route: Route = Route()
    on_error: dict[Rooms, Literal["closed", "open"]] = Field(default_factory=dict)
    """What happens when a room fails: "closed" refuses the call (the default), "open" goes on without it."""
    # A new room adds its part here: one field, and one class above. All of it has to have defaults.


# -- what is set once for all ----------------------------------------------------------------------------


class Rule(Part):
    """Settings for some calls. A later rule overrides an earlier one."""

    name: str = Field(min_length=1)
    """Its own: no two rules have the same."""
    when: When = When()
    """Left out, the rule is for every call."""
    set: Settings = Settings()
    """Any of the settings above, only those that differ. Lists are replaced, not added to."""


class Host(Part):
    """An LLM host of your own: a self-hosted server, a private endpoint, a gateway."""

    host: str = Field(min_length=1)
    """A name, or a glob in which * is one label and ** several: vllm.corp.example, "*.openai.azure.com"."""
    provider: str = Field(min_length=1)
    """A provider's id from the built-in list, whose paths it then has, or a new one."""
    dialect: str | None = None
    """For a new provider: the dialect of all its paths, such as openai-chat. Left out, the well-known
    path endings (/chat/completions, /messages, …) tell."""
    port: Port | None = None
    """Left out, any port."""


class Connections(Part):
    """What happens before there is a call."""

    other_hosts: TunnelOrRefuse = "tunnel"
    """Hosts that are no LLM hosts."""
    opaque_hosts: TunnelOrRefuse = "tunnel"
    """LLM hosts whose protocol cannot be inspected (Cursor, Windsurf, gRPC)."""
    ip_literals: TunnelOrRefuse = "tunnel"
    """A CONNECT to a bare address, behind which an LLM host could hide."""
    metadata: Literal["refuse"] = "refuse"
    """Link-local and cloud-metadata addresses are never a target."""


class Identification(Part):
    """Who a call is attributed to."""

    groups: dict[str, Patterns] = Field(default_factory=dict)
    """Group name to its users."""
    session_headers: list[str] = ["x-tollgate-session", "session-id", "x-claude-code-session-id"]
    """The first of these that a request has names its session."""
    project_headers: list[str] = ["x-tollgate-project", "openai-project"]
    """The first of these that a request has names its project."""


class Resolve(Part):
    """Where a host really is, in place of DNS: split-horizon networks, private endpoints, tests."""

    address: str = Field(min_length=1)
    """An IP address, or another host name."""
    port: Port | None = None
    """Left out, the port that the client asked for."""
    ca: File | None = None
    """PEM file of the authority that signed its certificate, in place of the usual ones."""


class Upstream(Part):
    """Our own leg to the providers. Relative paths start at the folder that Tollgate runs in."""

    proxy: ProxyUrl | None = None
    """The company's egress proxy: http://proxy.corp.example:3128"""
    proxy_user: str | None = None
    """The user name it wants."""
    proxy_password_env: Variable | None = None
    """The environment variable that holds the proxy password."""
    ca: File | None = None
    """PEM file of authorities to trust besides the public ones."""
    client_cert: File | None = None
    """PEM file with a certificate and its key, shown to hosts that ask for one."""
    keepalive: Duration = 60.0
    """How long an idle connection to a provider is kept."""
    resolve: dict[HostName, Resolve] = Field(default_factory=dict)
    """Host name to where it really is."""


class Trail(Part):
    """The record of every call."""

    path: File | None = None
    """The JSON-lines file; left out, `trail/calls.jsonl` in the state folder."""
    on_full: Literal["refuse", "count"] = "refuse"
    """When a record cannot be written: "refuse" turns new calls away until it can; "count" goes on and
    counts what is missing."""
    flush: Duration = 1.0
    """The longest time a record waits before it is on disk."""


class PolicyFile(Settings):
    """A whole policy: the settings of every call, and what is set once for all."""

    version: Literal[1] = 1
    """Of this format."""
    hosts: list[Host] = Field(default_factory=list)
    """LLM hosts of your own. Those of several files are put together."""
    connections: Connections = Connections()
    identification: Identification = Identification()
    detection: Detection = Detection()
    targets: dict[Annotated[str, Field(pattern=NAME)], Target] = Field(default_factory=dict)
    """Where calls can be sent besides where the client wanted, by names of your own. `route` chooses."""
    credentials: dict[Annotated[str, Field(pattern=NAME)], Credential] = Field(default_factory=dict)
    """The company's own keys, by names of your own. `targets` use them."""
    upstream: Upstream = Upstream()
    cost: CostSettings = CostSettings()
    cache_storage: CacheStorage = CacheStorage()
    trail: Trail = Trail()
    rules: list[Rule] = Field(default_factory=list)
    """Settings for some calls, in order. Those of several files are put together."""


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a policy file, for editors."""
    schema = PolicyFile.model_json_schema(schema_generator=_WithoutTitles)
    return {"$schema": GenerateJsonSchema.schema_dialect, **schema, "title": "Tollgate policy"}


class _WithoutTitles(GenerateJsonSchema):
    """A title that only repeats the key is noise in an editor."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False
