"""Leaves a target that fails alone for a while: closed, open, half-open. Pure but for the standing it writes.

https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
"""

from __future__ import annotations

from tollgate.calls import Checkup, Standing
from tollgate.policy.routing import Breaker

_WEIGHT = 0.3
"""What one call counts for in the moving average, against all before it."""


def admits(standing: Standing, breaker: Breaker, now: float, checkup: Checkup | None = None) -> bool:
    """Whether a call may go to a target; of a target that may work again, the one call that finds out."""
    if checkup is not None and checkup.problem:
        return False
    if standing.failures < breaker.failures:
        return True
    rested = now >= standing.closed_at or _passed_since(standing, breaker, checkup)
    if not rested or standing.probing:
        return False
    standing.probing = True
    return True


def _passed_since(standing: Standing, breaker: Breaker, checkup: Checkup | None) -> bool:
    """Whether a check has passed since the last call failed."""
    return checkup is not None and checkup.passed_at > standing.closed_at - breaker.rest


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
