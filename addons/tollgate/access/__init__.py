"""Who may do what: for now, who is calling."""

from tollgate.access.identity import SECRET_HEADERS, identify
from tollgate.access.tools import tool_of

__all__ = ["SECRET_HEADERS", "identify", "tool_of"]
