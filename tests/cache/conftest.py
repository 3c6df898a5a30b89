from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.proxy import Provider, simulated_provider


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path) as provider:
        yield provider
