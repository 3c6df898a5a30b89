"""What the commands about money share: the ledger of a policy, times, and bars."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

import typer
from rich.console import Console
from rich.text import Text

from tollgate.cost.ledger import FILE, open_ledger
from tollgate.cost.money import Money
from tollgate.cost.windows import window_at, zone_of
from tollgate.policy import PolicyFile, load
from tollgate.store import StateError, state_folder

_SPAN = re.compile(r"(\d+)\s*([hdw])")
_SECONDS = {"h": 3600, "d": 86400, "w": 7 * 86400}
_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"


@dataclass(frozen=True, slots=True)
class Books:
    """A policy's ledger, opened, and how its money and times are shown."""

    database: sqlite3.Connection
    policy: PolicyFile
    money: Money
    zone: tzinfo
    now: float


@contextmanager
def opened(policy: Sequence[Path], state: Path | None) -> Iterator[Books]:
    """The books of a policy. Exits with 2, and says why, where there are none."""
    with _or_exit():
        file = load(policy).file
        path = file.cost.ledger.path or state_folder(str(state or "")) / FILE
        if not path.exists():
            raise StateError(
                f"There is no ledger at {path} yet. It begins with the first call that costs something, where"
                " cost.enabled is on in the policy; --state and --policy name another one."
            )
        database = open_ledger(path)
    with closing(database), _or_exit():
        zone = zone_of(file.cost.timezone)
        yield Books(database, file, Money.of(file.cost.prices.currency), zone, time.time())


@contextmanager
def _or_exit() -> Iterator[None]:
    """Exit with 2 for what cannot be used, and say why. PolicyError is a ValueError."""
    try:
        yield
    except BrokenPipeError:
        raise  # `| head` has all it wants: typer ends without a word
    except (OSError, ValueError, sqlite3.Error) as e:
        Console(stderr=True, highlight=False).print(Text(str(e), "red"), soft_wrap=True)
        raise typer.Exit(2) from e


def moment(text: str, now: float, zone: tzinfo, option: str = "--since") -> float:
    """ "month" (its first day), "7d", "24h", "2w", "2026-11-01" in seconds since 1970; no earlier."""
    if text == "month":
        return window_at("month", now, zone).start
    if found := _SPAN.fullmatch(text.strip()):
        return max(0.0, now - int(found[1]) * _SECONDS[found[2]])
    try:
        day = datetime.fromisoformat(text)
    except ValueError as e:
        message = "write month, a span such as 24h, 7d or 2w, or a day such as 2026-11-01"
        raise typer.BadParameter(f'"{text}" is no time: {message}', param_hint=option) from e
    return max(0.0, (day if day.tzinfo else day.replace(tzinfo=zone)).timestamp())


def printable(name: str) -> str:
    """A name that others chose, such as a client's model, without what a terminal would act on."""
    return "".join(letter if letter.isprintable() else "�" for letter in name)


def bar(parts: Sequence[tuple[float, str]], most: float, width: int) -> Text:
    """Values end to end, each in its style, as long together as their sum is of `most`. What is there can be
    seen; only the last one ends within a character, since two colours in one have no sign."""
    text, done = Text(), 0.0
    last = max((n for n, (value, _) in enumerate(parts) if value > 0), default=-1)
    for n, (value, style) in enumerate(parts[: last + 1]):
        done += value
        eighths = min(round(done / most * width * 8), width * 8) if most > 0 else 0
        left = max(eighths - len(text) * 8, 1 if n == last else 0)
        full, rest = divmod(left, 8)
        text.append(_FULL * full + (_EIGHTHS[rest] if n == last and rest else ""), style)
    return text[:width]


def count(number: int) -> str:
    """A number in few characters: 840, 1.2k, 98k, 1.4M"""
    for size, unit in ((10**9, "G"), (10**6, "M"), (1000, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}" if number < 9.95 * size else f"{number // size}{unit}"
    return str(number)
