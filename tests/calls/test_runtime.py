"""What rooms are given at start."""

from dataclasses import FrozenInstanceError, fields
from pathlib import Path

import pytest

from tollgate.calls import Runtime


def test_a_runtime_never_changes() -> None:
    runtime = Runtime(policy=None, providers=None, state=Path("state"), digester=None)  # type: ignore[arg-type]

    assert [field.name for field in fields(runtime)] == [
        *("policy", "providers", "state", "digester", "quotes", "checkups")
    ]
    with pytest.raises(FrozenInstanceError):
        runtime.state = Path("other")  # type: ignore[misc]
