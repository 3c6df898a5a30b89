"""What makes two calls ask the same. Pure.

A key is a digest of the canonical form of the redacted request: everything that may change the answer, and
nothing that does not. It errs on one side only: two calls that ask the same may have different keys.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tollgate.cache.neutral import (
    BILLING,
    FORM_PARAMETERS,
    HEADER_PREFIXES,
    HEADERS,
    NEUTRAL,
    OWN,
    Neutral,
)
from tollgate.calls import Call, Identity, Request
from tollgate.calls.credentials import SECRET_PARAMETERS
from tollgate.policy.cache import Scope
from tollgate.policy.routing import Route, Target

_LONG_NUMBER = re.compile(rb"(?<=[:,\[\s])-?\d[\d.eE+-]{14,}")
_ROUNDED = re.compile(rb"[:,\[]-?(?:\d[\d.]{14,}|[\d.]+e[+-]?\d)")
"""Numbers that may have lost digits when they were read as 64 bits, as they are written again."""
_OF_ROUTES = {"models", "headers", "parameters"}
_OF_TARGETS = {
    *("provider", "host", "port", "region", "path", "dialect"),
    *("model", "models", "headers", "parameters"),
}
_NESTED = (dict, list)
_SORTED = orjson.OPT_SORT_KEYS


def canonical(
    call: Call, scope: str, tree: Any = None, route: Mapping[str, Any] = MappingProxyType({})
) -> bytes:
    """The canonical form; `tree` may stand in for the body's, `route` is what `route_of` gives. ValueError
    where the request has none."""
    body = call.request.body
    if not body.parsed:
        raise ValueError("the body is no JSON")
    told = asked(call, tree)
    told["scope"] = scope
    if route:
        told["route"] = route
    form = orjson.dumps(told, option=_SORTED)
    if not body.as_written and _ROUNDED.search(form):
        form += b" ".join(sorted(filter(_lost_digits, _LONG_NUMBER.findall(body.render()))))
    return form


def _lost_digits(number: bytes) -> bool:
    """True where it is not written as orjson would write it; what is no number stands in a text."""
    try:
        return orjson.dumps(orjson.loads(number)) != number
    except ValueError:
        return False


def asked(call: Call, tree: Any = None) -> dict[str, Any]:
    """All of a request that may change its answer; its body, or `tree` in its place, is None where that is no
    JSON."""
    request = call.request
    return {
        "provider": call.provider,
        "dialect": call.dialect.name,
        "operation": call.operation,
        "url": [request.method, request.host, request.port, _path(call), *_query(request)],
        "headers": _headers(request),
        "body": without(request.body.json if tree is None else tree, NEUTRAL.get(call.dialect.name, {})),
    }


def route_of(route: Route, targets: Mapping[str, Target]) -> Mapping[str, Any]:
    """What of a route decides which model answers, and what it is asked; nothing where calls stay as they
    are. Other rules, and a later policy, have other routes for the same request."""
    if route.idle:
        return {}
    told = route.model_dump(include=_OF_ROUTES, exclude_defaults=True)
    names = [choice.target for choice in route.targets]
    if any(name in targets for name in names):
        told["targets"] = [[name, _told(targets.get(name))] for name in names]
    return told


def _told(target: Target | None) -> Any:
    """None for the one that is always there: "same"."""
    return target and target.model_dump(include=_OF_TARGETS, exclude_defaults=True)


def scope_of(scope: Scope, identity: Identity, groups: tuple[str, ...]) -> str:
    """Who may get the answer. What is not known is the user's own."""
    known = _KNOWN[scope](identity, groups)
    return f"{scope}:{known}" if known else f"only:{identity.user}"


_KNOWN: Mapping[Scope, Callable[[Identity, tuple[str, ...]], str]] = {
    "credential": lambda identity, groups: identity.credential,
    "user": lambda identity, groups: identity.user,
    "group": lambda identity, groups: ",".join(sorted(groups)),
    "project": lambda identity, groups: identity.project,
    "all": lambda identity, groups: "all",
}


def without(tree: Any, neutral: Neutral) -> Any:
    """The tree without what is neutral; what it shares with the given one is not copied."""
    return _Walk().value(tree, neutral)


class _Walk:
    """Leaves neutral fields out, and numbers links by their first appearance."""

    __slots__ = ("_links",)

    def __init__(self) -> None:
        self._links: dict[str, int] = {}

    def value(self, tree: Any, neutral: Neutral) -> Any:
        if type(tree) is list:
            return [new for old in tree if (new := self.value(old, neutral)) is old or new != {}]
        if type(tree) is not dict:
            return tree
        touched = [
            name
            for name in tree
            if name in neutral
            and (type(neutral[name]) is not dict or type(tree[name]) in _NESTED)  # a table leads into fields
        ]
        if not touched:
            return tree
        changed = dict(tree)
        for name in sorted(touched):  # links are numbered in an order that the client does not choose
            below, item = neutral[name], tree[name]
            if isinstance(below, tuple):
                changed[name] = _steady(item, below)
            elif not isinstance(below, str):
                changed[name] = self.value(item, below)
            elif below == "link":
                changed[name] = self._link(item)
            elif _LEFT_OUT[below](tree, item):
                del changed[name]
        return changed

    def _link(self, id: Any) -> Any:
        return {"link": self._links.setdefault(id, len(self._links))} if type(id) is str else id


def _is_own(item: Mapping[str, Any]) -> bool:
    """True for an item that its client made, and sends in full."""
    kind = item.get("type", "message")
    return type(kind) is str and item.get("role") != "assistant" and bool(item.get(OWN.get(kind, "")))


_LEFT_OUT: Mapping[str, Callable[[Mapping[str, Any], Any], bool]] = {
    "skip": lambda tree, item: True,
    "own": lambda tree, item: _is_own(tree),
    "billing": lambda tree, item: type(item) is str and BILLING.fullmatch(item) is not None,
}
"""What becomes of a leaf, by what stands beside it and what it is."""


def _steady(text: Any, passing: Iterable[re.Pattern[str]]) -> Any:
    if type(text) is str:
        for pattern in passing:
            text = pattern.sub(r"\1…", text, count=1)
    return text


def _path(call: Call) -> str:
    """The path, without the verb that only says whether the answer is streamed."""
    path = call.request.path
    verb = call.params.get("verb", "")
    return path.removesuffix(verb) if verb and streams_by_verb(call) else path


def streams_by_verb(call: Call) -> bool:
    """True where the path has a verb for whole answers and one for streamed ones."""
    return bool(call.dialect.stream_verbs) and call.operation == "chat"


def _query(request: Request) -> list[tuple[str, str]]:
    """What counts of the query: not what signs it."""
    if "?" not in request.target:
        return []
    pairs = parse_qsl(request.target.partition("?")[2], keep_blank_values=True)
    ignored = FORM_PARAMETERS | SECRET_PARAMETERS
    return sorted((n, v) for n, v in pairs if n.lower() not in ignored and not n.lower().startswith("x-amz-"))


def _headers(request: Request) -> Mapping[str, list[str]]:
    """What counts of the headers. Lists such as betas are sets."""
    told = {}
    for name in _counting(tuple(request.headers)):
        values = ",".join(request.headers.getall(name)).split(",")
        told[name] = sorted({value.strip() for value in values})
    return told


@lru_cache(maxsize=256)
def _counting(names: tuple[str, ...]) -> Iterable[str]:
    """Those of a request's names that count. One client's requests have the same ones, as a rule."""
    lower = sorted({name.lower() for name in names})
    return tuple(name for name in lower if name in HEADERS or name.startswith(HEADER_PREFIXES))
