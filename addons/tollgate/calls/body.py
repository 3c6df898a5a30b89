"""A request's body: read once, changed only where a room changes it, to the byte.

Providers' prompt caches and signatures depend on the very bytes, so a body is never written anew. The
tree that orjson reads and the string literals in the bytes stand in the same order, keys included; so the
n-th string of the tree *is* the n-th literal, and an edit replaces just that literal. The same count finds
duplicate keys, which a tree cannot show and of which two parsers may see different ones: a body with one
has more literals than its tree has strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from copy import copy
from functools import reduce
from itertools import chain
from operator import getitem
from typing import Any, Self

import orjson

from tollgate.calls.contents import Contents, Number, Path, Shape, Slot, find_contents
from tollgate.calls.literals import append, count_literals, splice

type Text = str | Callable[[], str]
"""A text, or what gives it, for where it is seldom asked for."""

_DEEPEST = 256


class BodyError(ValueError):
    """A body that cannot be inspected, and so is not passed on unseen; `code` says why, for machines."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Body:
    """The body of a request: the bytes on the wire, their decoded content, and the slots in it."""

    __slots__ = (
        *("_added", "_coming", "_contents", "_json", "_made", "_parsed", "_rendered", "_shape", "_spliced"),
        *("_tree", "as_written", "content", "encoding", "wire"),
    )

    def __init__(self, wire: bytes, content: bytes | None = None, encoding: str = "") -> None:
        self.wire = wire
        """As the client sent it, content-encoding and all."""
        self.content = wire if content is None else content
        """Decoded, as it stands before any edit."""
        self.encoding = encoding
        """The content-encoding of `wire`; empty for none."""
        self.as_written = False
        """True where orjson writes the content's tree as just these bytes: no number lost a digit."""
        self._shape: Shape | None = None
        self._parsed = False
        self._tree: Any = None
        self._contents: Contents | None = None
        self._made: dict[int, tuple[Slot, Text]] = {}
        """Edits by the ordinals of their slots."""
        self._coming: Iterable[tuple[Slot, Text]] = ()
        """Edits that nobody has asked for yet."""
        self._added: dict[str, bytes] = {}
        self._json: Any = None
        self._spliced: bytes | None = None
        """The content with all edits, but nothing added."""
        self._rendered: bytes | None = None

    def parse(self, shape: Shape) -> None:
        """Read the content as JSON of that shape, find its slots. BodyError where it cannot be inspected."""
        try:
            self._tree = self._json = orjson.loads(self.content)
        except orjson.JSONDecodeError as e:
            message = f"the body is not valid JSON: {e.msg} at line {e.lineno}, column {e.colno}"
            raise BodyError(message, "invalid_json") from e
        self._shape = shape
        self.as_written = written_as(self._tree, self.content)
        if not self.as_written and count_strings(self._tree) != count_literals(self.content):
            raise BodyError("an object in the body has the same key twice", "duplicate_keys")
        self._parsed = True

    @property
    def parsed(self) -> bool:
        """True where the content was read as JSON."""
        return self._parsed

    @property
    def json(self) -> Any:
        """The content as JSON, edits included; None where it was not parsed. Do not change it in place."""
        if self._json is None and self._parsed:
            self._json = self._edited_tree()
        return self._json

    @property
    def slots(self) -> list[Slot]:
        """Every place of text, in document order, as it stood before any edit."""
        return self.contents.slots

    @property
    def numbers(self) -> list[Number]:
        """The large whole numbers, wherever they stand."""
        return self.contents.numbers

    def since(self, slot: Slot) -> Contents:
        """What stands there from a slot on, of which only the place counts."""
        return find_contents(self._tree, self._shape, slot)

    def at(self, path: Path) -> Any:
        """The value to which a path leads, as it stood before any edit."""
        return reduce(getitem, path, self._tree)

    @property
    def contents(self) -> Contents:
        """Slots and numbers, as they stood before any edit."""
        if self._contents is None:
            self._contents = find_contents(self._tree, self._shape) if self._parsed else Contents([], [], [])
        return self._contents

    def text(self, slot: Slot) -> str:
        """What stands in a slot now."""
        edit = self._edits.get(slot.ordinal)
        return _given(edit[1]) if edit else slot.text

    def edit(self, slot: Slot, text: Text) -> None:
        """Put another text in a slot's place."""
        self._edits[slot.ordinal] = slot, text
        self._spliced = self._rendered = self._json = None

    def edit_all(self, edits: Iterable[tuple[Slot, Text]], content: bytes) -> None:
        """Put other texts in the places of slots, where the caller knows the content that comes of it: as a
        rule nobody goes through the edits then."""
        self._coming = chain(self._coming, edits)
        self._rendered = self._json = None
        self._spliced = content

    def add(self, key: str, value: bytes) -> None:
        """Put a member, with JSON for its value, at the end of the object that the content is. The key must
        not be there yet."""
        self._added[key] = value
        self._rendered = self._json = None

    def replace(self, content: bytes) -> None:
        """Put another content in the place of one that is not JSON."""
        self._rendered = content

    def copy(self) -> Self:
        """Another one, that may be edited by itself."""
        other = copy(self)
        other._made, other._added = dict(self._edits), dict(self._added)
        return other

    @property
    def edited(self) -> bool:
        return bool(self._made or self._added or self._spliced is not None or self._rendered is not None)

    def render(self) -> bytes:
        """The content with its edits: all bytes but the touched literals are those that came in."""
        if self._rendered is None and self.edited:
            if self._spliced is None:
                edits = {ordinal: _given(text) for ordinal, (_, text) in self._edits.items()}
                before = {ordinal: slot.text for ordinal, (slot, _) in self._edits.items()}
                self._spliced = splice(self.content, edits, before)
            self._rendered = append(self._spliced, self._added)
        return self.content if self._rendered is None else self._rendered

    @property
    def _edits(self) -> dict[int, tuple[Slot, Text]]:
        if self._coming:
            self._made.update((slot.ordinal, (slot, text)) for slot, text in self._coming)
            self._coming = ()
        return self._made

    def _edited_tree(self) -> Any:
        if any(slot.kind == "key" for slot, _ in self._edits.values()):
            return orjson.loads(self.render())
        tree = with_texts(self._tree, ((slot.path, _given(text)) for slot, text in self._edits.values()))
        members = {key: orjson.loads(value) for key, value in self._added.items()}
        return {**tree, **members} if members else tree


