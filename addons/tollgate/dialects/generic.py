"""Any JSON API that no other row knows: every string is a slot, and usage is sought where OpenAI puts it, and
where Cohere's embeddings and reranking do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tollgate.dialects.base import Dialect
from tollgate.dialects.cohere import searches
from tollgate.dialects.counts import Found
from tollgate.dialects.ends import any_event
from tollgate.dialects.openai import COUNTS, ERRORS, beside
from tollgate.dialects.paths import number_at


def _beside(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """Voyage and Jina say of reranking the total only."""
    more = beside(answer, said, found) | searches(answer, said, found)
    total = number_at(said, ("total_tokens",))
    return more if total is None or "input" in found or "output" in found else {"input": total} | more


GENERIC = Dialect(
    name="generic",
    shape={},
    usage_marks=(b'"usage"', b'"billed_units"'),
    counts=replace(
        COUNTS,
        at=(*COUNTS.at, "meta"),
        fields={
            **COUNTS.fields,
            "input": (*COUNTS.fields["input"], "billed_units.input_tokens"),
        },
        beside=_beside,
    ),
    errors=ERRORS,
    ends=any_event,
)
