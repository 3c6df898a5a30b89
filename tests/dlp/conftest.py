from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from support.history import remember_from
from support.proxy import Provider, simulated_provider


@pytest.fixture
def each_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every item of a list is a stretch that is remembered."""
    remember_from(monkeypatch, 1)


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    async with simulated_provider(tmp_path) as provider:
        yield provider
