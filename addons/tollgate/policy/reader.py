"""Policy files, read strictly into a policy."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from tollgate.policy.complaint import complain
from tollgate.policy.parse import parse
from tollgate.policy.part import Part
from tollgate.policy.policy import Policy
from tollgate.policy.problem import Mark, PolicyError, Problem
from tollgate.policy.schema import PolicyFile
from tollgate.policy.targets import senseless
from tollgate.policy.tree import EMPTY, Tree, merge
from tollgate.policy.vocabulary import unmatched
from tollgate.providers import Providers

MAX_SIZE = 1024 * 1024
APPENDED = frozenset({"rules", "hosts"})


def load(paths: Iterable[Path]) -> Policy:
    """The policy that these files make, each over those before it: mappings merge, `rules` and `hosts` are
    put together, all else is replaced. None at all is the defaults. PolicyError says all that is wrong."""
    tree, paths = EMPTY, tuple(paths)
    for path in paths:
        tree = merge(tree, parse(read_text(path), str(path)), APPENDED)
    return Policy(validate(tree), tree, paths)


def read_text(path: Path) -> str:
    """A file's text. PolicyError where it cannot be read, is no UTF-8, or is larger than a policy can be."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
        text = content.decode("utf-8-sig")
    except OSError as e:
        raise _unreadable(path, f"cannot be read: {e.strerror}") from e
    except UnicodeDecodeError as e:
        raise _unreadable(path, f"is no UTF-8 text: byte {e.start} is {content[e.start]:#04x}") from e
    if len(content) > MAX_SIZE:
        raise _unreadable(path, "is larger than 1 MB, and so no policy")
    return text


def validate(tree: Tree) -> PolicyFile:
    """A tree as a policy file. PolicyError with every value that is wrong."""
    file = as_part(tree, PolicyFile)
    problems = [*_names_taken(tree, file), *_senseless_hosts(tree, file)]
    if problems := problems or [*senseless(tree, file), *unmatched(tree, file)]:
        raise PolicyError(problems)
    return file


def as_part[P: Part](tree: Tree, kind: type[P]) -> P:
    """A tree as a part. PolicyError with every value that is wrong."""
    try:
        return kind.model_validate(tree.plain())
    except ValidationError as e:
        errors = e.errors(include_url=False)
        raise PolicyError([complain(error, tree, kind) for error in errors]) from e


def _names_taken(tree: Tree, file: PolicyFile) -> Iterable[Problem]:
    seen: dict[str, Mark] = {}
    for n, rule in enumerate(file.rules):
        mark = tree.nearest(("rules", n, "name")).mark
        if first := seen.get(rule.name):
            yield Problem(mark, f"rules[{n}].name", f'the rule at {first} is called "{rule.name}" too')
        seen.setdefault(rule.name, mark)


def _senseless_hosts(tree: Tree, file: PolicyFile) -> Iterable[Problem]:
    """What `providers` would not take, so that no policy is put in force whose hosts it cannot have."""
    for n, host in enumerate(file.hosts):
        try:
            Providers.builtin().with_hosts([host])
        except ValueError as e:
            yield Problem(tree.nearest(("hosts", n)).mark, f"hosts[{n}]", str(e))


def _unreadable(path: Path, message: str) -> PolicyError:
    return PolicyError([Problem(Mark(str(path)), "", message)])
