"""What all tests share."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

LONGEST_ID = 40

# A busy machine must not fail a property, nor a run fail by chance: the examples are the same every time.
# `--hypothesis-profile=explore` looks at others.
settings.register_profile("explore", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("steady", settings.get_profile("explore"), derandomize=True)
settings.load_profile("steady")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Long and binary values are named by their argument: archives hold the time at which they were made, and
    every process that runs tests has to give them the same names."""
    if isinstance(val, str | bytes) and len(val) > LONGEST_ID:
        return argname
    if isinstance(val, bytes) and not (val.isascii() and val.decode().isprintable()):
        return argname
    return None
