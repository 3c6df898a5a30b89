"""Who may do what: for now, who is calling."""

from tollgate.access.identity import identify
from tollgate.access.tools import tool_of

__all__ = ["identify", "tool_of"]
