from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.proxy import Provider, Proxy, simulated_provider, tollgate


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path) as provider:
        yield provider


@pytest.fixture
async def proxy(tmp_path: Path, provider: Provider) -> AsyncIterator[Proxy]:
    async with tollgate(tmp_path, provider) as proxy:
        yield proxy
