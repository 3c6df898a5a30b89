"""Another model in a request's body, in the place of the one asked for: that one literal changes. Pure."""

from __future__ import annotations

from typing import Any

from tollgate.calls import Call, Slot
from tollgate.calls.body import count_strings


def switch_model(call: Call, model: str) -> bool:
    """Ask for another model. False where the body is not what names it: then nothing changes."""
    slot = None if call.params.get("model") else model_slot(call)
    if slot is None:
        return False
    call.request.body.edit(slot, model)
    return True


def model_slot(call: Call) -> Slot | None:
    """Where the body names the model; None where it does not."""
    body = call.request.body
    if not body.parsed:
        return None
    found = (find(body.json, tuple(path.split("."))) for path in call.dialect.asked)
    return next((slot for slot in found if slot is not None and slot.text), None)


def find(tree: Any, path: tuple[str, ...]) -> Slot | None:
    """The string at a path of keys, as a slot; None where there is none."""
    ordinal = 0
    for step in path:
        if not isinstance(tree, dict) or step not in tree:
            return None
        for key, value in tree.items():
            ordinal += 1  # the key itself
            if key == step:
                break
            ordinal += count_strings(value)
        tree = tree[step]
    return Slot(ordinal, tree, "text", path) if isinstance(tree, str) else None
