"""Any JSON API that no other row knows: every string is a slot, and usage is sought where OpenAI puts it."""

from __future__ import annotations

from tollgate.dialects.base import Dialect
from tollgate.dialects.ends import any_event
from tollgate.dialects.openai import COUNTS, ERRORS

GENERIC = Dialect(
    name="generic",
    shape={},
    usage_marks=(b'"usage"',),
    counts=COUNTS,
    errors=ERRORS,
    ends=any_event,
)
