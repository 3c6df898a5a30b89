"""What may be tried again, and when. Pure."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from multidict import CIMultiDict

from tollgate.calls import Answer, Attempt, CallError, Failed, Headers, Leg
from tollgate.policy.routing import Route

AGAIN = frozenset({408, 409, 429})
"""Statuses below 500 with which the same request may succeed a moment later, as all from 500 on. The official
SDKs say so too: https://github.com/openai/openai-python/blob/main/src/openai/_base_client.py"""
KEY_REFUSED = frozenset({401, 402, 403})
"""Statuses that speak against the key, and so against no other one."""
REPEATABLE = frozenset(
    {
        *(
            "chat",
            "responses",
            "completions",
            "embeddings",
            "count_tokens",
            "moderations",
            "models",
            "rerank",
        ),
        *("images", "audio", "decisions", "ocr", "search"),
    }
)
"""Operations that leave nothing behind, so that asking twice does no harm but for its price. Others (files,
batches, conversations) are tried again only where nothing was sent."""

_UNSENT = frozenset({"provider_unreachable", "provider_tls"})
"""Codes of failures in which the request did not leave."""
_UNASKED = frozenset({"circuit_open", "target_busy", "keys_resting", "key_unavailable"})
"""Codes of failures in which nobody was asked, and a moment later nobody would be."""


@dataclass(slots=True)
class Result:
    """What came of asking a target: an answer, or an error."""

    answer: Answer | None = None
    """As the client is to have it."""
    error: CallError | None = None
    leg: Leg | None = None
    """How the target was asked, without its key; None where it was not."""
    record: Attempt | None = None
    status: int = 0
    """Of the target's own answer."""
    headers: Headers = field(default_factory=CIMultiDict)
    """Of the target's own answer."""
    broken: str = ""
    """Why a streamed answer is none after all: it broke off, or told an error, before it said anything."""
    key_refused: bool = False
    """True where another key may do better."""
    unfit: bool = False
    """True where the call cannot be put to this target."""

    @property
    def good(self) -> bool:
        """True for what the client is to have: a success, or an error of its own making."""
        return self.answer is not None and not (self.broken or self.key_refused or asks_again(self.status))

    @property
    def asked(self) -> bool:
        """True where somebody was asked."""
        return not self.unfit and (self.error is None or self.error.code not in _UNASKED)

    @property
    def sick(self) -> bool:
        """True where it is the target's own failure, which its breaker counts."""
        if self.status:
            nonsense = self.status < 300 and self.error is not None
            return nonsense or bool(self.broken) or self.status >= 500
        return isinstance(self.error, Failed) and self.asked

    def may_move_on(self, operation: str) -> bool:
        """True where another target may be asked."""
        if self.unfit or operation in REPEATABLE:
            return self.unfit or self.error is None or isinstance(self.error, Failed)
        return isinstance(self.error, Failed) and self.error.code in _UNSENT | _UNASKED

    def may_repeat(self, operation: str) -> bool:
        """True where the same target may be asked again."""
        forbidden = self.headers.get("x-should-retry") == "false"
        return self.asked and not forbidden and self.may_move_on(operation)

    async def discard(self) -> None:
        """Hang up: the client gets another one."""
        if self.answer is not None and self.answer.events is not None:
            await self.answer.events.aclose()


def asks_again(status: int) -> bool:
    return status in AGAIN or status >= 500


def retry_after(headers: Headers, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float | None:
    """The seconds that a provider asks to wait; None where it does not.
    https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3, and OpenAI's retry-after-ms"""
    if (milliseconds := _number(headers.get("retry-after-ms", ""))) is not None:
        return milliseconds / 1000
    text = headers.get("retry-after", "").strip()
    if (seconds := _number(text)) is not None:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now()).total_seconds())


def pause(
    route: Route, number: int, asked: float | None, draw: Callable[[], float] = random.random
) -> float | None:
    """The seconds before retry number 0, 1, …; None where the provider asks for more than the policy waits.

    Half of it is by chance, so that clients that failed together do not come back together.
    """
    if asked is not None:
        return None if asked > route.longest_pause else asked
    whole: float = min(route.longest_pause, route.backoff * 2**number)
    return whole * (0.5 + draw() / 2)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
