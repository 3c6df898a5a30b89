"""What is never a finding, as a policy says."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import regex

from tollgate.dlp.windows import TIMEOUT, DetectionFailed
from tollgate.policy.dlp import Allowed
from tollgate.policy.match import Matcher, names

_HOST = regex.compile(r"(?:[a-z][a-z0-9+.\-]*://)?(?:[^/@\s]*@)?([\w.\-]+)", regex.IGNORECASE)


def _host(url: str) -> str:
    found = _HOST.match(url)
    return found[1] if found else ""


_DOMAINS: Mapping[str, Callable[[str], str]] = {
    "EMAIL_ADDRESS": lambda address: address.rpartition("@")[2],
    "URL": _host,
}
"""How to find the domain of what has one."""


class AllowList:
    """Values, regular expressions and domains."""

    def __init__(self, policy: Allowed) -> None:
        self._values = frozenset(policy.values)
        self._regexes = [regex.compile(pattern) for pattern in policy.regexes]
        self._domains = Matcher(policy.domains, names) if policy.domains else None

    def allows(self, value: str, entity: str) -> bool:
        """Whether this value of this entity is no finding."""
        if value in self._values or (self._regexes and self._matched(value)):
            return True
        return entity in _DOMAINS and self._at_home(_DOMAINS[entity](value))

    def _matched(self, value: str) -> bool:
        try:
            return any(allowed.fullmatch(value, timeout=TIMEOUT) for allowed in self._regexes)
        except TimeoutError as e:
            raise DetectionFailed(f"an allowed expression took longer than {TIMEOUT:g} s") from e

    def _at_home(self, domain: str) -> bool:
        return self._domains is not None and self._domains.matches([domain.rstrip(".")])
