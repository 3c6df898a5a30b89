"""Tells people that a budget runs low: what is said, and how it gets to a webhook, off any call's path."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import aiohttp

from tollgate.cost.budgets import Share, described, written
from tollgate.cost.money import Money

logger = logging.getLogger(__name__)

TIMEOUT = 10.0
PAUSES = (0.0, 1.0, 5.0)
"""Seconds before each try."""


def alert(share: Share, threshold: float, spent: int, money: Money, time: float) -> dict[str, Any]:
    """What is told; JSON, and `text` for people."""
    budget, claim = share.budget, share.claim
    part = spent / claim.limit if claim.limit else 1.0
    sentence = f"{described(share, money)} is {part:.0%} spent ({money.show(spent)})"
    return {
        "text": f"Tollgate: {sentence}. It opens again on {written(share.reopens)}.",
        "event": "budget_spent" if part >= 1 else "budget_threshold",
        "time": datetime.fromtimestamp(time, UTC).isoformat(timespec="seconds"),
        "budget": budget.name,
        "whose": share.whose,
        "every": budget.every,
        "threshold": threshold,
        "limit": float(money.amount(claim.limit)),
        "spent": float(money.amount(spent)),
        "currency": money.code,
        "reopens": share.reopens.isoformat(),
        "at_limit": budget.at_limit,
    }


async def post(url: str, told: Mapping[str, Any], pauses: tuple[float, ...] = PAUSES) -> bool:
    """Send it to a webhook, again where that fails. False, and a line in the log, where it never got there.

    No message quotes the URL, which often is a secret; nor do those of aiohttp's errors that do.
    """
    problem = ""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
        for pause in pauses:
            await asyncio.sleep(pause)
            problem = await _try(session, url, told)
            if not problem:
                return True
    logger.warning("An alert could not be sent to the webhook of cost.alerts: %s", problem)
    return False


async def _try(session: aiohttp.ClientSession, url: str, told: Mapping[str, Any]) -> str:
    """Why it could not be sent; empty where it was."""
    try:
        async with session.post(url, json=told, allow_redirects=False) as answer:
            return "" if answer.status < 300 else f"it answered {answer.status}"
    except (aiohttp.ClientError, TimeoutError, ValueError) as e:  # ValueError: no URL at all
        return type(e).__name__
