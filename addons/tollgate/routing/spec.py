"""A target of the policy with its place found, and what a call becomes there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache

from tollgate.calls import CLIENT, SAME, Call, Runtime
from tollgate.policy.routing import Route, Target
from tollgate.policy.targets import place_of
from tollgate.providers import Providers
from tollgate.providers.places import speaks
from tollgate.providers.table import Provider
from tollgate.routing.translation import can

_ALIKE = ("chat", "responses")
"""Operations that are one thing in different dialects: a model answers a conversation."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A target, ready to be asked about."""

    name: str
    settings: Target
    provider: Provider | None = None
    """None for one that stays where the client wanted."""
    host: str = ""

    def host_for(self, call: Call) -> str:
        return self.host or call.request.host

    def provider_for(self, call: Call) -> str:
        return self.provider.id if self.provider else call.provider

    def stays(self, call: Call) -> bool:
        """True where the call goes to the host that the client wanted."""
        return self.host_for(call) == call.request.host

    def credentials(self, call: Call) -> tuple[str, ...]:
        """Which keys may be shown there; none for a target that gets no key at all."""
        return tuple(self.settings.credential) or ((CLIENT,) if self.stays(call) else ())

    def model_for(self, call: Call, route: Route) -> str:
        """The model to ask for; empty where the request names none."""
        if not call.model:
            return ""
        named = alias(route.models, call.model) or call.model
        return self.settings.model or alias(self.settings.models, named) or named

    def dialect_for(self, call: Call) -> str:
        """How the call is put to it; empty where nobody can."""
        wanted = call.dialect.name
        if self.settings.dialect:
            spoken: Iterable[str] = (self.settings.dialect,)
        elif self.provider is None or self.provider.id == call.provider or self.settings.path:
            return wanted
        else:
            spoken = _spoken(self.provider, call.operation)
        return next((name for name in spoken if name == wanted), "") or next(
            (name for name in spoken if can(wanted, name)), ""
        )


STAY = Spec(SAME, Target())
"""Where the client wanted to go."""


def specs_of(runtime: Runtime) -> dict[str, Spec]:
    """The targets of a policy, "same" among them. ValueError where one has no place."""
    return {SAME: STAY} | {
        name: _spec(name, target, runtime.providers) for name, target in runtime.policy.file.targets.items()
    }


def alias(names: Mapping[str, str], model: str) -> str:
    """What a model's name stands for; empty where nothing is said of it. A plain name goes before a glob."""
    low = model.lower()
    exact = (to for name, to in names.items() if name.lower() == low)
    globs = (to for name, to in names.items() if fnmatchcase(low, name.lower()))
    return next(exact, "") or next(globs, "")


def _spec(name: str, target: Target, providers: Providers) -> Spec:
    provider, host = place_of(name, target, providers)
    return Spec(name, target, provider, host)


@lru_cache(maxsize=1024)
def _spoken(provider: Provider, operation: str) -> tuple[str, ...]:
    """The dialects in which a provider takes an operation; the operation's own first."""
    others = _ALIKE if operation in _ALIKE else ()
    return tuple(d for name in dict.fromkeys((operation, *others)) for d in speaks(provider, name))
