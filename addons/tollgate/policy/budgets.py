"""What may be spent, who is told of it, and where it is written down."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from tollgate.policy.fields import Duration, File, Variable
from tollgate.policy.part import Part
from tollgate.policy.when import When

type Period = Literal["hour", "day", "week", "month"]
type Scope = Literal["user", "team", "project", "session", "credential", "tool", "provider", "model"]
type Counted = Literal["metered", "subscription", "all"]


def parse_share(value: Any) -> Any:
    """ "80%" as 0.8; what is no text stays."""
    if not isinstance(value, str):
        return value
    try:
        return float(value.strip().removesuffix("%")) / (100 if value.strip().endswith("%") else 1)
    except ValueError:
        raise ValueError("a share is a number such as 0.8, or a percentage such as 80%") from None


type Share = Annotated[
    float,
    Field(gt=0, le=10, allow_inf_nan=False),
    BeforeValidator(parse_share, json_schema_input_type=Annotated[float, Field(gt=0, le=10)] | str),
    Field(description="A part of the limit: 0.8 or 80%."),
]


class Switch(Part):
    """A cheaper model in the place of the one asked for. Only where the request's body names the model."""

    at: Share = 0.8
    """From this share of the limit on."""
    models: dict[str, str] = Field(min_length=1)
    """Glob of the models asked for to the model that is called in their place; the first that fits holds."""


class Budget(Part):
    """What some calls may cost together in a window of time."""

    name: str = Field(pattern=r"^[^\x00-\x1f\x7f]{1,80}$")
    """Its own: refusals and alerts name it, and spending is counted under it."""
    limit: float = Field(ge=0, allow_inf_nan=False)
    """In the currency of `cost.prices`."""
    every: Period = "month"
    """The window, in the time zone of `cost`. A week begins on Monday."""
    per: list[Scope] = Field(default_factory=list)
    """Each of these has the limit for itself: [user] is a budget for each user, [team, model] one for each
    model in each team. None: all the calls share it."""
    when: When = When()
    """Which calls it is for; left out, all. Here and in `per`, provider and model are those that the client
    asked for, wherever a route leads the call."""
    counts: Counted = "metered"
    """What counts: calls that are billed by the token, or those that a plan (Claude Max, ChatGPT) pays, at
    what they would have cost."""
    at_limit: Literal["refuse", "warn"] = "refuse"
    """ "refuse" takes no call that could cost more than is left; "warn" only tells."""
    warn_at: list[Share] = [0.8, 1.0]
    """Shares of the limit at which an alert goes out, once in a window. From the lowest on, answers carry
    `x-tollgate-budget-warning`."""
    switch: Switch | None = None
    """A cheaper model when the budget runs low."""


class Alerts(Part):
    """Who is told when a budget runs low. The log always is."""

    webhook_env: Variable | None = None
    """The environment variable that holds a URL, which is sent a POST of JSON. Its `text` is a sentence, as
    Slack and Mattermost want it. The URL itself never stands in a policy: it often is a secret."""


class Ledger(Part):
    """The record of money: a row for every attempt that cost something, and sums by the hour."""

    path: File | None = None
    """The SQLite file; left out, `ledger.sqlite` in the state folder. All processes that share budgets have
    the same one. It has to be on a local disk."""
    keep: Duration = 90 * 86400.0
    """How long a row lasts."""
    keep_hours: Duration = 1100 * 86400.0
    """How long the sums by the hour last."""
