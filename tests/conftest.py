"""What all tests share."""

from __future__ import annotations

import pytest

LONGEST_ID = 40


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Long and binary values are named by their argument: archives hold the time at which they were made, and
    every process that runs tests has to give them the same names."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return argname
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return argname
    return None
