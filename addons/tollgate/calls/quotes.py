"""What a call would cost elsewhere: who knows prices tells it here, who chooses a target asks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tollgate.calls.call import Call

type Quote = Callable[[Call, str, str, str], int | None]
"""(call, provider, host, model) → nano-dollars; None where nobody knows."""


@dataclass(slots=True)
class Quotes:
    """The one place where prices are asked for. `ask` is None while no room knows any."""

    ask: Quote | None = None
    """Set by `cost` when a policy is put in force."""
