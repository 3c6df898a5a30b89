"""Price files in force: which row is for a call, and what its tariff comes to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from tollgate.cost.rates import CALL, Rate
from tollgate.policy.match import Matcher, names
from tollgate.policy.parse import parse
from tollgate.policy.price_file import PriceFile, Row, Tariff
from tollgate.policy.problem import Mark, PolicyError, Problem
from tollgate.policy.reader import as_part, read_text


@dataclass(frozen=True, slots=True)
class Entry:
    """A row in force, and where it stands."""

    row: Row
    mark: Mark
    provider: Matcher
    model: Matcher
    host: Matcher
    region: Matcher

    def fits(self, provider: str, model: str, host: str, region: str, day: date) -> bool:
        """Whether the row is for such a call on that day."""
        row = self.row
        return (
            (row.since is None or row.since <= day)
            and (row.until is None or day < row.until)
            and self.provider.matches((provider,))
            and self.model.matches((model,))
            and self.host.matches((host,))
            and self.region.matches((region,))
        )

    def wrong(self, message: str) -> PolicyError:
        """An error about this row."""
        return PolicyError([Problem(self.mark, "", message)])


def read_overlays(paths: Iterable[Path]) -> tuple[Entry, ...]:
    """The rows of all files, in order. PolicyError, a ValueError, says all that is wrong, and where."""
    return tuple(entry for path in paths for entry in read_entries(read_text(path), str(path)))


def read_entries(text: str, file: str) -> Iterable[Entry]:
    """The rows of a price file's text, in order. PolicyError as for `read_overlays`."""
    tree = parse(text, file)
    for n, row in enumerate(as_part(tree, PriceFile).prices):
        patterns = row.provider, row.model, row.host, row.region
        yield Entry(row, tree.nearest(("prices", n)).mark, *(Matcher(words, names) for words in patterns))


def rates_of(tariff: Tariff) -> dict[str, Rate]:
    """A tariff as rates, by field of `Usage`."""
    priced = {"input": tariff.input, "output": tariff.output}
    for name, whole in _PART_OF.items():
        own: Decimal | None = getattr(tariff, name)
        priced[name] = priced[whole] if own is None else own
    rates = {name: Rate.of(money) for name, money in priced.items() if money is not None}
    rates |= {f"requests.{tool}": Rate.of(money, 1) for tool, money in tariff.tools.items()}
    if tariff.hour is not None:
        rates["seconds"] = Rate.of(tariff.hour, 3600)
    if tariff.call is not None:
        rates[CALL] = Rate.of(tariff.call, 1)
    return rates


_PART_OF = {
    "cache_read": "input",
    "cache_write": "input",
    "cache_write_long": "cache_write",
    "input_audio": "input",
    "input_image": "input",
    "reasoning": "output",
    "output_audio": "output",
    "output_image": "output",
}
"""What costs as much as another field, where it has no price of its own."""
