"""A request's body: read once, changed only where a room changes it, to the byte.

Providers' prompt caches and signatures depend on the very bytes, so a body is never written anew. The
tree that orjson reads and the string literals in the bytes stand in the same order, keys included; so the
n-th string of the tree *is* the n-th literal, and an edit replaces just that literal. The same count finds
duplicate keys, which a tree cannot show and of which two parsers may see different ones: a body with one
has more literals than its tree has strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from copy import copy
from functools import reduce
from itertools import chain
from operator import getitem
from typing import Any, Literal, NamedTuple, Self, cast

import orjson

from tollgate.calls.literals import append, count_literals, splice

type Kind = Literal["text", "key", "json", "blob"]
type Shape = Mapping[str, "Shape | Kind | Literal['skip']"]
"""Where text stands in a body. Keys lead down; lists are passed through; "*" is any key. A leaf says what
stands there: "skip" is no slot (ids, enums, signatures), "json" is JSON in a string, "blob" is base64 or a
URL. What a shape does not name is a slot, its key too: scanning is opt-out."""

type Path = tuple[str | int, ...]
type Text = str | Callable[[], str]
"""A text, or what gives it, for where it is seldom asked for."""

LEAST_NUMBER = 10**8
"""Numbers below have fewer digits than any that identifies somebody."""
_DEEPEST = 256
_NAME = re.compile(r"(?=.{1,40}$)(?!(?:.*\d){4})[A-Za-z_$][\w$-]*", re.ASCII)
"""A key as programmers choose it: short, and with three digits at most."""
_FILES = frozenset(("file_id", "file_ids"))


class BodyError(ValueError):
    """A body that cannot be inspected, and so is not passed on unseen; `code` says why, for machines."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class Slot(NamedTuple):
    """A place in a body where human or tool text stands."""

    ordinal: int
    """The how manyth string literal of the body it is, from 0, keys included."""
    text: str
    kind: Kind
    path: Path

    @property
    def place(self) -> str:
        return place_of(self.path)


class Number(NamedTuple):
    """A large whole number in a body: a card number is one without quotes too."""

    ordinal: int
    """How many string literals stand before it."""
    value: int
    path: Path

    @property
    def place(self) -> str:
        return place_of(self.path)


class File(NamedTuple):
    """A file that the provider keeps, named in a body."""

    ordinal: int
    """How many string literals stand before its id."""
    id: str


class Contents(NamedTuple):
    """What stands in a tree that somebody may be known by, in document order."""

    slots: list[Slot]
    numbers: list[Number]
    """Those from LEAST_NUMBER on, with either sign. Such with a fraction are measurements and embeddings."""
    files: list[File]
    """Wherever an object has a member `file_id` or `file_ids`."""


def place_of(path: Path) -> str:
    """A path as people write it: messages[0].content[1].text

    A key that is no plain name stands there as "…": it may be text of somebody's, and this goes on record.
    """
    steps = (step if isinstance(step, int) or _NAME.fullmatch(step) else "…" for step in path)
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps).lstrip(".")


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


def find_slots(tree: Any, shape: Shape | None) -> list[Slot]:
    """The slots of a tree whose objects keep the order of the bytes."""
    return find_contents(tree, shape).slots


def find_contents(tree: Any, shape: Shape | None, since: Slot | None = None) -> Contents:
    """The slots and numbers of a tree; those from a slot on, where its place is given."""
    walk = _Walk()
    if since is None:
        walk.value(tree, shape, ())
    else:
        walk.strings = since.ordinal
        walk.rest(tree, shape, (), since)
    return Contents(walk.slots, walk.numbers, walk.files)


class _Walk:
    """Counts the strings of a tree in document order and collects the slots among them, numbers and files."""

    __slots__ = ("files", "numbers", "slots", "strings")

    def __init__(self) -> None:
        self.strings = 0
        self.slots: list[Slot] = []
        self.numbers: list[Number] = []
        self.files: list[File] = []

    def value(self, value: Any, shape: Any, path: Path) -> None:
        kind = type(value)
        if kind is str:
            if shape != "skip":
                self.slots.append(
                    Slot(self.strings, value, cast(Kind, shape) if type(shape) is str else "text", path)
                )
            self.strings += 1
        elif kind is dict:
            self.members(value.items(), shape, path)
        elif kind is list:
            for index, item in enumerate(value):
                self.value(item, shape, (*path, index))
        elif kind is int and not -LEAST_NUMBER < value < LEAST_NUMBER:
            self.numbers.append(Number(self.strings, value, path))

    def members(self, members: Iterable[tuple[str, Any]], shape: Any, path: Path) -> None:
        named, others = _below(shape)
        for key, item in members:
            below = named.get(key)
            if below is None:
                below = others
                if type(shape) is not str:  # a leaf's word holds for all that stands under it
                    self.slots.append(Slot(self.strings, key, "key", (*path, key)))
            self.strings += 1
            if key in _FILES:
                ids = item if type(item) is list else (item,)
                self.files += (File(self.strings, id) for id in ids if type(id) is str)
            if below == "skip" and type(item) is str:  # most are, and need no path
                self.strings += 1
            else:
                self.value(item, below, (*path, key))

    def rest(self, value: Any, shape: Any, path: Path, since: Slot) -> None:
        """What stands in a value from the slot on to which the path leads."""
        if path == since.path:
            self.value(value, shape, path)
        elif type(value) is list:
            first = cast(int, since.path[len(path)])
            self.rest(value[first], shape, (*path, first), since)
            for index in range(first + 1, len(value)):
                self.value(value[index], shape, (*path, index))
        else:
            key = cast(str, since.path[len(path)])
            behind = iter(value.items())
            found = next(member for member in behind if member[0] == key)
            if since.kind == "key" and len(since.path) == len(path) + 1:
                behind = chain((found,), behind)
            else:
                named, others = _below(shape)
                self.rest(found[1], named.get(key, others), (*path, key), since)
            self.members(behind, shape, path)


def _below(shape: Any) -> tuple[Mapping[str, Any], Any]:
    """What a shape says of the members of an object: of those that it names, and of all others."""
    if type(shape) is dict:
        return shape, shape.get("*")
    return {}, shape if type(shape) is str else None


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
