"""Files that a command is given."""

from __future__ import annotations

from pathlib import Path

import typer


def read_bytes(file: Path) -> bytes:
    """What stands in it; "-" is standard input. OSError where that cannot be read."""
    return typer.get_binary_stream("stdin").read() if str(file) == "-" else file.read_bytes()
