"""The public prices of the package genai-prices, as rates. The one file that knows that package.

Its own arithmetic takes 70 µs a call, and tells the sum only. Here a model's prices are made into rates,
which are kept; its data is what comes with it, and is never updated behind our back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache, lru_cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from tollgate.cost.rates import CALL, TOKENS, Rate

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

SOURCE = f"genai-prices {version('genai-prices')}"

_CHAINS: Mapping[str, tuple[str, ...]] = {
    "input": ("input_text_mtok", "input_mtok"),
    "cache_read": ("cache_read_mtok", "input_mtok"),
    "cache_write": ("cache_write_5m_mtok", "cache_write_mtok", "input_mtok"),
    "cache_write_long": ("cache_write_1h_mtok", "cache_write_mtok", "input_mtok"),
    "output": ("output_text_mtok", "output_mtok"),
    "reasoning": ("output_reasoning_mtok", "output_mtok"),
    "input_audio": ("input_audio_mtok", "input_mtok"),
    "input_image": ("input_image_mtok", "input_mtok"),
    "output_audio": ("output_audio_mtok", "output_mtok"),
    "output_image": ("output_image_mtok", "output_mtok"),
}
"""Field of `Usage` → its price, or else that of what it is a part of."""

_UNITS: Mapping[str, tuple[tuple[str, ...], int]] = {
    "seconds": (("input_audio_hours", "audio_hours"), 3600),
    "requests.web_search": (("web_searches_kcount",), 1000),
    "requests.google_search": (("web_searches_kcount",), 1000),
    "requests.x_search": (("social_searches_kcount",), 1000),
    "requests.file_search": (("storage_searches_kcount",), 1000),
    "requests.code_interpreter": (("code_executions_kcount",), 1000),
    "requests.code_execution": (("code_executions_kcount",), 1000),
    "requests.search": (("rerank_searches_kcount",), 1000),
    CALL: (("requests_kcount",), 1000),
}
"""What is no token → its price, and for how many units that is."""

_WITHIN_TOKENS: Mapping[str, tuple[str, ...]] = {
    # https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-fetch-tool#usage-and-pricing;
    # compactions and advisors are counted in tokens, and as requests only to be seen
    "anthropic": ("web_fetch", "compaction", "advisor"),
}
"""Server tools by the provider's price id that cost no more than their tokens."""

_TIERS: Mapping[str, Mapping[str, str]] = {
    **{tier: {} for tier in ("", "default", "standard", "auto", "on_demand")},
    "batch": {"processing": "batch"},
    **{tier: {"service_tier": tier} for tier in ("flex", "priority", "fast")},
    "on_demand_flex": {"service_tier": "flex"},  # as Vertex AI says them
    "on_demand_priority": {"service_tier": "priority"},
}
"""A service tier, in lower case → the words by which genai-prices selects its prices."""


_NOTHING = Rate(((-1, 0),))


@dataclass(frozen=True, slots=True)
class Found:
    """A model's public rates."""

    rates: Mapping[str, Rate]
    unsure: tuple[str, ...] = ()
    """What the rates leave out of account, because no public price says it: "tier ultrafast"."""


class PublicPrices:
    """What models cost in public. Safe in any thread."""

    def __init__(self) -> None:
        self._providers = _providers()
        self._model = lru_cache(maxsize=4096)(self._find_model)

    def knows(self, provider: str) -> bool:
        """Whether there is a provider of that price id."""
        return provider in self._providers

    def find(self, provider: str, model: str, tier: str, speed: str, moment: datetime) -> Found | None:
        """The rates of a model at a moment; None where nobody knows it."""
        found = self._model(provider, model)
        if found is None:
            return None
        context, unsure = _context(found, self._providers[provider], tier, speed)
        prices = found.get_prices(moment, context)
        if any(price is not None for price in vars(prices).values()):
            return Found(_once(provider, found.id, rates_of(prices, provider)), unsure)
        # Listed without a price: free of charge, or in a plan. Only some say so in their name.
        said = () if found.id.endswith(":free") else ("no price listed",)
        return Found(dict.fromkeys(TOKENS, _NOTHING), said)

    def _find_model(self, provider: str, model: str) -> ModelInfo | None:
        row = self._providers.get(provider)
        everyone = list(self._providers.values())
        return row.find_model(bare(model).lower(), all_providers=everyone) if row else None


@cache
def _providers() -> dict[str, Provider]:
    """By price id. Imported here, because it takes half a second that only those need who price calls."""
    from genai_prices.data import providers

    return {provider.id: provider for provider in providers}


def bare(model: str) -> str:
    """A model's name without what Google's paths and Amazon's ARNs put before it."""
    return _BEFORE_THE_NAME.sub("", model)


_BEFORE_THE_NAME = re.compile(
    r"^(?:projects/[^/]+/locations/[^/]+/)?(?:publishers/[^/]+/)?models/"
    r"|^arn:[^/]*:(?:foundation-model|inference-profile)/"
)


def _context(
    model: ModelInfo, provider: Provider, tier: str, speed: str
) -> tuple[dict[str, str], tuple[str, ...]]:
    """The words that select a model's prices, and what no price of its own stands for."""
    wanted: dict[str, str] = {}
    unsure = []
    words = _TIERS.get(tier.lower())
    asked = [(f"tier {tier}", words)]
    if speed.lower() not in ("", "standard"):
        asked.append((f"speed {speed}", {"speed": speed.lower()}))
    for name, said in asked:
        if said is None or not all(_has_variant(model, provider, *item) for item in said.items()):
            unsure.append(name)
        else:
            wanted |= said
    return wanted, tuple(unsure)


def _has_variant(model: ModelInfo, provider: Provider, key: str, value: str) -> bool:
    """Prices of another provider's model are its standard ones: a tier there says nothing of one here."""
    own = any(model is row for row in provider.models)
    return own and any(variant.when.get(key) == value for variant in model.price_variants or ())


def rates_of(prices: ModelPrice, provider: str) -> dict[str, Rate]:
    """A model's prices as rates, by field of `Usage`."""
    chains = {**{name: (keys, 1_000_000) for name, keys in _CHAINS.items()}, **_UNITS}
    found = {name: _first(prices, keys, per) for name, (keys, per) in chains.items()}
    rates = {name: rate for name, rate in found.items() if rate}
    tools = _WITHIN_TOKENS.get(provider, ()) if rates else ()
    return rates | {f"requests.{tool}": _NOTHING for tool in tools}


def _once(provider: str, model: str, rates: dict[str, Rate]) -> dict[str, Rate]:
    """Up to Gemini 2.5 a grounded prompt is billed, and from 3 on each of its searches:
    https://ai.google.dev/gemini-api/docs/google-search#pricing"""
    if provider != "google" or not model.startswith(("gemini-1", "gemini-2")):
        return rates
    searches = {name: replace(rate, once=True) for name, rate in rates.items() if name in _SEARCHES}
    return rates | searches


_SEARCHES = ("requests.web_search", "requests.google_search")


def _first(prices: ModelPrice, keys: tuple[str, ...], per: int) -> Rate | None:
    return next((rate for key in keys if (rate := _rate(prices, key, per))), None)


def _rate(prices: ModelPrice, key: str, per: int) -> Rate | None:
    price = getattr(prices, key)
    if price is None or isinstance(price, Decimal):
        return None if price is None else Rate.of(price, per)
    return Rate.stepped([(-1, price.base), *((tier.start, tier.price) for tier in price.tiers)], per)
