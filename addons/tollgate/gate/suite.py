"""The rooms, in the order of the walk."""

from __future__ import annotations

from tollgate.cache.addon import Cache
from tollgate.cost.addon import Cost
from tollgate.dlp.addon import Dlp
from tollgate.routing.addon import Routing
from tollgate.trail.addon import Trail
from tollgate.upstream.addon import Upstream


def rooms() -> list[object]:
    """A call goes down this list; its answer comes back up."""
    return [Trail(), Dlp(), Cache(), Routing(), Cost(), Upstream()]
