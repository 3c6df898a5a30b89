"""The way from a provider to a request's place: its host in a region, its path for an operation. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote

from tollgate.providers.table import Provider

_PLACEHOLDER = re.compile(r"\{(\w+)(\*)?(?:=([^}]*))?\}")
_USUAL: Mapping[str, str] = {"kind": "models"}
_VERSIONS: Mapping[str, Mapping[str, str]] = {
    "gemini": {"version": "v1beta"},  # https://ai.google.dev/gemini-api/docs/openai
    "vertex": {"version": "v1"},
}
"""Where a provider has a version of its own before the paths of every dialect."""
_BASES: Mapping[str, Mapping[str, str]] = {
    "gemini": {"version": "v1beta", "prefix": "/v1beta"},  # https://ai.google.dev/api/generate-content
    "gemini-interactions": {"version": "v1beta", "prefix": "/v1beta"},
    "openai-chat": {"version": "v1", "prefix": "/v1"},
    "openai-responses": {"version": "v1", "prefix": "/v1"},
    "openai-completions": {"version": "v1", "prefix": "/v1"},
    "openai-embeddings": {"version": "v1", "prefix": "/v1"},
    "anthropic-messages": {"version": "v1", "prefix": "/v1"},
}
"""What stands before a dialect's paths where nothing else is said, by the documents of who made it."""


def host_in(provider: Provider, region: str | None) -> str:
    """The provider's host, in a region where one is given. ValueError where the table does not tell."""
    if region is None:
        host = provider.hosts[0]
        if "*" in host:
            raise ValueError(f"{provider.id} has no host for all: name its host, or a region")
        return host
    label = region.lower()
    named = (host for host in provider.hosts if "*" not in host and label in re.split(r"[.-]", host))
    single = (host.replace("*", label) for host in provider.hosts if host.count("*") == 1)
    found = next(named, None) or next(single, None)
    if found is None:
        raise ValueError(f"{provider.id} has no host for the region {region}: name its host")
    return found


def path_of(provider: Provider, dialect: str, operation: str, values: Mapping[str, str]) -> str | None:
    """The path at which a provider takes an operation in a dialect, percent-encoded; None where the table has
    none, or one that asks for more than `values` has. Of a verb only the words that a row names will do. One
    that is only assumed comes last."""
    usual = {**_USUAL, **_BASES.get(dialect, {}), **_VERSIONS.get(provider.id, {})}
    known = {**usual, **{name: quote(text, safe="") for name, text in values.items() if text}}
    rows = (
        at.path
        for at in sorted(provider.endpoints, key=lambda at: at.assumed)
        if (at.dialect, at.operation, at.method) == (dialect, operation, "POST")
        and not at.path.endswith("**")
    )
    return next((path for row in rows if (path := _filled(row, known))), None)


def speaks(provider: Provider, operation: str) -> tuple[str, ...]:
    """The dialects in which a provider takes an operation, the usual one first; none that is only assumed."""
    rows = (at for at in provider.endpoints if at.operation == operation and not at.assumed)
    return tuple(dict.fromkeys(at.dialect for at in rows))


def _filled(row: str, known: Mapping[str, str]) -> str | None:
    def value(found: re.Match[str]) -> str:
        name, many, words = found.groups()
        text = known.get(name, "" if many else None)
        if text is None or (words and text not in words.split("|")):
            raise KeyError(name)
        return text

    try:
        return _PLACEHOLDER.sub(value, row)
    except KeyError:
        return None
