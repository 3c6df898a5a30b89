"""Tollgate: mitmproxy addons that make a forward proxy for LLM traffic."""

__version__ = "0.1.0"
