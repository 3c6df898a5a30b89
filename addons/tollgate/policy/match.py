"""Which calls a rule is for: facts about a call, and patterns compiled once."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import translate

from multidict import CIMultiDict

from tollgate.calls import Headers
from tollgate.policy.fields import parse_network
from tollgate.policy.when import When

type Test = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Facts:
    """What rules can look at. A fact that is not known is the empty text."""

    user: str = ""
    groups: tuple[str, ...] = ()
    client: str = ""
    """The client's address, without port."""
    user_agent: str = ""
    tool: str = ""
    host: str = ""
    """Without port."""
    provider: str = ""
    dialect: str = ""
    operation: str = ""
    model: str | None = ""
    """None before the body that names it is read: no rule that asks for it is for the call then, nor one that
    asks that it be another."""
    headers: Headers = field(default_factory=CIMultiDict, compare=False)
    """Of the request. Two facts that differ only in these are equal."""


class Matcher:
    """Patterns, compiled: one of them has to match, and none of those with "!"."""

    __slots__ = ("_unwanted", "_wanted")

    def __init__(self, patterns: Iterable[str], compiled: Callable[[Sequence[str]], Test]) -> None:
        lower = [pattern.lower() for pattern in patterns]
        wanted = [pattern for pattern in lower if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in lower if pattern.startswith("!")]
        self._wanted = compiled(wanted) if wanted else None
        self._unwanted = compiled(unwanted) if unwanted else None

    def matches(self, values: Iterable[str]) -> bool:
        """Of several values (groups, a header sent twice) one has to match, and none may be unwanted."""
        lower = [value.lower() for value in values]
        if self._unwanted and any(map(self._unwanted, lower)):
            return False
        return self._wanted is None or any(map(self._wanted, lower))


def names(patterns: Sequence[str]) -> Test:
    """Plain names and globs."""
    plain = frozenset(pattern for pattern in patterns if not re.search(r"[*?\[]", pattern))
    globs = [translate(pattern) for pattern in patterns if pattern not in plain]
    if not globs:
        return plain.__contains__
    matched = re.compile("|".join(globs)).match
    return lambda value: value in plain or matched(value) is not None


def clients(patterns: Sequence[str]) -> Test:
    """Addresses, networks, and globs of addresses."""
    networks = [network for pattern in patterns if (network := parse_network(pattern))]
    named = names([pattern for pattern in patterns if not parse_network(pattern)])

    def test(value: str) -> bool:
        address = parse_address(value)
        if address is None:
            return named(value)
        return any(address in network for network in networks) or named(str(address))

    return test


def parse_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; that of an IPv4 client on an IPv6 socket (::ffff:10.0.0.1) as IPv4. None for other text."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


@dataclass(frozen=True, slots=True)
class Condition:
    """One key of a `when`."""

    key: str
    """As the policy writes it: "model", "headers.x-team"."""
    fact: str
    """The field of `Facts` it looks at."""
    matcher: Matcher
    header: str = ""
    """Which header, where the fact is `headers`."""

    def holds(self, facts: Facts) -> bool:
        if self.header:
            return self.matcher.matches(facts.headers.getall(self.header, ()))
        value = getattr(facts, self.fact)
        if value is None:
            return False
        return self.matcher.matches((value,) if isinstance(value, str) else value)


def compile_when(when: When) -> tuple[Condition, ...]:
    """The conditions of a `when`; none where it is for every call."""
    conditions = []
    for key in type(when).model_fields:
        value = getattr(when, key)
        if isinstance(value, list):
            compiled = clients if key == "client" else names
            conditions.append(Condition(key, _FACTS.get(key, key), Matcher(value, compiled)))
    for name, patterns in (when.headers or {}).items():
        conditions.append(Condition(f"headers.{name}", "headers", Matcher(patterns, names), name))
    return tuple(conditions)


_FACTS = {"group": "groups"}


def mismatch(conditions: Iterable[Condition], facts: Facts) -> str:
    """The first key that does not match these facts; empty where all do."""
    return next((condition.key for condition in conditions if not condition.holds(facts)), "")
