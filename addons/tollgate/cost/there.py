"""Who was asked for what: as the client had it, or as a target of the policy has it. Pure."""

from __future__ import annotations

from typing import NamedTuple

from tollgate.calls import Attempt, Call


class There(NamedTuple):
    """Where one attempt of a call went."""

    provider: str
    host: str
    asked: str
    """The model that was asked for there."""
    answered: str
    """The model that the answer names; empty where it names none."""

    @classmethod
    def of(cls, call: Call, asked: str = "", attempt: Attempt | None = None) -> There:
        """`asked`: the model asked for at the client's own provider, where that is not the client's."""
        if attempt is None:
            return cls(call.provider, call.request.host, asked or call.model, call.answered_model)
        answered = call.answered_model if call.attempts and attempt is call.attempts[-1] else ""
        return cls(
            attempt.provider or call.provider,
            attempt.host or call.client_request.host,
            attempt.model or asked or call.model,
            attempt.answered_model or answered,
        )
