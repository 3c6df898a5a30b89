"""Our own leg to the providers: one pool of connections, and answers as they come in."""

from tollgate.upstream.addon import Upstream
from tollgate.upstream.addresses import is_forbidden

__all__ = ["Upstream", "is_forbidden"]
