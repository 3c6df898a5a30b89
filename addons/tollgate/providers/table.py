"""Reads the rows of `providers.yaml` and `paths.yaml`, strictly: a slip is an error that says where."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from difflib import get_close_matches
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

OPERATIONS: Mapping[str, str] = {
    "chat": "a model answers a conversation",
    "responses": "the same through OpenAI's Responses API",
    "completions": "a model goes on with a text",
    "embeddings": "texts become vectors",
    "count_tokens": "how many tokens a request would have",
    "images": "pictures are made or changed",
    "audio": "speech is made, written down or translated",
    "video": "videos are made or changed",
    "files": "files are stored, listed, read or deleted",
    "uploads": "large files are stored in parts",
    "batches": "many calls at once, answered later",
    "moderations": "texts are classified or held against rules",
    "models": "models are listed, described or installed",
    "rerank": "documents are put in order for a query",
    "realtime": "live sessions of audio and text",
    "agents": "agents, their sessions and their memory",
    "conversations": "conversations that the provider keeps",
    "vector_stores": "collections of documents to search in",
    "decisions": "a model chooses among given answers",
    "ocr": "documents become text",
    "search": "the web or documents are searched",
    "other": "whatever else: settings, accounts, telemetry, unknown paths",
}
"""Every operation that a call may have, and what it is."""

DIALECTS = (
    "openai-chat",
    "openai-responses",
    "openai-completions",
    "openai-embeddings",
    "anthropic-messages",
    "gemini",
    "gemini-cloudcode",
    "gemini-interactions",
    "bedrock-converse",
    "bedrock-invoke",
    "cohere-chat",
    "ollama",
    "generic",
)
"""Every dialect that a path may speak; `tollgate.dialects` has a row for each."""

AUTH: Mapping[str, str] = {
    "bearer": "Authorization: Bearer, with an API key",
    "oauth": "Authorization: Bearer, with a token that a sign-in gave",
    "x-api-key": "the header x-api-key",
    "api-key": "the header api-key",
    "x-goog-api-key": "the header x-goog-api-key",
    "query-key": "?key= in the URL",
    "sigv4": "AWS Signature Version 4",
}
"""How clients prove who they are."""

_HOST = re.compile(r"[a-z0-9*-]+(?:\.[a-z0-9*-]+)*|[0-9a-f]*:[0-9a-f:]+")
_PIECES = r"(?:[\w/.:-]|\{\w+(?:\*|=[\w/.:|-]+)?\})*"
_PATH = re.compile(rf"/{_PIECES}(?:/\*\*)?")
_BASE = re.compile(rf"(?:(?:/|\{{\w+\*\}}){_PIECES})?")

type Family = tuple[Endpoint, ...]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of a path family, below one base."""

    method: str
    """The HTTP method in capitals, or "any"."""
    path: str
    """A pattern, as the head of `paths.yaml` explains."""
    dialect: str
    operation: str
    opaque: bool = False
    assumed: bool = False
    """True where perhaps it is not there: calls from clients are recognised, and none is put so by us."""


@dataclass(frozen=True, slots=True)
class Provider:
    """Who is spoken to. A policy's own host makes a copy of one, with its own `hosts` and `port`."""

    id: str
    name: str
    hosts: tuple[str, ...]
    """Exact names, or globs: `*` for one label or a part of one, `**` for one or more labels."""
    endpoints: tuple[Endpoint, ...] = field(default=(), repr=False)
    """In the order in which they are tried."""
    port: int | None = None
    """None for any."""
    opaque: bool = False
    """True where the protocol cannot be inspected."""
    shared: bool = False
    """True where the hosts serve more than LLM calls, so that an unknown path is no call."""
    auth: tuple[str, ...] = ()
    """Words of `AUTH`, the usual one first."""
    prices: str = ""
    """The provider's id in genai-prices; empty where it has none."""
    sources: tuple[str, ...] = ()
    checked: date | None = None
    """When the row was last compared with its sources; None for a policy's own provider."""


def nearest(word: str, words: Iterable[str]) -> str:
    """ "; did you mean 'hosts'?" for "host", for the end of an error message; empty for a far-off word."""
    found = get_close_matches(word, words, 1)
    return f"; did you mean {found[0]!r}?" if found else ""


def one_of(word: str, words: Iterable[str]) -> str:
    """The word, if it is one of these; else ValueError."""
    if word not in words:
        raise ValueError(f"{word!r} is none of {', '.join(words)}{nearest(word, words)}")
    return word


def host_or_glob(text: str) -> str:
    """The text, if it is a host's name or a glob for some, in lower case; else ValueError."""
    if not _HOST.fullmatch(text):
        raise ValueError(f"{text!r} is no host name or glob: lower case, no scheme, no port, no path")
    return text


