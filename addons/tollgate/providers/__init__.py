"""Who is spoken to: providers, their hosts and paths as data, and `recognise`."""

from tollgate.providers.recognise import HostRow, Match, Providers
from tollgate.providers.table import AUTH, DIALECTS, OPERATIONS, Endpoint, Provider

__all__ = ["AUTH", "DIALECTS", "OPERATIONS", "Endpoint", "HostRow", "Match", "Provider", "Providers"]
