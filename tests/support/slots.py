"""What a shape makes of a body, in a form that reads well in a table."""

from __future__ import annotations

from typing import Any

import orjson

from tollgate.calls import Body, Shape, Slot


def slots_of(shape: Shape, body: Any) -> list[Slot]:
    """The slots of a body of that shape."""
    parsed = Body(orjson.dumps(body))
    parsed.parse(shape)
    return parsed.slots


def texts(shape: Shape, body: Any) -> list[str]:
    """What stands in the slots, keys aside, in document order; another kind than text goes before it."""
    found = (slot for slot in slots_of(shape, body) if slot.kind != "key")
    return [slot.text if slot.kind == "text" else f"{slot.kind}:{slot.text}" for slot in found]


def keys(shape: Shape, body: Any) -> list[str]:
    """The names that are slots, in document order."""
    return [slot.text for slot in slots_of(shape, body) if slot.kind == "key"]