def _matching(pattern: re.Pattern[str], kind: str) -> AfterValidator:
    """The value has to match the whole pattern."""

    def check(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(f"{text!r} is no {kind}")
        return text

    return AfterValidator(check)


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


type _Link = Annotated[str, _matching(re.compile(r"https://\S+"), "link (https://…)")]
type _Id = Annotated[str, _matching(re.compile(r"[a-z0-9-]+"), "id (small letters, digits, hyphens)")]
type _Auth = Annotated[str, AfterValidator(lambda word: one_of(word, AUTH))]
type _Bases = Annotated[list[Annotated[str, _matching(_BASE, "base path")]], BeforeValidator(_as_list)]


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _PathRow(_Row):
    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE", "any"] = "POST"
    path: Annotated[str, _matching(_PATH, "path pattern")]
    dialect: Annotated[str, AfterValidator(lambda word: one_of(word, DIALECTS))] = "generic"
    operation: Annotated[str, AfterValidator(lambda word: one_of(word, OPERATIONS))]
    opaque: bool = False
    assumed: bool = False


class _FamilyRow(_Row):
    sources: list[_Link] = Field(min_length=1)
    paths: list[dict[str, Any]] = Field(min_length=1)


class _ProviderRow(_Row):
    id: _Id
    name: str
    hosts: tuple[Annotated[str, AfterValidator(host_or_glob)], ...] = Field(min_length=1)
    port: int | None = Field(default=None, ge=1, le=65535)
    opaque: bool = False
    shared: bool = False
    speaks: dict[str, _Bases] = Field(default_factory=dict)
    auth: tuple[_Auth, ...]
    prices: str = ""
    sources: tuple[_Link, ...] = Field(min_length=1)
    checked: date


def read_families(text: str, file: str) -> dict[str, Family]:
    """The path families by name. ValueError that names file, family, row and key where something is wrong."""
    families = {}
    for name, value in _load(text, file, dict).items():
        family = _read(_FamilyRow, value, f"{file}: {name}")
        rows = (_read(_PathRow, row, f"{file}: {name}: row {n}") for n, row in enumerate(family.paths, 1))
        families[name] = tuple(Endpoint(**row.model_dump()) for row in rows)
    return families


def read_providers(text: str, file: str, families: Mapping[str, Family]) -> tuple[Provider, ...]:
    """The providers. ValueError that names file, row and key where something is wrong."""
    providers: dict[str, Provider] = {}
    owners: dict[tuple[str, int | None], str] = {}
    for number, value in enumerate(_load(text, file, list), 1):
        where = f"{file}: {_label(value, number)}"
        row = _read(_ProviderRow, value, where)
        if row.id in providers:
            raise ValueError(f"{where}: id: {row.id!r} is taken by an earlier row")
        for host in row.hosts:
            owner = owners.setdefault((host, row.port), row.id)
            if owner != row.id:
                raise ValueError(f"{where}: hosts: {host!r} belongs to {owner!r} already")
        providers[row.id] = _provider(row, families, where)
    return tuple(providers.values())


def shipped(name: str) -> str:
    """The text of a data file of this package."""
    return resources.files("tollgate.providers").joinpath(name).read_text("utf-8")


def below(base: str, family: Family) -> Family:
    """The family's paths below a base path."""
    return tuple(replace(endpoint, path=base + endpoint.path) for endpoint in family)


def _provider(row: _ProviderRow, families: Mapping[str, Family], where: str) -> Provider:
    endpoints: list[Endpoint] = []
    for name, bases in row.speaks.items():
        if name not in families:
            raise ValueError(f"{where}: speaks: no family is called {name!r}{nearest(name, families)}")
        endpoints += [endpoint for base in bases for endpoint in below(base, families[name])]
    return Provider(endpoints=tuple(endpoints), **row.model_dump(exclude={"speaks"}))


def _load[T](text: str, file: str, kind: type[T]) -> T:
    """The YAML document, which has to be a `kind`."""
    try:
        document = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise ValueError(f"{file}: this is no YAML: {error}") from None
    if not isinstance(document, kind):
        raise ValueError(f"{file}: the file has to be one {kind.__name__}")
    return document


def _label(value: Any, number: int) -> str:
    """How an error calls a row: by its id where it has one."""
    return str(value["id"]) if isinstance(value, dict) and "id" in value else f"row {number}"


def _read[T: _Row](model: type[T], value: Any, where: str) -> T:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        slips = (_slip(model, slip["type"], slip["loc"], slip["msg"]) for slip in error.errors())
        raise ValueError("; ".join(f"{where}: {slip}" for slip in slips)) from None


def _slip(model: type[_Row], kind: str, place: tuple[int | str, ...], message: str) -> str:
    key = ".".join(map(str, place)) or "row"
    if kind == "extra_forbidden":
        return f"unknown key {key!r}{nearest(key, model.model_fields)}"
    return f"{key}: {message.removeprefix('Value error, ')}"
