"""What calls cost: where prices come from, how tokens are counted, and what may be spent."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from tollgate.policy.fields import File
from tollgate.policy.part import Part


class Currency(Part):
    """The money in which reports are shown. Prices and records are in US dollars."""

    code: str = Field(default="USD", pattern=r"[A-Z]{3}")
    """As ISO 4217 writes it: EUR."""
    rate: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """How much of it one US dollar is."""


class PriceSettings(Part):
    """What a token costs."""

    overlays: list[File] = Field(default_factory=list)
    """Price files of your own, before the public prices: contracts, discounts, self-hosted models, what
    stands behind a deployment's name. The first row that fits holds."""
    ceiling: float = Field(default=100.0, ge=0, allow_inf_nan=False)
    """US dollars for a million tokens, which budgets charge for a model whose price nobody knows."""
    currency: Currency = Currency()


class CountingSettings(Part):
    """How tokens are counted where the provider has not said, or has not said yet."""

    ranks: File | None = None
    """A folder with OpenAI's rank files (o200k_base.tiktoken, cl100k_base.tiktoken). Left out, those of the
    package bpe-openai if it is installed; else tokens are estimated. Nothing is ever downloaded."""
    output: int = Field(default=4096, ge=0)
    """Output tokens that are expected of a request that sets no limit itself."""
    include_usage: bool = True
    """Ask for the usage of a streamed answer where a provider says it only if asked. A client that did not
    ask itself is not shown it."""


class CostSettings(Part):
    """What calls cost, and what may be spent."""

    enabled: bool = False
    """Whether calls are priced and budgets kept."""
    prices: PriceSettings = PriceSettings()
    counting: CountingSettings = CountingSettings()
    budgets: list[Any] = Field(default_factory=list)
    """What may be spent."""
