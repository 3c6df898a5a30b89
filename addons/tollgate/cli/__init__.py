"""The tollgate command."""

from tollgate.cli.main import app

__all__ = ["app"]
