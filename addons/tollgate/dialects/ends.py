"""How streams say that they are complete: tests on bytes, since they see every event."""

from __future__ import annotations

import re
from collections.abc import Callable

from tollgate.calls import Event

type Ends = Callable[[Event], bool]
"""True for an event with which the answer is complete."""


def named(*names: str) -> Ends:
    """Ends with an event of one of these names, or, where events have no name, of one of these types."""
    wanted = frozenset(names)
    typed = matching(rb'"type":\s*"(?:%b)"' % b"|".join(re.escape(name.encode()) for name in names))
    return lambda event: event.name in wanted if event.name else typed(event)


def matching(pattern: bytes) -> Ends:
    """Ends with an event whose payload matches. A quote within a JSON string is escaped, so text cannot."""
    search = re.compile(pattern).search
    return lambda event: event.data is not None and search(event.data) is not None


def finished(event: Event) -> bool:
    """Ends as OpenAI's chat does. Not every provider sends `[DONE]`; with a reason to finish, an answer is
    complete as well."""
    return event.data is not None and (event.data.startswith(b"[DONE]") or _FINISHED(event.data) is not None)


_FINISHED = re.compile(rb'"finish_reason":\s*"').search


def any_event(event: Event) -> bool:
    """For streams of which no end is known: where the connection closes cleanly, they are complete."""
    return True
