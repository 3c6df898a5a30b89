"""What a form is: how the answers of a dialect look, whole and streamed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import orjson

from tollgate.calls import Event, Usage

type Json = dict[str, Any]

_AS_ONE_TEXT = frozenset(("id", "type", "role", "name", "object", "index", "format"))
"""Fields of a delta that are no pieces of text, though some providers repeat them in each."""
_SPOKEN = frozenset(("text", "thinking"))
"""Parts of which the next one goes on with what the last one said."""


class FormError(ValueError):
    """An answer that cannot be brought into the other form. Says what is wrong, never what stands there."""


def _no_options(body: Json) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One dialect's. Pure functions on parsed JSON."""

    fold: Callable[[Sequence[Event]], Json]
    """The whole answer that a stream makes. FormError where that cannot be said."""
    unfold: Callable[[Json, Json], list[Event]]
    """The stream that a whole answer makes, for this request's body. FormError where that cannot be said."""
    complete: Callable[[Json], bool]
    """True for a whole answer that neither broke off nor was refused or filtered."""
    options: Callable[[Json], str] = _no_options
    """What of a request's body shapes a stream: streams can stand for each other if this is equal."""
    ids: tuple[str, ...] = ()
    """Where a whole answer has ids that are new in each answer. Those that a later call may name at the
    provider are not among them."""
    times: Mapping[str, Literal["seconds", "rfc3339"]] = field(default_factory=dict)
    """Fields that hold the time of the answer, and how."""
    usage: Callable[[Usage], Json] | None = None
    """The `usage` of a whole answer, where a stream need not have it."""


def documents(events: Sequence[Event]) -> Iterator[tuple[str, Json]]:
    """Names and JSON objects of events, parsed anew: they may be changed. FormError for broken JSON."""
    for event in events:
        if event.data is None or not event.data.lstrip().startswith(b"{"):
            continue  # [DONE], keep-alives
        try:
            document = orjson.loads(event.data)
        except ValueError as e:
            raise FormError("an event is no JSON") from e
        yield event.name or str(document.get("type", "")), document


def event_of(document: Json, name: str = "") -> Event:
    return Event(orjson.dumps(document), name)


DONE = b"[DONE]"


def merge(held: Json, piece: Json) -> None:
    """Add a delta: texts and lists grow, items with an index are put together, the rest is replaced."""
    for name, value in piece.items():
        old = held.get(name)
        if {type(old), type(value)} == {list, str}:  # Mistral: thoughts are parts, and what follows is text
            held[name] = _parts(old)
            _merge_list(held[name], _parts(value))
        elif value is None or old is None or name in _AS_ONE_TEXT or type(old) is not type(value):
            if value is not None or name not in held:
                held[name] = value
        elif isinstance(value, str):
            held[name] = old + value
        elif isinstance(value, dict):
            merge(old, value)
        elif isinstance(value, list):
            _merge_list(old, value)
        else:
            held[name] = value


def _parts(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    return [{"type": "text", "text": value}] if value else []


def _merge_list(held: list[Any], piece: list[Any]) -> None:
    for item in piece:
        same = _same(held, item) if isinstance(item, dict) else None
        if same is None:
            held.append(item)
        else:
            merge(same, item)


def _same(held: list[Any], item: Json) -> Json | None:
    """What an item of a list goes on with."""
    index, last = item.get("index"), held[-1] if held else None
    if index is not None:
        return next((old for old in held if isinstance(old, dict) and old.get("index") == index), None)
    goes_on = isinstance(last, dict) and item.get("type") in _SPOKEN and last.get("type") == item["type"]
    return last if goes_on else None


def objects(value: Any) -> list[Json]:
    """The objects of a list; none of what is no list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def parsed(text: str) -> Any:
    """A tool's input that was streamed as JSON; an empty one where none came. FormError for broken JSON."""
    try:
        return orjson.loads(text) if text.strip() else {}
    except ValueError as e:
        raise FormError("a tool's input is no JSON") from e


def written(value: Any) -> str:
    return orjson.dumps(value).decode()
