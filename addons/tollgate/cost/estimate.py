"""What a call will use, before the provider says, and what it used where the provider never said."""

from __future__ import annotations

from tollgate.calls import Call, Event, Usage
from tollgate.policy.cost import CountingSettings


class Estimator:
    """Counts what calls use, and learns from what providers then say."""

    def __init__(self, settings: CountingSettings) -> None:
        self._settings = settings

    async def before(self, call: Call) -> Usage:
        """What the call is expected to use at the most."""
        return Usage(estimated=True)

    def see(self, call: Call, event: Event) -> None:
        """A streamed piece of the answer passes: have it counted if the provider does not say."""

    async def cut_off(self, call: Call) -> Usage | None:
        """What was seen of an answer whose provider did not say; None for nothing."""
        return None

    def observe(self, call: Call, usage: Usage) -> None:
        """Learn from what the provider says."""
