"""OpenAI's legacy completions, and embeddings."""

from __future__ import annotations

from dataclasses import replace

from tollgate.dialects.base import Dialect
from tollgate.dialects.ends import any_event, finished
from tollgate.dialects.openai import COUNTS, ERRORS
from tollgate.dialects.shapes import SETTINGS, skip, text

COMPLETIONS = Dialect(
    name="openai-completions",
    shape={
        **SETTINGS,
        **skip("model", "logit_bias", "stream_options", "service_tier", "best_of", "echo"),
        **text("prompt", "suffix", "stop", "user"),
    },
    usage_marks=(b'_tokens"',),
    counts=COUNTS,
    errors=ERRORS,
    ends=finished,
)
"""https://platform.openai.com/docs/api-reference/completions"""

EMBEDDINGS = Dialect(
    name="openai-embeddings",
    shape={
        **SETTINGS,
        **skip("model", "encoding_format", "input_type", "task", "truncate"),
        **text("input", "user"),
    },
    usage_marks=(b'_tokens"',),
    counts=replace(
        COUNTS, fields={**COUNTS.fields, "input": (*COUNTS.fields["input"], "total_tokens")}, total=""
    ),
    errors=ERRORS,
    ends=any_event,
)
"""https://platform.openai.com/docs/api-reference/embeddings: never streamed. Voyage says the total only."""
