"""How Tollgate sits in mitmproxy: flows become calls, and their answers responses."""

from tollgate.gate.addon import Gate

__all__ = ["Gate"]
