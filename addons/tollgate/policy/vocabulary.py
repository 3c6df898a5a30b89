"""Whether patterns can match anything at all, where it is known what there is: a rule that never applies is a
mistake that nobody would notice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from tollgate.policy.match import Matcher, names
from tollgate.policy.problem import Problem, write_key
from tollgate.policy.schema import PolicyFile, Settings
from tollgate.policy.tree import Steps, Tree
from tollgate.policy.when import When
from tollgate.providers import Providers
from tollgate.providers.table import DIALECTS, OPERATIONS

type Found = Iterator[tuple[Steps, str, list[str] | None]]
"""Where patterns stand, what they are patterns of, and themselves."""

_WHAT = {"group": "group of identification.groups"}


def unmatched(tree: Tree, file: PolicyFile) -> Iterator[Problem]:
    """The patterns of a policy that nothing can match."""
    known = vocabularies(file)
    for path, what, patterns in _patterns(file):
        for n, pattern in enumerate(patterns or ()):
            if not Matcher([pattern.removeprefix("!")], names).matches(known[what]):
                place = (*path, n) if tree.find((*path, n)) else path
                yield Problem(
                    tree.nearest(place).mark,
                    write_key(place),
                    unknown(_WHAT.get(what, what), pattern, known[what]),
                )


def vocabularies(file: PolicyFile) -> dict[str, tuple[str, ...]]:
    """All the words there are, by the key of a `when` that asks for them."""
    providers = dict.fromkeys(row.id for row in Providers.builtin().with_hosts(file.hosts).rows)
    return {
        "operation": tuple(OPERATIONS),
        "dialect": DIALECTS,
        "provider": tuple(providers),
        "group": tuple(file.identification.groups),
    }


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """That there is no such thing, and what was probably meant."""
    near = get_close_matches(name.removeprefix("!"), list(known), 1)
    return f'no {what} is called "{name}"' + (f'; did you mean "{near[0]}"?' if near else "")


def _patterns(file: PolicyFile) -> Found:
    yield from _of_settings((), file)
    for n, rule in enumerate(file.rules):
        yield from _of_when(("rules", n, "when"), rule.when)
        yield from _of_settings(("rules", n, "set"), rule.set)
    for n, budget in enumerate(file.cost.budgets):
        yield from _of_when(("cost", "budgets", n, "when"), budget.when)


def _of_when(path: Steps, when: When) -> Found:
    yield (*path, "operation"), "operation", when.operation
    yield (*path, "dialect"), "dialect", when.dialect
    yield (*path, "provider"), "provider", when.provider
    yield (*path, "group"), "group", when.group


def _of_settings(path: Steps, settings: Settings) -> Found:
    yield (*path, "cache", "operations"), "operation", settings.cache.operations
    for n, choice in enumerate(settings.route.targets):
        yield (*path, "route", "targets", n, "operations"), "operation", choice.operations
