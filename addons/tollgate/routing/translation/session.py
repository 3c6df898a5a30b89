"""A request in another dialect, and the way back for its answer."""

from __future__ import annotations

from dataclasses import dataclass

from tollgate.calls import Event, Headers
from tollgate.routing.translation.loss import Loss, Untranslatable


class EventTranslator:
    """The events of a target's stream in, those for the client out; one in gives what it gives, at once."""

    losses: list[Loss]

    def feed(self, event: Event) -> list[Event]:
        """Nothing more comes out after an error event of the target: it is told as the source's own."""
        raise Untranslatable("not built yet")

    def close(self) -> list[Event]:
        """The target's stream has ended: what was still due, or the source's error where it ended too early."""
        raise Untranslatable("not built yet")


class Session:
    """One attempt: what the way back needs of the way there."""

    def answer(
        self, status: int, headers: Headers, body: bytes
    ) -> tuple[int, dict[str, str], bytes, list[Loss]]:
        """A whole answer, or an error, in the source's dialect; ValueError where the target's is not JSON."""
        raise Untranslatable("not built yet")

    def events(self, headers: Headers | None = None) -> EventTranslator:
        raise Untranslatable("not built yet")


@dataclass(frozen=True, slots=True)
class TranslatedRequest:
    """What to send to the target. Credentials, and what the target's host wants besides, are not in it."""

    method: str
    path: str
    """As the target dialect's own provider has it: "/v1/messages"."""
    query: str
    headers: dict[str, str]
    body: bytes
    losses: list[Loss]
    session: Session
