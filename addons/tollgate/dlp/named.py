"""Whether there is all that a policy names: a misspelt name would be a rule that never holds."""

from __future__ import annotations

from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path

from tollgate.dlp.known import RULE as KNOWN_VALUE
from tollgate.dlp.phones import check_regions
from tollgate.dlp.secrets import rule_ids
from tollgate.policy import Policy, PolicyFile
from tollgate.policy.dlp import Detection, Dlp

type Steps = tuple[str | int, ...]

_GROUPS = frozenset(("SECRET", "PERSONAL"))
_GLOB = frozenset("*?[!")


def check_names(policy: Policy, cache: Path) -> None:
    """PolicyError for an entity, a country, a region or a secret rule that there is not. `cache` is a folder
    of ours.

    It takes seconds where there is anything to look up.
    """
    file = policy.file
    actions = [(path, name) for path, name in _actions(file) if name not in _GROUPS]
    if actions or _names_any(file.detection):
        with policy.placing():
            check_regions(file.detection.phone_regions)
            _check(file.detection, actions, cache)


def _names_any(detection: Detection) -> bool:
    """Whether any names are not those of the defaults."""
    named = attrgetter("entities", "countries", "without", "thresholds", "phone_regions", "secrets.without")
    return bool(named(detection) != named(Detection()))


def _check(detection: Detection, actions: list[tuple[Steps, str]], cache: Path) -> None:
    from tollgate.dlp.presidio import all_entities, entities, need_one_of  # imports for seconds

    entities(detection)
    known = all_entities(detection) | _GROUPS
    for path, name in actions:
        if name not in known:
            known |= rule_ids(detection.secrets, cache) | {KNOWN_VALUE}
            need_one_of(known, name, "entity, group or secret rule", path)
    for n, name in enumerate(detection.secrets.without):
        if _GLOB.isdisjoint(name):
            ids = rule_ids(detection.secrets, cache)
            need_one_of(ids, name, "secret rule", ("detection", "secrets", "without", n))


def _actions(file: PolicyFile) -> Iterator[tuple[Steps, str]]:
    """Every name that has an action of its own, and where."""
    yield from _actions_of(file.dlp, ("dlp",))
    for n, rule in enumerate(file.rules):
        yield from _actions_of(rule.set.dlp, ("rules", n, "set", "dlp"))


def _actions_of(dlp: Dlp, path: Steps) -> Iterator[tuple[Steps, str]]:
    yield from (((*path, "actions", name), name) for name in dlp.actions)
    yield from (((*path, "answers", "actions", name), name) for name in dlp.answers.actions)
