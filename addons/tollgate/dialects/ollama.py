"""Ollama's own API: https://github.com/ollama/ollama/blob/main/docs/api.md"""

from __future__ import annotations

from tollgate.dialects.base import Dialect
from tollgate.dialects.counts import Counts
from tollgate.dialects.ends import matching
from tollgate.dialects.errors import Errors
from tollgate.dialects.shapes import FUNCTION_TOOL, SCHEMA, SETTINGS, Node, blob, skip, text

_MESSAGE: Node = {
    **skip("role", "tool_name", "tool_call_id"),
    **text("content", "thinking"),
    **blob("images"),
    "tool_calls": {**skip("id", "type"), "function": {**skip("name", "index"), **text("arguments")}},
}

OLLAMA = Dialect(
    name="ollama",
    shape={
        **SETTINGS,
        **skip("model", "keep_alive", "think", "raw"),
        **text("prompt", "suffix", "system", "template", "input"),
        **blob("images"),
        "messages": _MESSAGE,
        "tools": FUNCTION_TOOL,
        "format": SCHEMA,
        "options": {**SETTINGS, **text("stop")},
    },
    framing="ndjson",
    usage_marks=(b'eval_count"',),
    streams_unasked=True,
    counts=Counts(at=("",), fields={"input": ("prompt_eval_count",), "output": ("eval_count",)}),
    errors=Errors(whole={"error": "$message"}, stream=(("", {"error": "$message"}),)),
    ends=matching(rb'"done":\s*true'),
)
