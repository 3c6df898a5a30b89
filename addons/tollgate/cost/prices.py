"""What a call costs, in nano-dollars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tollgate.calls import Usage
from tollgate.policy.cost import PriceSettings


@dataclass(frozen=True, slots=True)
class Price:
    """What a call costs, or would cost if it were billed by the token. All money in nano-dollars."""

    nanos: int
    source: str
    """Who says so: "genai-prices 0.2.3", "overlay", "reported", "free"."""
    parts: Mapping[str, int]
    """By field of `Usage`."""
    saved: int
    """What the provider's prompt cache saved against uncached input; less than 0 where only written to."""


class PriceBook:
    """What tokens cost. Built once, then never changed; any thread may ask."""

    def __init__(self, settings: PriceSettings) -> None:
        self._settings = settings

    def price(
        self,
        provider: str,
        model: str,
        usage: Usage,
        *,
        host: str = "",
        operation: str = "",
        time: float = 0.0,
    ) -> Price | None:
        """What this usage costs; None where nobody knows."""
        return None

    def ceiling(self, provider: str, model: str, usage: Usage) -> int:
        """Nano-dollars that a budget is charged for what has no known price."""
        return int(usage.total * self._settings.ceiling * 1000)
