"""What the tests of detection share: to compile patterns takes seconds, so it is done once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tollgate.dlp.engine import Engine, build
from tollgate.policy.dlp import Detection
from tollgate.store import Digester


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for compiled patterns."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def digester() -> Digester:
    return Digester(bytes(32))


@pytest.fixture(scope="session")
def engine(cache: Path, digester: Digester) -> Engine:
    """What the default policy looks for."""
    return build(Detection(), cache, digester, environ={})
