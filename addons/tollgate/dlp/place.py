"""What a table of places says, and how events are read by it.

A path leaves out the positions in lists: "choices.delta.content".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from tollgate.dialects.errors import fill
from tollgate.dlp.restore import Manner

type Path = tuple[str | int, ...]
type Marks = tuple[Any, ...]
"""The numbers on the way to a place: which choice, which block, which part of it."""


class Place(NamedTuple):
    """What stands at a path."""

    manner: Manner | Literal["signed"]
    """"signed" is what the client has to send back to the letter: it is never touched."""
    piece: bool = False
    """True for a piece of a text that other events continue."""
    more: str = ""
    """The field beside it that says whether the text goes on."""
    channel: str = ""
    """The text it is a piece of, where several paths lead to one."""
    continued: Mapping[str, Any] | None = None
    """How the next piece looks, where this is a first one that looks different; "$text" is its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where text stands in one dialect's answers, and when it ends."""

    at: Mapping[str, Place]
    """Path, or event type and path ("text-generation:text"), → what stands there. All but pieces hold for
    everything below. A string at no path of these is a text that is complete."""
    end_types: tuple[str, ...] = ()
    """How the types end of events that end texts: those of their block or, if they name none, all."""
    end_fields: tuple[str, ...] = ()
    """Fields that end the texts of their choice, unless they are null or false."""
    keeps: frozenset[str] = frozenset()
    """Fields that each event repeats, besides those that number and type its parts."""
    in_base64: bool = False
    """True where events are wrapped as {"bytes": …}."""

    def place(self, path: Path, kind: str = "") -> Place:
        """What stands at a path of an answer, or of an event of that type."""
        at = names(path)
        if found := self.at.get(f"{kind}:{at}") or self.at.get(at):
            return found
        while at:
            at = at.rpartition(".")[0]
            if (found := self.at.get(at)) and not found.piece:
                return found
        return _COMPLETE

    def ends(self, document: Any, kind: str) -> list[Marks]:
        """What ends with an event: the texts whose marks begin with one of these."""
        if kind.endswith(self.end_types):
            return [marks(document, ())]
        return [found for field in self.end_fields for found in _where_set(document, field.split("."))]


_COMPLETE = Place("text")
_BLOCKS = ("output_index", "content_index", "summary_index", "command_index", "index", "contentBlockIndex")
_PARTS = ("thought", "jsonPath")
"""Google's parts have no number, but thoughts are apart from the answer, and arguments from each other."""


def names(path: Path) -> str:
    """A path without the positions in lists."""
    return ".".join(step for step in path if isinstance(step, str))


def kind_of(document: Any, name: str = "") -> str:
    """The type of an event, by its payload or else its name."""
    fields = document if isinstance(document, dict) else {}
    found = fields.get("type") or fields.get("event_type") or name
    return found if isinstance(found, str) else ""


def marks(document: Any, path: Path) -> Marks:
    """The marks on the way to a path. A position in a list is none: each event's lists begin at 0."""
    found = _marks(document, in_list=False)
    for step in path:
        document = document[step]
        found += _marks(document, in_list=isinstance(step, int))
    return found


def _marks(node: Any, in_list: bool) -> Marks:
    if not isinstance(node, dict):
        return ()
    if in_list:
        return (node.get("index") or 0, *(node.get(name) or None for name in _PARTS))
    return tuple(node[name] for name in _BLOCKS if name in node)


def _where_set(node: Any, field: list[str], before: Marks = (), in_list: bool = False) -> Iterator[Marks]:
    """The marks of all objects on a path whose last field is set."""
    if isinstance(node, list):
        for item in node:
            yield from _where_set(item, field, before, in_list=True)
    elif isinstance(node, dict):
        here = before + _marks(node, in_list)
        value = node.get(field[0])
        if field[1:]:
            yield from _where_set(value, field[1:], here)
        elif value is not None and value is not False:
            yield here


def ended(where: Marks, ends: Iterable[Marks]) -> bool:
    """True for a text with these marks, where all ends that begin with one of those."""
    return any(where[: len(end)] == end for end in ends)


def goes_on(document: Any, path: Path, place: Place) -> bool:
    """False where a field beside the piece says that it is the last."""
    if not place.more:
        return True
    for step in path[:-1]:
        document = document[step]
    return bool(document.get(place.more))


def another(document: Any, path: Path, text: str, places: Places) -> dict[str, Any]:
    """The payload of an event like this one that holds nothing but one more piece of the text at the path."""
    if continued := places.place(path, kind_of(document)).continued:
        return {**_plain(document), **fill(continued, {"$text": text})}
    step, *rest = path
    keeps = frozenset((*_BLOCKS, *_PARTS, "type", *places.keeps))
    return _plain(document) | {str(step): _only(document[step], rest, text, keeps)}


def _only(node: Any, path: list[str | int], text: str, keeps: frozenset[str]) -> Any:
    if not path:
        return text
    step, *rest = path
    inner = _only(node[step], rest, text, keeps)
    if isinstance(node, list):
        return [inner]
    return {key: value for key, value in _plain(node).items() if key in keeps} | {step: inner}


def _plain(node: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that are no lists or objects."""
    return {key: value for key, value in node.items() if not isinstance(value, dict | list)}
