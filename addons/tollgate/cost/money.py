"""Money: nano-dollars inside, a policy's currency for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from tollgate.policy.cost import Currency

NANOS = 10**9
_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
_PLACES = 2


@dataclass(frozen=True, slots=True)
class Money:
    """A currency, with how much of it a dollar is."""

    code: str = "USD"
    rate: Decimal = Decimal(1)

    @classmethod
    def of(cls, currency: Currency) -> Money:
        return cls(currency.code, Decimal(str(currency.rate)))

    def nanos(self, amount: float) -> int:
        """An amount of this currency in nano-dollars."""
        return int((Decimal(str(amount)) / self.rate * NANOS).to_integral_value())

    def amount(self, nanos: int) -> Decimal:
        """Nano-dollars in this currency, exactly."""
        return Decimal(nanos) * self.rate / NANOS

    def show(self, nanos: int) -> str:
        """For people: $1,234.50; what is less than ten cents with as many places as it takes to be seen."""
        amount = self.amount(nanos)
        places = _PLACES if not amount or abs(amount) >= Decimal("0.1") else min(9, 1 - amount.adjusted())
        text = f"{abs(amount):,.{places}f}"
        sign = "-" if amount < 0 else ""
        symbol = _SYMBOLS.get(self.code)
        return f"{sign}{symbol}{text}" if symbol else f"{sign}{text} {self.code}"

    def plain(self, nanos: int) -> str:
        """For programs: 0.0012345 USD"""
        amount = self.amount(nanos).quantize(Decimal(1) / NANOS, ROUND_DOWN)
        return f"{amount.normalize():f} {self.code}"
