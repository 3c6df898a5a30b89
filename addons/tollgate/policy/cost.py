"""What calls cost: where prices come from, how tokens are counted, and what may be spent."""

from __future__ import annotations

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field

from tollgate.policy.budgets import Alerts, Budget, Ledger
from tollgate.policy.fields import File
from tollgate.policy.part import Part


def check_zone(name: str) -> str:
    """A time zone that this machine knows."""
    if name != "UTC":  # which needs no data
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError) as e:
            message = (
                "is no time zone that this machine knows: write one like Europe/Berlin or America/New_York"
            )
            raise ValueError(f"{message}, and install tzdata where there is none") from e
    return name


def check_names(budgets: list[Budget]) -> list[Budget]:
    """Spending is counted under a budget's name."""
    names = [budget.name for budget in budgets]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f'two budgets are called "{twice[0]}": each needs a name of its own')
    return budgets


type Zone = Annotated[str, AfterValidator(check_zone)]


class Currency(Part):
    """The money in which reports are shown. Prices and records are in US dollars."""

    code: str = Field(default="USD", pattern=r"^[A-Z]{3}$")
    """As ISO 4217 writes it: EUR."""
    rate: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    """How much of it one US dollar is."""


class PriceSettings(Part):
    """What a token costs."""

    overlays: list[File] = Field(default_factory=list)
    """Price files of your own, before the public prices: contracts, discounts, self-hosted models, what
    stands behind a deployment's name. The first row that fits holds."""
    ceiling: float = Field(default=100.0, ge=0, le=1_000_000)
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
    timezone: Zone = "UTC"
    """Where days, weeks and months begin, as the IANA database names it: Europe/Berlin."""
    team_headers: list[str] = ["x-tollgate-team"]
    """The first of these that a request has names its team, where its user is in no group of
    `identification`: the first group that a user is in is their team."""
    budgets: Annotated[list[Budget], AfterValidator(check_names)] = Field(default_factory=list)
    """What may be spent. A file's list replaces that of the files before it."""
    alerts: Alerts = Alerts()
    headers: bool = False
    """Tell clients `x-tollgate-cost` (of whole answers) and `x-tollgate-budget-remaining`."""
    ledger: Ledger = Ledger()
