"""What one unit of each thing costs, and how counts become money. Pure integers: nothing is ever rounded
but the amount for one field, to the nano-dollar."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Self

from tollgate.calls import Usage

INPUTS = ("input", "cache_read", "cache_write", "cache_write_long", "input_audio", "input_image")
OUTPUTS = ("output", "reasoning", "output_audio", "output_image")
TOKENS = (*INPUTS, *OUTPUTS)
"""The fields of `Usage` that count tokens."""
CACHED = ("cache_read", "cache_write", "cache_write_long")
CALL = "call"
"""The fee for a call as such."""

_PICOS = 10**12
_MICROS = 10**6


@dataclass(frozen=True, slots=True)
class Rate:
    """What `per` units cost. Where it depends on how long the whole input is, one price holds for all."""

    steps: tuple[tuple[int, int], ...]
    """(where the input has more tokens than this, pico-dollars for `per` units), ascending."""
    per: int = 1_000_000
    once: bool = False
    """True where a call is billed for one, however many it used."""

    @classmethod
    def of(cls, dollars: Decimal, per: int = 1_000_000) -> Self:
        return cls.stepped([(-1, dollars)], per)

    @classmethod
    def stepped(cls, steps: Iterable[tuple[int, Decimal]], per: int = 1_000_000) -> Self:
        """One whose dollars depend on the length of the input."""
        return cls(tuple((start, int(dollars * _PICOS)) for start, dollars in steps), per)

    @property
    def costs(self) -> bool:
        """Whether it is anything but free."""
        return any(price for _, price in self.steps)

    def times(self, factor: Decimal) -> Rate:
        """The same rate at a discount, or with an uplift."""
        steps = tuple((start, int((price * factor).to_integral_value())) for start, price in self.steps)
        return replace(self, steps=steps)

    def nanos(self, count: float, inputs: int) -> int:
        """Nano-dollars for that many units in a call with that many input tokens, halves rounded up."""
        count = min(count, 1) if self.once else count
        price = self.steps[0][1]
        for start, dearer in self.steps[1:]:
            if inputs > start:
                price = dearer
        if isinstance(count, int):
            return (count * price * 2 + self.per * 1000) // (self.per * 2000)
        return (round(count * _MICROS) * price * 2 + self.per * 1000 * _MICROS) // (self.per * 2000 * _MICROS)


def times(rates: Rates, factor: Decimal) -> Rates:
    """The rates with those of tokens at a discount, or with an uplift."""
    if factor == 1:
        return rates
    return {name: rate.times(factor) if name in TOKENS else rate for name, rate in rates.items()}


type Rates = Mapping[str, Rate]
"""Field of `Usage`, "requests.<tool>", or `CALL` → its rate."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a usage costs at some rates, in nano-dollars."""

    parts: dict[str, int]
    unpriced: tuple[str, ...]
    """What was used, but has no rate."""
    saved: int


def bill(usage: Usage, rates: Rates) -> Bill:
    """What a usage costs. Fields that the rates do not have are told, never taken for free."""
    inputs = sum(getattr(usage, name) for name in INPUTS)
    parts: dict[str, int] = {}
    unpriced = []
    saved = 0
    for name, count in _used(usage):
        if (rate := rates.get(name)) is None:
            unpriced.append(name)
            continue
        parts[name] = spent = rate.nanos(count, inputs)
        if name in CACHED and (plain := rates.get("input")):
            saved += plain.nanos(count, inputs) - spent
    if fee := rates.get(CALL):
        parts[CALL] = fee.nanos(1, inputs)
    return Bill(parts, tuple(unpriced), saved)


def _used(usage: Usage) -> list[tuple[str, float]]:
    used: list[tuple[str, float]] = [(name, count) for name in TOKENS if (count := getattr(usage, name))]
    if usage.seconds:
        used.append(("seconds", usage.seconds))
    if usage.requests:
        used += [(f"requests.{tool}", count) for tool, count in usage.requests.items()]
    return used
