"""What OpenAI's APIs and those that speak like them share: how they count, and how they say errors."""

from __future__ import annotations

from typing import Any

from tollgate.dialects.counts import Counts, Found, tally
from tollgate.dialects.errors import Errors
from tollgate.dialects.paths import find, number_at, object_at, objects_at, text_at

_COUNTED_ITEMS = {
    "file_search_call": "file_search",
    "code_interpreter_call": "code_interpreter",
    # Its tokens are another model's, whose name nothing says: it is counted, and no price passes for whole.
    "image_generation_call": "image_generation",
}
"""Items of a Responses answer that are billed by the call, and told nowhere else."""


def _inputs(detail: str) -> tuple[str, ...]:
    """Where Chat, Responses and Audio put a detail of the input."""
    return tuple(f"{kind}_details.{detail}" for kind in ("prompt_tokens", "input_tokens", "input_token"))


def _outputs(detail: str) -> tuple[str, ...]:
    """Where they put a detail of the output."""
    return tuple(
        f"{kind}_details.{detail}" for kind in ("completion_tokens", "output_tokens", "output_token")
    )


def beside(answer: dict[str, Any], said: dict[str, Any], found: Found) -> Found:
    """The image tool, money, and server tools."""
    more: Found = _image_tool(answer, found)
    if (money := _reported_cost(said)) is not None:
        more["reported_cost"] = money
    if requests := _requests(answer, said):
        more["requests"] = requests
    return more


def _image_tool(answer: dict[str, Any], found: Found) -> Found:
    """Tokens of the image tool, which the answer's own counts leave out: added to whole and part alike."""
    images = object_at(answer, ("tool_usage.image_gen",))
    more: Found = {}
    for side in ("input", "output") if images else ():
        if spent := number_at(images, (f"{side}_tokens",)):
            more |= {name: found.get(name, 0) + spent for name in (side, f"{side}_image")}
    return more


def _reported_cost(said: dict[str, Any]) -> float | None:
    """In US dollars. xAI counts 1e-10 of them; OpenRouter gives a number, Perplexity an object.

    With a key of one's own, OpenRouter's number is its fee, and the provider bills the rest:
    https://openrouter.ai/docs/use-cases/usage-accounting
    """
    if (ticks := number_at(said, ("cost_in_usd_ticks",))) is not None:
        return ticks / 1e10
    money = number_at(said, ("cost", "cost.total_cost"))
    if money is not None and said.get("is_byok") is True:
        return money + (number_at(said, ("cost_details.upstream_inference_cost",)) or 0)
    return money


def _requests(answer: dict[str, Any], said: dict[str, Any]) -> dict[str, int]:
    """Server tools by name, as OpenAI, OpenRouter, xAI and Perplexity count them."""
    counted = tally(said.get("server_tool_use_details"), "_requests")
    counted |= tally(said.get("server_side_tool_usage_details"), "_calls")
    told = {
        "web_search": find(answer, "tool_usage.web_search.num_requests") or find(said, "num_search_queries")
    }
    counted |= tally(told)
    for item in objects_at(answer, "output"):
        if name := _COUNTED_ITEMS.get(text_at(item, ("type",))):
            counted[name] = counted.get(name, 0) + 1
    return counted


COUNTS = Counts(
    within=("response", ""),
    at=("usage", "x_groq.usage"),
    fields={
        "input": ("prompt_tokens", "input_tokens"),
        "output": ("completion_tokens", "output_tokens"),
        "cache_read": (
            *_inputs("cached_tokens"),
            "prompt_cache_hit_tokens",
            "cached_tokens",
            "num_cached_tokens",
        ),
        "cache_write": _inputs("cache_write_tokens"),
        "cache_write_long": _inputs("cache_write_tokens_details.ttl_12h_tokens"),
        "reasoning": _outputs("reasoning_tokens"),
        "input_audio": _inputs("audio_tokens"),
        "input_image": _inputs("image_tokens"),
        "output_audio": _outputs("audio_tokens"),
        "output_image": _outputs("image_tokens"),
        "seconds": ("seconds", "prompt_audio_seconds"),
    },
    parts=(
        ("cache_read", "input"),
        ("cache_write", "input"),
        ("cache_write_long", "cache_write"),
        ("input_audio", "input"),
        ("input_image", "input"),
        ("reasoning", "output"),
        ("output_audio", "output"),
        ("output_image", "output"),
    ),
    total="total_tokens",
    words={"tier": ("service_tier", "usage.service_tier")},
    beside=beside,
)
"""https://platform.openai.com/docs/api-reference: totals of input and output contain all of their details."""

_ERROR = {"message": "$message", "type": "$type", "param": None, "code": "$code"}

ERRORS = Errors(
    types={400: "invalid_request_error", 429: "rate_limit_error", 500: "server_error"},
    whole={"error": _ERROR},
    stream=(("", {"error": _ERROR}),),
)
"""https://platform.openai.com/docs/guides/error-codes. In a stream SDKs raise where an event has `error`."""

RESPONSE_ERRORS = Errors(
    types=ERRORS.types,
    whole=ERRORS.whole,
    # The first is raised by OpenAI's SDKs, the second understood by Codex, which looks at nothing else.
    stream=(
        (
            "error",
            {
                "type": "error",
                "sequence_number": 0,
                "code": "$code",
                "message": "$message",
                "param": None,
                "error": _ERROR,
            },
        ),
        (
            "response.failed",
            {
                "type": "response.failed",
                "sequence_number": 1,
                "response": {
                    "id": "$id",
                    "object": "response",
                    "status": "failed",
                    "error": {"code": "$code", "message": "$message"},
                    "output": [],
                },
            },
        ),
    ),
    names=frozenset({"error", "response.failed"}),
    at=("error", "response.error"),
)
"""https://platform.openai.com/docs/api-reference/responses-streaming/error"""
