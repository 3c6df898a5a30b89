"""Plain values of a request - sampling, limits, bookkeeping - as tables of where each dialect has them.

Neutral names are OpenAI's, as the oldest: max_tokens, temperature, top_p, top_k, presence_penalty,
frequency_penalty, seed, stop, n, logprobs, top_logprobs, logit_bias, parallel_tools, and the bookkeeping
below.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tollgate.dialects.paths import find
from tollgate.routing.translation.loss import Losses, Untranslatable
from tollgate.routing.translation.neutral import Setting

BOOKKEEPING = frozenset(
    {
        *("user", "safety_identifier", "metadata", "store", "service_tier", "verbosity"),
        *("prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"),
    }
)
"""Settings without which the answer is much the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a dialect has a setting, and what it takes there."""

    path: str
    """In the body, dotted."""
    most: float | None = None
    """The largest value that is taken; a larger one becomes this."""
    items: int | None = None
    """How long a list may be; it is always one where this is set, and may be a single value elsewhere."""
    longest: int | None = None
    """How long a text that only has to be the same each time may be; of a longer one a digest is given."""


type Places = Mapping[str, Place]


def places(**paths: str | Place) -> dict[str, Place]:
    """A table, with plain paths where there is no more to say."""
    return {name: Place(path) if isinstance(path, str) else path for name, path in paths.items()}


def read(body: Mapping[str, Any], table: Places) -> dict[str, Setting]:
    """The settings that a body has, null ones left out. Untranslatable where one is of a wrong type."""
    found = ((name, place, find(body, place.path)) for name, place in table.items())
    return {name: _setting(name, value, place.path) for name, place, value in found if value is not None}


def _setting(name: str, value: Any, path: str) -> Setting:
    if name == "stop" and isinstance(value, str):
        return Setting([value], path)
    if name == "stop" and not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise Untranslatable(f"{path} must be a list of texts")
    if name in _NUMBERS and (not isinstance(value, int | float) or isinstance(value, bool)):
        raise Untranslatable(f"{path} must be a number")
    return Setting(value, path)


_NUMBERS = frozenset({"max_tokens", "temperature", "top_p", "top_k", "presence_penalty", "frequency_penalty"})


def write(settings: Mapping[str, Setting], table: Places, body: dict[str, Any], losses: Losses) -> None:
    """Put the settings where the table says; those that it does not have are lost."""
    for name, setting in settings.items():
        if place := table.get(name):
            put(body, place.path, _fitted(name, setting, place, losses))
        elif not _is_default(name, setting.value):
            losses.note(name, setting.where, hint=name in BOOKKEEPING)


def put(body: dict[str, Any], path: str, value: Any) -> None:
    """Set what stands at a dotted path, with the objects that lead there."""
    *above, last = path.split(".")
    for key in above:
        body = body.setdefault(key, {})
    body[last] = value


_DEFAULTS: dict[str, Any] = {
    "n": 1,
    "parallel_tools": True,
    "presence_penalty": 0,
    "frequency_penalty": 0,
    "logprobs": False,
    "top_logprobs": 0,
    "store": False,
    "service_tier": "auto",
}
"""Saying these is the same as saying nothing."""


def _is_default(name: str, value: Any) -> bool:
    return name in _DEFAULTS and bool(_DEFAULTS[name] == value)


def _fitted(name: str, setting: Setting, place: Place, losses: Losses) -> Any:
    value = setting.value
    if place.most is not None and isinstance(value, int | float) and value > place.most:
        losses.note(f"{name} above {place.most:g}", setting.where)
        return place.most
    if place.items is not None and isinstance(value, list) and len(value) > place.items:
        losses.note(f"{name} beyond the first {place.items}", setting.where)
        return value[: place.items]
    if place.longest is not None and isinstance(value, str) and len(value) > place.longest:
        losses.note(f"{name} longer than {place.longest}", setting.where, hint=True)
        return hashlib.sha256(value.encode()).hexdigest()[: place.longest]
    return value
