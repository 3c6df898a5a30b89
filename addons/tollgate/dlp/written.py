"""Which strings and numbers of an answer the model wrote. All that are not known to be something else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tollgate.calls import Slot
from tollgate.calls.contents import LEAST_NUMBER
from tollgate.dlp.place import Path, Place, Places
from tollgate.dlp.places import INPUT

_STRUCTURE = re.compile(
    r"id|\w*_ids?|\w*[a-z]Ids?|type|\w*_type|object|model|modelVersion|role|status|name|p|jsonPath"
    r"|obfuscation|\w*_reason|\w*[a-z]Reason|system_fingerprint|service_tier|mimeType|format"
    r"|url|\w*_url|\w*[uU]ri|embeddings?|data|b64_json|partial_image_b64|\w*[sS]ignature|encrypted_\w+"
).fullmatch
"""Fields that hold no text, outside of tools' input: ids, enums, signatures, addresses, pictures, sound."""
_ECHOES = frozenset(("instructions", "tools", "metadata", "logprobs", "logprobsResult"))
"""Fields that repeat the request, or the text itself."""
_THOUGHTS = frozenset(("thinking", "text", "summary"))
"""What can be read of a signed thought."""
_BLOB = 4096
"""So many characters of ASCII without a blank are no text."""
_LONG_NUMBER = re.compile(rb"[:,\[]\s*-?\d{9}").search
"""A whole number that is long enough to identify somebody."""
_SOUND = "response.audio.delta"


def written(places: Places, slot: Slot, kind: str) -> Place | None:
    """What stands in a string of an answer, or of an event of that type; None for what nobody wrote."""
    if slot.kind == "key":
        place = places.place(slot.path[:-1], kind)
        return INPUT if place.manner in ("input", "json") and not place.piece else None
    place = places.place(slot.path, kind)
    if place.piece or place.manner in ("input", "json"):
        return place
    if place.manner == "signed":
        return place if key_at(slot.path) in _THOUGHTS else None
    structure = kind == _SOUND or _STRUCTURE(key_at(slot.path)) or not _ECHOES.isdisjoint(slot.path)
    return None if structure or _is_blob(slot.text) else place


def _is_blob(text: str) -> bool:
    return len(text) >= _BLOB and text[:_BLOB].isascii() and len(text[:_BLOB].split()) == 1


def long_numbers(data: bytes, document: Any) -> Iterator[tuple[Any, Any, Path]]:
    """Where in a payload whole numbers stand that may identify somebody: what holds one, and where in it."""
    return _long_numbers(document, ()) if _LONG_NUMBER(data) else iter(())


def _long_numbers(node: Any, path: Path) -> Iterator[tuple[Any, Any, Path]]:
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in list(items):
        if type(value) is int and abs(value) >= LEAST_NUMBER:
            yield node, step, (*path, step)
        elif isinstance(value, dict | list):
            yield from _long_numbers(value, (*path, step))


def key_at(path: Path) -> str:
    """The key under which a string stands."""
    return next((step for step in reversed(path) if isinstance(step, str)), "")
