"""What every room is given at start, and again when the policy changes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tollgate.calls.plan import Checkup
from tollgate.calls.quotes import Quotes

if TYPE_CHECKING:
    from tollgate.policy import Policy
    from tollgate.providers import Providers
    from tollgate.store import Digester


@dataclass(frozen=True, slots=True)
class Runtime:
    """Handed to the `setup` of every addon that has one."""

    policy: Policy
    providers: Providers
    """The built-in providers and the policy's own hosts."""
    state: Path
    """The folder for what has to last: keys, the trail, the ledger."""
    digester: Digester
    quotes: Quotes = field(default_factory=Quotes)
    """What calls would cost: rooms ask each other here."""
    checkups: dict[str, Checkup] = field(default_factory=dict)
    """By their names the targets that are checked, and how they do: `upstream` tells it here."""
