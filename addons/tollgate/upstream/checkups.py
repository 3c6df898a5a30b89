"""What a check asks of a target, and what its outcome says. Pure but for the checkup it writes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import inf

from multidict import CIMultiDict

from tollgate.calls import CLIENT, Body, Checkup, Headers, Request, Runtime
from tollgate.policy.check import Check
from tollgate.policy.routing import Target
from tollgate.policy.targets import place_of

_USUAL = {"User-Agent": "tollgate", "Accept": "application/json"}
_NEEDED: Mapping[str, dict[str, str]] = {
    "anthropic": {"anthropic-version": "2023-06-01"},  # https://platform.claude.com/docs/en/api/versioning
}
"""Without which a provider answers nobody."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A target that is checked, and its place."""

    name: str
    settings: Target
    check: Check
    provider: str
    host: str

    @property
    def credentials(self) -> tuple[str, ...]:
        """The policy's own keys for it: there is no client whose key could be shown."""
        return tuple(name for name in self.settings.credential if name != CLIENT)


def subjects_of(runtime: Runtime) -> list[Subject]:
    """The targets of a policy that are checked. ValueError where one has no place."""
    found = []
    for name, target in runtime.policy.file.targets.items():
        if target.check is not None:
            provider, host = place_of(name, target, runtime.providers)
            found.append(Subject(name, target, target.check, provider.id if provider else "", host))
    return found


def request_for(subject: Subject) -> Request:
    """What a check sends, without a key."""
    settings = subject.settings
    usual = 443 if settings.scheme == "https" else 80
    port = settings.port or usual
    headers: Headers = CIMultiDict({"Host": subject.host if port == usual else f"{subject.host}:{port}"})
    headers.update(_USUAL | _NEEDED.get(subject.provider, {}))
    for name in settings.headers.remove:
        headers.popall(name, None)
    headers.update(settings.headers.set)
    return Request("GET", settings.scheme, subject.host, port, subject.check.path, headers, Body(b""))


def passes(status: int, wanted: Collection[str]) -> bool:
    """Whether a status is one of "200", "2xx"."""
    return str(status) in wanted or f"{status // 100}xx" in wanted


def note(checkup: Checkup, check: Check, problem: str, sent: float, now: float) -> str:
    """Write down how a check went; gives what has changed by it, for a log, or nothing."""
    if problem:
        return _note_failure(checkup, check, problem, now)
    before, since = checkup.problem, checkup.changed_at
    checkup.failures, checkup.problem, checkup.passed_at = 0, "", sent
    if not before:
        return ""
    checkup.changed_at = now
    return f"passes its check again, after {now - (since or now):.0f} s"


def _note_failure(checkup: Checkup, check: Check, problem: str, now: float) -> str:
    checkup.failures += 1
    if checkup.failures < check.failures:
        return ""
    before, checkup.problem = checkup.problem, problem
    if before:
        return ""
    checkup.changed_at = now
    times = "" if checkup.failures == 1 else f" {checkup.failures} times in a row"
    return f"fails its check{times} and is left alone: {problem}"


def told(checkup: Checkup, now: float) -> dict[str, object]:
    """A checkup for /healthz: passing, failing (it is left alone), or pending (nothing is known yet)."""
    if checkup.problem:
        seconds = round(now - (checkup.changed_at or now))
        return {"check": "failing", "seconds": seconds, "problem": checkup.problem}
    state = "passing" if checkup.passed_at > -inf else "pending"
    return {"check": state, **({"failures": checkup.failures} if checkup.failures else {})}
