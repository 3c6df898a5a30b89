"""What is allowed: schema, reader, matching, hot reload."""

from tollgate.policy.match import Facts
from tollgate.policy.policy import Policy, Row
from tollgate.policy.problem import Mark, PolicyError, Problem, Unfit
from tollgate.policy.reader import load
from tollgate.policy.schema import Host, PolicyFile, Settings, Upstream, json_schema
from tollgate.policy.watch import PolicySource

__all__ = [
    "Facts",
    "Host",
    "Mark",
    "Policy",
    "PolicyError",
    "PolicyFile",
    "PolicySource",
    "Problem",
    "Row",
    "Settings",
    "Unfit",
    "Upstream",
    "json_schema",
    "load",
]
