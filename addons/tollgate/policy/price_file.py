"""A company's own prices: rows of YAML files that stand before the public ones.

prices:
  - provider: openai          # a contract: 15 % off whatever the public price is
    model: "gpt-*"
    multiply: 0.85
  - provider: azure           # what stands behind a deployment's name
    model: prod-chat
    like: gpt-5.4
  - provider: corp-vllm       # a server of one's own; US dollars for a million tokens
    model: "*"
    prices: {input: 0.2, output: 0.6}
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, Field, model_validator

from tollgate.policy.fields import Patterns
from tollgate.policy.part import Part


def _money(value: Any) -> Any:
    """A number as it was written, so that 0.1 is a tenth. ValueError for what is none."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("this has to be a number, without quotes and with a point: 0.25")
    return Decimal(str(value))


def _day(value: Any) -> Any:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError("a day is written like 2026-12-01") from None


type Money = Annotated[Decimal, Field(ge=0, allow_inf_nan=False), BeforeValidator(_money)]
type Factor = Annotated[Decimal, Field(gt=0, allow_inf_nan=False), BeforeValidator(_money)]
type Day = Annotated[date, BeforeValidator(_day)]


class Tariff(Part):
    """US dollars for a million tokens, where it does not say otherwise. What is left out costs what it is a
    part of: a cache's tokens what the input costs, reasoning what the output costs."""

    input: Money | None = None
    """Of the request."""
    output: Money | None = None
    """Of the answer."""
    cache_read: Money | None = None
    """Read from the provider's prompt cache."""
    cache_write: Money | None = None
    """Written to it for its usual time."""
    cache_write_long: Money | None = None
    """Written to it for its long time."""
    reasoning: Money | None = None
    """Thought, and not said."""
    input_audio: Money | None = None
    """Sound in the request."""
    output_audio: Money | None = None
    """Sound in the answer."""
    input_image: Money | None = None
    """Pictures in the request."""
    output_image: Money | None = None
    """Pictures in the answer."""
    hour: Money | None = None
    """An hour of audio."""
    call: Money | None = None
    """Each call, besides its tokens."""
    tools: dict[str, Money] = Field(default_factory=dict)
    """Each use of a server tool, by its name: {web_search: 0.01}"""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any(value is not None for name, value in self if name != "tools") and not self.tools:
            raise ValueError("nothing here says what it costs: give it `input` and `output`, 0 for nothing")
        return self


class Row(Part):
    """What some models cost."""

    provider: Patterns = ["*"]
    """Tollgate's ids of providers, as `tollgate policy explain` shows them."""
    model: Patterns = ["*"]
    """The model, or deployment, as the client asks for it or the answer names it."""
    host: Patterns = ["*"]
    """The host called."""
    region: Patterns = ["*"]
    """Where the answer says it was served: us (Anthropic's inference_geo)."""
    since: Day | None = None
    """The first day, in UTC, on which it holds."""
    until: Day | None = None
    """The first day on which it no longer holds."""
    prices: Tariff | None = None
    """What it costs; or else `like`, or only `multiply`."""
    like: str | None = None
    """The public price of another model: gpt-5.4, or that of another provider: openai/gpt-5.4."""
    multiply: Factor = Decimal(1)
    """A discount (0.85) or an uplift (1.1) on the price of the tokens."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if self.prices is not None and self.like is not None:
            raise ValueError("`prices` and `like` both say what it costs: leave one of them out")
        if self.prices is None and self.like is None and self.multiply == 1:
            raise ValueError("nothing here says what it costs: give it `prices`, `like` or `multiply`")
        if self.since and self.until and self.since >= self.until:
            raise ValueError("`since` has to be before `until`")
        return self


class PriceFile(Part):
    """A price file."""

    prices: list[Row] = Field(default_factory=list)
    """In order: the first row that fits holds."""
