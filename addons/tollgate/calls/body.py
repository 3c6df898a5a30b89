"""A request's body: read once, changed only where a room changes it, to the byte.

Providers' prompt caches and signatures depend on the very bytes, so a body is never written anew. The
tree that orjson reads and the string literals in the bytes stand in the same order, keys included; so the
n-th string of the tree *is* the n-th literal, and an edit replaces just that literal. The same count finds
duplicate keys, which a tree cannot show and of which two parsers may see different ones: a body with one
has more literals than its tree has strings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, cast

import orjson

type Kind = Literal["text", "key", "json", "blob"]
type Shape = Mapping[str, "Shape | Kind | Literal['skip']"]
"""Where text stands in a body. Keys lead down; lists are passed through; "*" is any key. A leaf says what
stands there: "skip" is no slot (ids, enums, signatures), "json" is JSON in a string, "blob" is base64 or a
URL. What a shape does not name is a slot, its key too: scanning is opt-out."""

_DEEPEST = 256
_LITERAL = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


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
    path: tuple[str | int, ...]

    @property
    def place(self) -> str:
        """The path as people write it: messages[0].content[1].text"""
        return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in self.path).lstrip(".")


class Body:
    """The body of a request: the bytes on the wire, their decoded content, and the slots in it."""

    __slots__ = (
        *("_added", "_edits", "_json", "_parsed", "_rendered", "_shape", "_slots"),
        *("content", "encoding", "wire"),
    )

    def __init__(self, wire: bytes, content: bytes | None = None, encoding: str = "") -> None:
        self.wire = wire
        """As the client sent it, content-encoding and all."""
        self.content = wire if content is None else content
        """Decoded, as it stands before any edit."""
        self.encoding = encoding
        """The content-encoding of `wire`; empty for none."""
        self._shape: Shape | None = None
        self._json: Any = None
        self._slots: list[Slot] | None = None
        self._edits: dict[int, str] = {}
        self._added: dict[str, bytes] = {}
        self._rendered: bytes | None = None
        self._parsed = False

    def parse(self, shape: Shape) -> None:
        """Read the content as JSON of that shape, find its slots. BodyError where it cannot be inspected."""
        try:
            self._json = orjson.loads(self.content)
        except orjson.JSONDecodeError as e:
            message = f"the body is not valid JSON: {e.msg} at line {e.lineno}, column {e.colno}"
            raise BodyError(message, "invalid_json") from e
        self._shape = shape
        if not written_as(self._json, self.content) and count_strings(self._json) != count_literals(
            self.content
        ):
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
            self._json = orjson.loads(self.render())
        return self._json

    @property
    def slots(self) -> list[Slot]:
        """Every place of text, in document order, as it stood before any edit."""
        if self._slots is None:
            self._slots = find_slots(self.json, self._shape) if self._parsed else []
        return self._slots

    def text(self, slot: Slot) -> str:
        """What stands in a slot now."""
        return self._edits.get(slot.ordinal, slot.text)

    def edit(self, slot: Slot, text: str) -> None:
        """Put another text in a slot's place."""
        self._edits[slot.ordinal] = text
        self._rendered = self._json = None

    def add(self, key: str, value: bytes) -> None:
        """Put a member, with JSON for its value, at the end of the object that the content is. The key must
        not be there yet."""
        self._added[key] = value
        self._rendered = self._json = None

    def replace(self, content: bytes) -> None:
        """Put another content in the place of one that is not JSON."""
        self._rendered = content

    @property
    def edited(self) -> bool:
        return bool(self._edits or self._added) or self._rendered is not None

    def render(self) -> bytes:
        """The content with its edits: all bytes but the touched literals are those that came in."""
        if self._rendered is None and (self._edits or self._added):
            content = splice(self.content, self._edits) if self._edits else self.content
            self._rendered = append(content, self._added)
        return self.content if self._rendered is None else self._rendered


def find_slots(tree: Any, shape: Shape | None) -> list[Slot]:
    """The slots of a tree whose objects keep the order of the bytes."""
    walk = _Walk()
    walk.value(tree, shape, ())
    return walk.slots


class _Walk:
    """Counts the strings of a tree in document order and collects the slots among them."""

    __slots__ = ("slots", "strings")

    def __init__(self) -> None:
        self.strings = 0
        self.slots: list[Slot] = []

    def value(self, value: Any, shape: Any, path: tuple[str | int, ...]) -> None:
        kind = type(value)
        if kind is str:
            if shape != "skip":
                self.slots.append(
                    Slot(self.strings, value, cast(Kind, shape) if type(shape) is str else "text", path)
                )
            self.strings += 1
        elif kind is dict:
            self.object(value, shape, path)
        elif kind is list:
            for index, item in enumerate(value):
                self.value(item, shape, (*path, index))

    def object(self, value: dict[str, Any], shape: Any, path: tuple[str | int, ...]) -> None:
        known = shape if type(shape) is dict else None
        for key, item in value.items():
            if known is not None and (below := known.get(key)) is not None:
                pass
            elif type(shape) is str:  # a leaf's word holds for all that stands under it
                below = shape
            else:
                below = known.get("*") if known is not None else None
                self.slots.append(Slot(self.strings, key, "key", (*path, key)))
            self.strings += 1
            self.value(item, below, (*path, key))


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


def count_literals(content: bytes) -> int:
    """How many string literals a valid JSON text has. Looks at no character twice: all of it runs in C."""
    if b"\\" in content:
        content = content.replace(b"\\\\", b"")
        return (content.count(b'"') - content.count(b'\\"')) // 2
    return content.count(b'"') // 2


def append(content: bytes, members: Mapping[str, bytes]) -> bytes:
    """The JSON text of an object with these members at its end."""
    if not members:
        return content
    head, brace, tail = content.rpartition(b"}")
    written = b",".join(b"%b:%b" % (orjson.dumps(key), value) for key, value in members.items())
    comma = b"" if head.rstrip().endswith(b"{") else b","
    return b"%b%b%b%b%b" % (head, comma, written, brace, tail)


def splice(content: bytes, edits: Mapping[int, str]) -> bytes:
    """The same JSON text with the string literals of those ordinals replaced."""
    out: list[bytes] = []
    done = 0
    wanted = iter(sorted(edits))
    ordinal = next(wanted, None)
    for n, literal in enumerate(_LITERAL.finditer(content)):
        if n != ordinal:
            continue
        out += (content[done : literal.start()], orjson.dumps(edits[n]))
        done = literal.end()
        if (ordinal := next(wanted, None)) is None:
            break
    out.append(content[done:])
    return b"".join(out)
