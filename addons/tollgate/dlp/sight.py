"""What was seen in a text and what became of it, remembered: agents send their history with every call."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import NamedTuple

from tollgate.dlp.span import Span
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Action, Dlp


class Found(NamedTuple):
    """Something found in a text."""

    span: Span
    """Where it stands in the text; where it cannot be rewritten in place, the stretch that holds it."""
    direct: bool
    """True where just the value can be rewritten."""
    view: str
    """How it came to light: "base64", "pdf"; empty for the text as it stands."""


class Outcome(NamedTuple):
    """What became of a text: places, and what stands there now, but not the text."""

    policy: Dlp
    """The one that it was settled by."""
    pieces: tuple[Piece, ...]
    """What was put in which place."""
    tokens: tuple[Piece, ...]
    """Those of them that are tokens for just what stood there."""
    seen: tuple[tuple[str, Action, int], ...]
    """Entity, action and count of what was found."""


@dataclass(slots=True)
class Sight:
    """What is known of a text."""

    found: tuple[Found, ...]
    outcome: Outcome | None = None
    """None until it was settled, and where the same need not come of it another time."""


class Memory:
    """Sights by keyed digests of their texts; those asked for longest ago are forgotten. Thread-safe."""

    def __init__(self, room: int) -> None:
        """`room` is how many texts and findings are remembered."""
        self._room = room
        self._taken = 0
        self._sights: OrderedDict[str, Sight] = OrderedDict()
        self._lock = Lock()

    def recall(self, name: str) -> Sight | None:
        with self._lock:
            sight = self._sights.get(name)
            if sight is not None:
                self._sights.move_to_end(name)
        return sight

    def keep(self, name: str, sight: Sight) -> None:
        with self._lock:
            self._taken += _weight(sight)
            if (before := self._sights.pop(name, None)) is not None:  # two calls were at it
                self._taken -= _weight(before)
            self._sights[name] = sight
            while self._taken > self._room:
                self._taken -= _weight(self._sights.popitem(last=False)[1])


def _weight(sight: Sight) -> int:
    return 1 + len(sight.found)
