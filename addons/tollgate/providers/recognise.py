"""Tells from host, method and target who is spoken to, and in which dialect."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Protocol, Self
from urllib.parse import unquote

from tollgate.providers.table import (
    DIALECTS,
    Endpoint,
    Family,
    Provider,
    below,
    host_or_glob,
    one_of,
    read_families,
    read_providers,
    shipped,
)

_PIECE = re.compile(r"\{[^}]*\}|/\*\*$|[^{/]+|/")
_ALT = re.compile(r"(?:^|&)(?:\$|%24)?alt=([^&]*)")
_ANYWHERE = ("gemini", "anthropic", "ollama", "cohere", "bedrock", "openai")
"""The families whose endings tell the dialect below any prefix; those with the longer endings first."""
_ANY_PREFIX = "{prefix*}"
_ENCODED_SLASH = "\ue000"
"""Stands for %2F while a path is matched, so that it separates no segments; of private use in Unicode."""


class HostRow(Protocol):
    """A host of a policy's own, as `tollgate.policy` reads it."""

    @property
    def host(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def dialect(self) -> str | None: ...
    @property
    def port(self) -> int | None: ...


@dataclass(frozen=True, slots=True)
class Match:
    """What a request is."""

    provider: Provider
    dialect: str
    """A name in `tollgate.dialects`."""
    operation: str
    """A word of `OPERATIONS`."""
    params: Mapping[str, str]
    """The path's placeholders, decoded ("model", "verb", …), and "alt" where the query has it. An Azure
    deployment stands there as "model" too."""
    known: bool
    """False for a path that no row has; its dialect is "generic" and its operation "other"."""
    opaque: bool = False
    """True where the protocol of the host or of this path cannot be inspected."""


class Providers:
    """All providers: a policy's own hosts first, then the built-in rows. It never changes once it is made."""

    def __init__(self, rows: Iterable[Provider], families: Mapping[str, Family]) -> None:
        self._rows = tuple(rows)
        self._families = families
        self._exact: dict[tuple[str, int | None], Provider] = {}
        globs: list[tuple[str, Provider]] = []
        for row in self._rows:
            for host in row.hosts:
                if "*" in host:
                    globs.append((_host_pattern(host, row.port), row))
                else:
                    self._exact.setdefault((host, row.port), row)
        self._globs = re.compile("|".join(f"({pattern})" for pattern, _ in globs) or "(?!)")
        self._of_glob = [row for _, row in globs]
        self._provider_of = lru_cache(maxsize=4096)(self._find)
        self._recognise = lru_cache(maxsize=4096)(self._look_up)

    @classmethod
    def builtin(cls) -> Self:
        """Those that come with Tollgate."""
        rows, families = _shipped()
        return cls(rows, families)

    def with_hosts(self, hosts: Iterable[HostRow]) -> Self:
        """These and a policy's own hosts, which win over a built-in row for the same name.

        A row with the id of a known provider puts that provider's paths on another host. Any other id is
        a new provider: with a dialect, the paths of its family are recognised below any prefix and every
        other POST is that dialect too; without one, the well-known path endings tell. ValueError for a row
        that makes no sense.
        """
        return type(self)([*map(self._own, hosts), *self._rows], self._families)

    @property
    def rows(self) -> tuple[Provider, ...]:
        """All of them, in the order in which they are asked."""
        return self._rows

    def provider_of(self, host: str, port: int) -> Provider | None:
        """Whose host this is; None where it is no LLM host. Exact names go before globs."""
        return self._provider_of(host, port)

    def recognise(self, host: str, port: int, method: str, target: str) -> Match | None:
        """What a request is; None where the host is no LLM host. `target` is path and query, as sent."""
        path, _, query = target.partition("?")
        return self._recognise(host, port, method, path, _alt(query) if query else "")

    def _find(self, host: str, port: int) -> Provider | None:
        name = _normal(host)
        if row := self._exact.get((name, port)) or self._exact.get((name, None)):
            return row
        found = self._globs.fullmatch(f"{name}:{port}")
        return self._of_glob[found.lastindex - 1] if found and found.lastindex else None

    def _look_up(self, host: str, port: int, method: str, path: str, alt: str) -> Match | None:
        provider = self.provider_of(host, port)
        if provider is None:
            return None
        method, path = method.upper(), _plain(path)
        params = {"alt": alt} if alt else {}
        for at in provider.endpoints:
            if at.method in (method, "any") and (found := _path_pattern(at.path).fullmatch(path)):
                params |= _placeholders(found)
                opaque = provider.opaque or at.opaque
                return Match(provider, at.dialect, at.operation, MappingProxyType(params), True, opaque)
        return Match(provider, "generic", "other", MappingProxyType(params), False, provider.opaque)

    def _own(self, row: HostRow) -> Provider:
        host = host_or_glob(_normal(row.host))
        known = next((provider for provider in self._rows if provider.id == row.provider), None)
        if known is None:
            endpoints = self._endpoints_of_new(row.dialect)
            return Provider(row.provider, row.provider, hosts=(host,), endpoints=endpoints, port=row.port)
        if row.dialect:
            raise ValueError(f"{row.host}: {known.id!r} has its own dialects; leave `dialect` out")
        return replace(known, hosts=(host,), port=row.port)

    def _endpoints_of_new(self, dialect: str | None) -> Family:
        if dialect is None:
            anything = (at for name in _ANYWHERE for at in below(_ANY_PREFIX, self._families[name]))
            return tuple(replace(at, assumed=False) for at in anything)
        if one_of(dialect, DIALECTS) == "generic":
            return (Endpoint("POST", "/**", dialect, "other"),)
        speakers = (
            (family, at) for family in self._families.values() for at in family if at.dialect == dialect
        )
        family, first = next(speakers)
        return (*below(_ANY_PREFIX, family), Endpoint("POST", "/**", dialect, first.operation))


@cache
def _shipped() -> tuple[tuple[Provider, ...], dict[str, Family]]:
    families = read_families(shipped("paths.yaml"), "paths.yaml")
    return read_providers(shipped("providers.yaml"), "providers.yaml", families), families


def _normal(host: str) -> str:
    return host.strip("[]").removesuffix(".").lower()


def _host_pattern(glob: str, port: int | None) -> str:
    """For "host:port". No wildcard crosses a dot but `**`, and none is empty."""
    label = r"[\w-]+"
    host = re.escape(glob).replace(r"\*\*", rf"{label}(?:\.{label})*").replace(r"\*", label)
    return rf"{host}:{port or r'\d+'}"


@cache
def _path_pattern(path: str) -> re.Pattern[str]:
    """Compiled when it is first tried. Any case will do, as it does for Azure."""
    return re.compile("".join(map(_piece, _PIECE.findall(path))), re.IGNORECASE | re.DOTALL)


def _piece(piece: str) -> str:
    if piece == "/**":
        return "(?:/.*)?"
    if piece[0] != "{":
        return re.escape(piece)
    name, _, words = piece[1:-1].partition("=")
    if words:
        return f"(?P<{name}>{'|'.join(map(re.escape, words.split('|')))})"
    return f"(?P<{name[:-1]}>.*)" if name.endswith("*") else f"(?P<{name}>[^/]+)"


def _plain(path: str) -> str:
    """The path as a server would read it: decoded, without empty segments, `.` and `..`, or a last slash."""
    decoded = unquote(re.sub("%2f", _ENCODED_SLASH, path, flags=re.IGNORECASE))
    return "/" + posixpath.normpath(decoded).lstrip("/")


def _placeholders(found: re.Match[str]) -> dict[str, str]:
    params = {name: text.replace(_ENCODED_SLASH, "/") for name, text in found.groupdict().items()}
    if "deployment" in params:  # what Azure calls the model
        params["model"] = params["deployment"]
    return params


def _alt(query: str) -> str:
    found = _ALT.search(query)
    return unquote(found[1]) if found else ""
