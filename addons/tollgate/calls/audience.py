"""Who still wants the answer of a call."""

from __future__ import annotations

from collections.abc import Callable


class Audience:
    """The call's own client, and the calls that share its answer. It is given up when the last one leaves."""

    __slots__ = ("_count", "_give_up")

    def __init__(self) -> None:
        self._count = 1
        self._give_up: Callable[[], object] = lambda: None

    def when_empty(self, give_up: Callable[[], object]) -> None:
        """What is to be done once nobody is left."""
        self._give_up = give_up

    def join(self) -> None:
        self._count += 1

    def leave(self) -> None:
        """Each that joined leaves once; the call's client has joined from the start."""
        self._count -= 1
        if self._count == 0:
            self._give_up()

    @property
    def empty(self) -> bool:
        return self._count == 0
