"""What the proxy saw of traffic that it did not look into."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

type Sight = Literal["tunnelled", "refused", "tls_failed", "websocket", "opaque"]


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection, or a request on one, that was not inspected: it counts, so that nobody has to guess."""

    sight: Sight
    host: str
    port: int
    address: str
    """The client's address, without port."""
    user: str = ""
    """The proxy user; empty where there is none."""
    why: str = ""
    """A stable word: "other_host", "opaque", "metadata", "grpc"."""
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something about the proxy itself that belongs on record: a policy that could not be loaded."""

    code: str
    text: str
    time: float = field(default_factory=time.time)
