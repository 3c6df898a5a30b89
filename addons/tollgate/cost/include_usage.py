"""Has providers say the usage of streams that do so only if asked, and hides it from who did not ask."""

from __future__ import annotations

from collections.abc import Iterable

from tollgate.calls import Call, Event


def ask(call: Call) -> bool:
    """Ask in the client's place. True where the request was changed, and `hide` is needed."""
    return False


def hide(call: Call, event: Event) -> Iterable[Event]:
    """The event as it would be had nobody asked; nothing for the one that says the usage."""
    return (event,)
