"""Whether a call is billed by the token, or paid by a plan."""

from __future__ import annotations

from typing import Literal

from tollgate.calls import Call

type PaidBy = Literal["metered", "subscription"]


def paid_by(call: Call) -> PaidBy:
    """How a call is paid, by its credential and host."""
    return "metered"
