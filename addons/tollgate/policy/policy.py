"""A policy in force: which settings govern which call, and which rule set them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from tollgate.policy.fields import Duration, Size, show_duration, show_size
from tollgate.policy.match import Condition, Facts, Matcher, compile_when, mismatch, names
from tollgate.policy.part import Part
from tollgate.policy.problem import PolicyError, Problem, Unfit, write_key
from tollgate.policy.schema import PolicyFile, Rule, Settings
from tollgate.policy.tree import EMPTY, Tree

REMEMBERED = 4096
"""How many different calls are remembered. Each costs about 200 bytes."""
LONGEST = 2000
"""Facts longer than this together are not remembered: clients choose them, and memory is bounded."""


class Row(NamedTuple):
    """One setting of a call, explained."""

    key: str
    value: str
    """As a policy writes it."""
    source: str
    """Who set it: "default", "policy.yaml:12" or 'rule "interns" (policy.yaml:40)'."""


class Policy:
    """What is allowed. It never changes: another policy takes its place."""

    def __init__(
        self, file: PolicyFile | None = None, tree: Tree = EMPTY, paths: tuple[Path, ...] = ()
    ) -> None:
        self.file = file or PolicyFile()
        self.paths = paths
        """The files it was read from, in order; none for the defaults."""
        self.tree = tree
        """Where each value of the file came from."""
        self.digest = digest(self.file)
        """The policy's version name: the same content has the same, however it is written."""
        self.base = Settings(**{name: getattr(self.file, name) for name in Settings.model_fields})
        """What governs a call that no rule is for."""
        self._rules = [(rule, compile_when(rule.when)) for rule in self.file.rules]
        groups = self.file.identification.groups
        self._groups = [(name, Matcher(users, names)) for name, users in groups.items()]
        self._key = key_of([condition for _, conditions in self._rules for condition in conditions])
        self._by_key: Memory[Settings] = Memory()
        self._by_rules: Memory[Settings] = Memory()
        self._by_user: Memory[tuple[str, ...]] = Memory()

    def settings_for(self, facts: Facts) -> Settings:
        """The settings that govern a call. The same rules give the same object."""
        key = self._key(facts)
        settings = self._by_key.get(key)
        if settings is None:
            settings = self._merged(self._matching(facts))
            if length(key) <= LONGEST:
                self._by_key.keep(key, settings)
        return settings

    def groups_of(self, user: str) -> tuple[str, ...]:
        """The groups a user is in, in the policy's order."""
        groups = self._by_user.get(user)
        if groups is None:
            groups = tuple(name for name, users in self._groups if users.matches((user,)))
            if len(user) <= LONGEST:
                self._by_user.keep(user, groups)
        return groups

    def judge(self, facts: Facts) -> list[tuple[Rule, str]]:
        """Every rule with the first key of its `when` that does not match; empty where the rule governs."""
        return [(rule, mismatch(conditions, facts)) for rule, conditions in self._rules]

    def explain(self, facts: Facts) -> list[Row]:
        """Every setting of a call with its value and who set it."""
        rules = self._matching(facts)
        found = leaves(self._merged(rules))
        return [Row(".".join(path), value, self._source(path, rules)) for path, value in found]

    @contextmanager
    def placing(self) -> Iterator[None]:
        """What of it a room cannot use (Unfit) is told with its place in the files, as a PolicyError."""
        try:
            yield
        except Unfit as e:
            found = self.tree.nearest(e.path)
            mark = found.key or found.mark
            raise PolicyError([Problem(mark, write_key(e.path), e.message)]) from e

    def _matching(self, facts: Facts) -> tuple[int, ...]:
        return tuple(n for n, (_, conditions) in enumerate(self._rules) if not mismatch(conditions, facts))

    def _merged(self, rules: tuple[int, ...]) -> Settings:
        settings = self._by_rules.get(rules)
        if settings is None:
            settings = self.base
            for n in rules:
                settings = overlay(settings, self._rules[n][0].set)
            self._by_rules.keep(rules, settings)
        return settings

    def _source(self, path: tuple[str, ...], rules: tuple[int, ...]) -> str:
        for n in reversed(rules):
            if set_here := self.tree.find(("rules", n, "set", *path)):
                return f'rule "{self._rules[n][0].name}" ({set_here.key})'
        set_here = self.tree.find(path)
        return str(set_here.key) if set_here else "default"


class Memory[V](dict[Hashable, V]):
    """A dict of bounded size, which forgets its oldest entry when it is full."""

    def keep(self, key: Hashable, value: V) -> None:
        if len(self) >= REMEMBERED:
            del self[next(iter(self))]
        self[key] = value


def key_of(conditions: list[Condition]) -> Callable[[Facts], Any]:
    """What gives, of a call's facts, only those that some condition looks at."""
    fields = sorted({condition.fact for condition in conditions if not condition.header})
    headers = sorted({condition.header.lower() for condition in conditions if condition.header})
    plain: Callable[[Facts], Any] = attrgetter(*fields) if fields else lambda facts: ()
    if not headers:
        return plain
    return lambda facts: (plain(facts), *[tuple(facts.headers.getall(name, ())) for name in headers])


def length(key: Any) -> int:
    """How many characters a key of `key_of` has."""
    return len(key or ()) if isinstance(key, str | None) else sum(map(length, key))


def overlay[P: Part](base: P, over: P) -> P:
    """A part with all that another one names in place of its own."""
    return base.model_copy(
        update={name: combine(getattr(base, name), getattr(over, name)) for name in over.model_fields_set}
    )


def combine(base: Any, over: Any) -> Any:
    """Parts and mappings merge, all else is replaced."""
    if isinstance(base, Part) and isinstance(over, type(base)):
        return overlay(base, over)
    if isinstance(base, dict) and isinstance(over, dict):
        return {**base, **{key: combine(base.get(key), value) for key, value in over.items()}}
    return over


def digest(file: PolicyFile) -> str:
    """A short name for what a policy says. Defaults count; of a rule's settings only those that it names."""
    content = file.model_dump(mode="json", exclude={"rules"})
    content["rules"] = [rule.model_dump(mode="json", exclude_unset=True) for rule in file.rules]
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()[:12]


def leaves(value: Any, path: tuple[str, ...] = (), kind: Any = None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every setting by its path, written as a policy writes it."""
    if isinstance(value, Part):
        for name, field in type(value).model_fields.items():
            yield from leaves(getattr(value, name), (*path, name), field.annotation)
    elif isinstance(value, dict) and value:
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    else:
        yield path, write(value, kind)


def write(value: Any, kind: Any = None) -> str:
    """A setting's value as a policy writes it."""
    if kind is Size:
        return show_size(value)
    if kind is Duration:
        return show_duration(value)
    return str(value) if isinstance(value, str) else orjson.dumps(value, default=str).decode()
