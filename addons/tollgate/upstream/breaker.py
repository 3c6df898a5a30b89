"""Leaves a target that fails alone for a while: closed, open, half-open. Pure but for the standing it writes.

https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

from tollgate.calls import Standing
from tollgate.policy.routing import Breaker

_WEIGHT = 0.3
"""What one call counts for in the moving average, against all before it."""


def admits(standing: Standing, breaker: Breaker, now: float) -> bool:
    """Whether a call may go to a target; of a target that may work again, the one call that finds out."""
    if standing.failures < breaker.failures:
        return True
    if now < standing.closed_at or standing.probing:
        return False
    standing.probing = True
    return True


def succeeded(standing: Standing, seconds: float | None = None) -> None:
    """It answered, and began after so long, where that says anything."""
    before = standing.first_token
    if seconds is not None:
        standing.first_token = seconds if before is None else before + _WEIGHT * (seconds - before)
    standing.failures, standing.probing = 0, False


def failed(standing: Standing, breaker: Breaker, now: float) -> None:
    """It did not answer as it should."""
    standing.failures += 1
    standing.probing = False
    if standing.failures >= breaker.failures:
        standing.closed_at = now + breaker.rest


def undecided(standing: Standing) -> None:
    """It was not found out: the call was given up, or another was faster."""
    standing.probing = False
