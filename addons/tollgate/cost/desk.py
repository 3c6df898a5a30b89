"""All that pricing and budgets need of one policy: built beside what is in force, then never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tollgate.calls import Attempt, Call, Runtime, Usage
from tollgate.cost.budgets import Budgets, Payer, Share
from tollgate.cost.estimate import Estimator
from tollgate.cost.prices import PriceBook
from tollgate.policy import Facts, PolicyFile
from tollgate.policy.cost import CostSettings
from tollgate.providers import Providers

_LONGEST = 128
"""Characters of a team that a client names."""


class Desk:
    """What one policy says of money."""

    def __init__(self, runtime: Runtime, estimator: Estimator | None = None) -> None:
        """`estimator`: one that has learned, to be used further. ValueError for prices that are none."""
        self.runtime = runtime
        self.settings: CostSettings = runtime.policy.file.cost
        self.prices = price_book(runtime.policy.file, runtime.providers)
        self.estimator = estimator or Estimator(self.settings.counting)
        self.budgets = Budgets(self.settings)
        self.money = self.budgets.money
        self._policy = runtime.policy

    def payer(self, call: Call) -> Payer:
        """Whom a call is put down to."""
        identity = call.identity
        return Payer(
            user=identity.user,
            team=self._team(call),
            project=identity.project,
            session=identity.session,
            credential=identity.credential,
            tool=identity.tool,
        )

    def _team(self, call: Call) -> str:
        """The first group that the user is in, else what a header says, which anybody can send."""
        if groups := self._policy.groups_of(call.identity.user):
            return groups[0]
        headers = call.client_request.headers
        said = next((headers[name] for name in self.settings.team_headers if headers.get(name)), "")
        return "".join(filter(str.isprintable, said[:_LONGEST]))

    def quote(self, call: Call, provider: str, host: str, model: str) -> int | None:
        """What a call may cost elsewhere, by its size, in nano-dollars; None where nobody knows."""
        attempt = Attempt("", 0.0, provider=provider, host=host, model=model)
        usage = roughly(call, self.settings.counting.output)
        price = self.prices.of(call, usage, model, attempt)
        return price.nanos if price else None

    def facts(self, call: Call, model: str) -> Facts:
        """What the `when` of a budget looks at."""
        identity, request = call.identity, call.client_request
        return Facts(
            user=identity.user,
            groups=self._policy.groups_of(identity.user),
            client=identity.address,
            user_agent=request.headers.get("user-agent", ""),
            tool=identity.tool,
            host=request.host,
            provider=call.provider,
            dialect=call.dialect.name,
            operation=call.operation,
            model=model,
            headers=request.headers,
        )


def price_book(policy: PolicyFile, providers: Providers) -> PriceBook:
    """What a policy says of prices. ValueError for prices that are none."""
    agreed = {name: target.prices for name, target in policy.targets.items() if target.prices}
    return PriceBook(policy.cost.prices, providers, agreed)


def roughly(call: Call, output: int) -> Usage:
    """What a call may use, to compare targets by: four bytes are about a token."""
    return Usage(input=len(call.request.body.content) // 4, output=output, estimated=True)


@dataclass(slots=True)
class Carried:
    """What one call takes from its way down to its end."""

    desk: Desk
    payer: Payer
    paid: str
    model: str
    """The one that is asked for at the provider: another one than the client's, where it was switched."""
    hides: bool = False
    """True where the usage of the stream was asked for in the client's place."""
    shares: Sequence[Share] = field(default=())
    """The budgets that the call falls under."""
    held: int = 0
    """Nano-dollars that each of them holds for it."""
