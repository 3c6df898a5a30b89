"""What a call used, in the provider's own numbers, brought to one meaning."""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import compress
from operator import attrgetter


@dataclass(slots=True)
class Usage:
    """What a call used. Every count is in tokens unless it says otherwise, and none contains another:
    `input` leaves out what was read from or written to the provider's prompt cache, `output` leaves out
    reasoning, so that each can be priced on its own and their sum is the total.
    """

    input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    """Written to the provider's prompt cache for its default time (Anthropic 5 minutes, OpenAI 30)."""
    cache_write_long: int = 0
    """Written for its long time (Anthropic 1 hour, OpenAI 12)."""
    output: int = 0
    reasoning: int = 0
    input_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    output_image: int = 0
    seconds: float = 0.0
    """Audio that is billed by time."""
    requests: dict[str, int] | None = None
    """Server tools by name: {"web_search": 2}."""
    tier: str = ""
    """Service tier as the provider says it was served: "default", "flex", "priority", "batch"."""
    speed: str = ""
    """How fast it was served, where that has a price of its own: "fast" (Anthropic)."""
    region: str = ""
    """Where it was served, where that has a price of its own: "us" (Anthropic's inference_geo)."""
    reported_cost: float | None = None
    """Money the provider itself reports, in US dollars (OpenRouter, Perplexity, xAI)."""
    estimated: bool = False
    """True where we counted because the provider did not say."""

    @property
    def total(self) -> int:
        return sum(getattr(self, name) for name in _TOKENS)

    def as_dict(self) -> dict[str, object]:
        """Only what is set, for records."""
        values = _values(self)
        return dict(compress(zip(_NAMES, values, strict=True), values))


_NAMES = tuple(f.name for f in fields(Usage))
_values = attrgetter(*_NAMES)
_TOKENS = tuple(f.name for f in fields(Usage) if f.type == "int")
