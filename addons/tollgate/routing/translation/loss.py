"""What a target cannot express, and how that is told."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that the target cannot express. It names things and never holds a value."""

    what: str
    """For a person: "top_k", "the detail of an image"."""
    where: str
    """The path in the source: "messages[3].content[0]"."""
    hint: bool = False
    """True where the answer should hardly differ: caching, bookkeeping, thoughts of earlier turns."""


class Untranslatable(ValueError):
    """There is no way to ask the target for this; the message is for a person and holds no value."""

    def __init__(self, message: str, losses: Iterable[Loss] = ()) -> None:
        super().__init__(message)
        self.losses = list(losses)


class Losses(list[Loss]):
    """Losses as they are met, each once."""

    def __init__(self) -> None:
        super().__init__()
        self._met: set[Loss] = set()

    def note(self, what: str, where: str, *, hint: bool = False) -> None:
        if (loss := Loss(what, where, hint)) not in self._met:
            self._met.add(loss)
            self.append(loss)

    def rest(self, node: Any, known: Container[str], where: str = "", hints: Container[str] = ()) -> None:
        """Note each field that nobody reads, unless it is null; those in `hints` weigh little."""
        for key, value in node.items() if isinstance(node, Mapping) else ():
            if value is not None and key not in known:
                self.note(key, f"{where}.{key}" if where else key, hint=key in hints)
