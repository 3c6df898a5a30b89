"""The record of every call: one JSON line at its end, and one line on the console."""

from tollgate.trail.addon import Trail
from tollgate.trail.console import Console

__all__ = ["Console", "Trail"]
