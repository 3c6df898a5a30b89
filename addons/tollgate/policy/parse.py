"""YAML 1.2, read strictly: a policy has one meaning, and a person can see it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from tollgate.policy.problem import Mark, PolicyError, Problem, write_key
from tollgate.policy.tree import Steps, Tree

MAX_DEPTH = 32
MAX_VALUES = 100_000
"""How many values a file may have once its aliases are followed: a few lines can stand for billions."""

_TAGS = "tag:yaml.org,2002:"
_NEED_QUOTES = frozenset("*&!@%`")


def parse(text: str, file: str) -> Tree:
    """The one document of a text; an empty text is an empty mapping. PolicyError where it is no YAML, has a
    key twice, a tag, a merge key, or more in it than a policy can have."""
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth = MAX_DEPTH
    yaml.composer.warn_double_anchors = False
    try:
        node = yaml.compose(text)
    except YAMLError as e:
        raise PolicyError([_syntax_problem(e, text, file)]) from e
    return _Builder(file).whole(node)


class _Builder:
    """Turns ruamel's nodes into a tree, and collects what is wrong with them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.values = 0

    def whole(self, node: Node | None) -> Tree:
        tree = self.tree(node, ()) if node else Tree({}, Mark(self.file, 1))
        if self.problems:
            raise PolicyError(self.problems)
        return tree

    def tree(self, node: Node, path: Steps, key: Node | None = None) -> Tree:
        self.values += 1
        if self.values > MAX_VALUES or len(path) > MAX_DEPTH:
            self.complain(node, (), "with its aliases followed, this is larger than a policy can be")
            raise PolicyError(self.problems)
        return Tree(self.value(node, path), self.mark(node), self.mark(key) if key else None)

    def value(self, node: Node, path: Steps) -> Any:
        kind = str(node.tag).removeprefix(_TAGS)
        if isinstance(node, MappingNode) and kind == "map":
            return self.mapping(node, path)
        if isinstance(node, SequenceNode) and kind == "seq":
            return [self.tree(child, (*path, n)) for n, child in enumerate(node.value)]
        if isinstance(node, ScalarNode) and kind in _SCALARS:
            return self.scalar(node, path, kind)
        hint = f': a text that begins with "!" needs quotes: "{kind}"' if kind.startswith("!") else ""
        self.complain(node, path, f"the tag {kind} has no meaning in a policy{hint}")
        return None

    def mapping(self, node: MappingNode, path: Steps) -> dict[str, Tree]:
        found: dict[str, Tree] = {}
        for key, child in node.value:
            if not isinstance(key, ScalarNode) or key.tag != _TAGS + "str":
                self.complain(key, path, _not_a_key(key))
            elif first := found.get(key.value):
                line = (first.key or first.mark).line
                self.complain(key, (*path, key.value), f"the same key stands in line {line} already")
            else:
                found[key.value] = self.tree(child, (*path, key.value), key)
        return found

    def scalar(self, node: ScalarNode, path: Steps, kind: str) -> Any:
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            self.complain(node, path, f"this is no {kind}")
            return None

    def mark(self, node: Node) -> Mark:
        start, end = node.start_mark, node.end_mark
        one_line = isinstance(node, ScalarNode) and end.line == start.line
        return Mark(self.file, start.line + 1, start.column + 1, end.column - start.column if one_line else 1)

    def complain(self, node: Node, path: Steps, message: str) -> None:
        self.problems.append(Problem(self.mark(node), write_key(path), message))


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _int(text: str) -> int:
    return int(text, 0 if text.lstrip("+-")[:2].lower() in ("0x", "0o", "0b") else 10)


def _float(text: str) -> float:
    return float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))


_SCALARS: dict[str, Callable[[str], object]] = {
    "str": str,
    "timestamp": str,
    "int": _int,
    "float": _float,
    "bool": _bool,
    "null": lambda text: None,
}


def _not_a_key(node: Node) -> str:
    if node.tag == _TAGS + "merge":
        return "merge keys (<<) are not read: write the keys out"
    return "a key has to be text" + ("; put it in quotes" if isinstance(node, ScalarNode) else "")


def _syntax_problem(error: YAMLError, text: str, file: str) -> Problem:
    if isinstance(error, ReaderError):
        mark = Mark(file, text.count("\n", 0, error.position) + 1)
        return Problem(mark, "", f"the character U+{error.character:04X} may not stand in YAML")
    if not isinstance(error, MarkedYAMLError) or not (at := error.problem_mark):
        return Problem(Mark(file), "", f"not valid YAML: {error}")
    message = f"not valid YAML: {error.problem}"
    if isinstance(error, MaxDepthExceededError):
        message = f"nested more than {MAX_DEPTH} deep"
    elif _NEED_QUOTES & {text[m.index : m.index + 1] for m in (at, error.context_mark or at)}:
        message += "; a text that begins with one of * & ! @ % ` needs quotes"
    return Problem(Mark(file, at.line + 1, at.column + 1), "", message)