def _given(text: Text) -> str:
    return text if isinstance(text, str) else text()


def with_texts(tree: Any, texts: Iterable[tuple[Path, str]]) -> Any:
    """The same tree with other values at some paths. What does not change is shared, and nothing is changed
    in place."""
    root = [tree]
    copied: dict[Path, Any] = {(): root}
    for path, text in texts:
        node: Any = root
        steps: Path = (0, *path)
        for depth, step in enumerate(steps[:-1], 1):
            if steps[:depth] not in copied:
                copied[steps[:depth]] = node[step] = copy(node[step])
            node = node[step]
        node[steps[-1]] = text
    return root[0]


def written_as(tree: Any, content: bytes) -> bool:
    """True where orjson writes the tree as just these bytes. No key stands there twice then, and to see that
    is quicker than to count; compact bodies, as most clients send them, are like this."""
    try:
        return orjson.dumps(tree) == content
    except orjson.JSONEncodeError:  # nested more deeply than orjson writes
        return False


def count_strings(tree: Any, depth: int = 0) -> int:
    """How many strings a tree has, keys included. BodyError where it is nested too deeply."""
    if depth > _DEEPEST:
        raise BodyError(f"the body is nested more than {_DEEPEST} levels deep", "too_deep")
    strings = 0
    for item in tree.values() if type(tree) is dict else tree if type(tree) is list else (tree,):
        kind = type(item)
        if kind is str:
            strings += 1
        elif kind is dict or kind is list:
            strings += count_strings(item, depth + 1)
    return strings + len(tree) if type(tree) is dict else strings
