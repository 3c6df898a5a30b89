"""Whether targets, credentials and routes make sense together, and whose place a target is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tollgate.policy.match import Matcher, names
from tollgate.policy.problem import Problem, write_key
from tollgate.policy.routing import Route, Target
from tollgate.policy.schema import PolicyFile
from tollgate.policy.tree import Steps, Tree
from tollgate.policy.vocabulary import unknown
from tollgate.providers import Providers
from tollgate.providers.places import host_in
from tollgate.providers.table import DIALECTS, Provider, one_of

SAME, CLIENT = "same", "client"


@dataclass(frozen=True, slots=True)
class _Own:
    """A target's host as `Providers.with_hosts` takes it."""

    host: str
    provider: str
    dialect: str | None
    port: int | None


def place_of(name: str, target: Target, providers: Providers) -> tuple[Provider | None, str]:
    """Whose a target is, and its host; (None, "") for one that stays where the client wanted. ValueError
    where that cannot be told."""
    if target.provider:
        return _named(target, target.provider, providers)
    if not target.host:
        if target.region:
            raise ValueError("a region is one of a provider: name the provider")
        return None, ""
    port = target.port or (443 if target.scheme == "https" else 80)
    if not target.dialect and (found := providers.provider_of(target.host, port)):
        return found, target.host
    if not target.dialect:
        raise ValueError(f"nobody knows how {target.host} speaks: name its provider or its dialect")
    own = providers.with_hosts([_Own(target.host, name, target.dialect, port)])
    return own.provider_of(target.host, port), target.host


def _named(target: Target, provider: str, providers: Providers) -> tuple[Provider, str]:
    """The place of a target that names its provider. A policy's own `hosts` may have several of one."""
    rows = [row for row in providers.rows if row.id == provider]
    if not rows:
        raise ValueError(unknown("provider", provider, (row.id for row in providers.rows)))
    problems = []
    for row in rows:
        try:
            return row, target.host or host_in(row, target.region)
        except ValueError as e:
            problems.append(str(e))
    raise ValueError(problems[0])


def senseless(tree: Tree, file: PolicyFile) -> Iterator[Problem]:
    """Everything about targets, credentials and routes that cannot be."""
    providers = Providers.builtin().with_hosts(file.hosts)
    for name, target in file.targets.items():
        for key, message in _wrong_target(name, target, file, providers):
            yield _problem(tree, ("targets", name, *key), message)
    if CLIENT in file.credentials:
        yield _problem(tree, ("credentials", CLIENT), '"client" always is the client\'s own key')
    routes: list[tuple[Steps, Route]] = [(("route",), file.route)]
    routes += [(("rules", n, "set", "route"), rule.set.route) for n, rule in enumerate(file.rules)]
    canary = any(route.strategy == "canary" for _, route in routes)
    for path, route in routes:
        for n, choice in enumerate(route.targets):
            if choice.target not in (SAME, *file.targets):
                yield _problem(tree, (*path, "targets", n), unknown("target", choice.target, file.targets))
        if wrong := _wrong_shares(route, canary):
            yield _problem(tree, (*path, "targets"), wrong)
        if unpriced := _unpriced(route, file):
            message = f'nobody knows what "{unpriced}" costs: set cost.enabled to true, or agreed prices'
            yield _problem(tree, (*path, "strategy"), message)


def _wrong_shares(route: Route, canary: bool) -> str:
    """What is wrong with the shares of a route's targets; empty where they add up. `canary`: whether any
    route has that strategy, of which another may take it over."""
    shares = [choice.share for choice in route.targets if choice.share is not None]
    if shares and not canary:
        return "a share is for the strategy canary: set strategy: canary, or give a weight"
    if (total := round(sum(shares), 9)) > 1:
        return f"the shares add up to {total:g}, which is more than all calls (1)"
    if shares and total < 1 and len(shares) == len(route.targets):
        return f"{1 - total:g} of the calls have no target: leave out one share, for the rest"
    return ""


def _unpriced(route: Route, file: PolicyFile) -> str:
    """The first target of a route to the cheapest one whose price cannot be known; empty for none."""
    if route.strategy != "cheapest" or file.cost.enabled:
        return ""
    named = (choice.target for choice in route.targets or file.route.targets)
    return next((name for name in named if not _is_priced(file.targets.get(name))), "")


def _is_priced(target: Target | None) -> bool:
    agreed = target.prices if target else None
    return agreed is not None and agreed.input is not None and agreed.output is not None


def _wrong_target(
    name: str, target: Target, file: PolicyFile, providers: Providers
) -> Iterator[tuple[Steps, str]]:
    if name == SAME:
        yield (), '"same" always is where the client wanted to go'
    if target.dialect:
        try:
            one_of(target.dialect, DIALECTS)
        except ValueError as e:
            yield ("dialect",), str(e)
            return
    host = ""
    try:
        _, host = place_of(name, target, providers)
    except ValueError as e:
        yield (), str(e)
    if target.check and not (target.host or target.provider):
        yield ("check",), "this target is wherever the client wanted: name the host or provider to check"
    for credential in target.credential:
        if credential != CLIENT and credential not in file.credentials:
            yield ("credential",), unknown("credential", credential, file.credentials)
        elif credential != CLIENT and host and not may_go_to(file.credentials[credential].hosts, host):
            yield ("credential",), f'"{credential}" may not be sent to {host}: its `hosts` do not name it'


def may_go_to(hosts: Iterable[str], host: str) -> bool:
    """Whether a credential with these `hosts` may be sent to that host."""
    return Matcher(hosts, names).matches((host,))


def _problem(tree: Tree, path: Steps, message: str) -> Problem:
    return Problem(tree.nearest(path).mark, write_key(path), message)
