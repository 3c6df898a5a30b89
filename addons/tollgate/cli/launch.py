"""What `tollgate up` was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Launch:
    """The options of `tollgate up`, as they were given."""

    listen: str
    policy: list[Path]
    state: Path | None
    certs: Path | None
    admin: str
    scripts: list[Path]
    settings: list[str]
    """NAME=VALUE of mitmproxy's own options."""
    grace: float
    quiet: bool
