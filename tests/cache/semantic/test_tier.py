"""The thread in which questions are understood."""

from __future__ import annotations

import asyncio
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from support.models import static_model
from tollgate.cache.semantic.index import Index
from tollgate.cache.semantic.models import Vector
from tollgate.cache.semantic.tier import Tier, Understood, open_tier
from tollgate.policy.cache import CacheStorage, Embedder, Semantic
from tollgate.store import StateError

POLICY = Semantic(mode="serve", threshold=0.3)


class Alike:
    """Finds all texts the same, once it may."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()

    def embed(self, text: str) -> Vector | None:
        assert self.gate.wait(10)
        return np.array([1, 0], np.float32) if text else None


def partition() -> str:
    return "p"


async def understood(tier: Tier, text: str) -> Understood:
    found = await tier.understand(POLICY, text, partition)
    assert found is not None
    return found


async def test_a_question_is_found_once_it_was_added_and_no_guard_minds() -> None:
    tier = Tier(Alike(), Index(10))
    first = await understood(tier, "How many legs has a spider?")
    tier.add(first, "entry")

    assert first.near == ()
    again = await understood(tier, "how many legs has a spider, please")
    assert [near.name for near in again.near] == ["entry"]
    assert (await understood(tier, "How many legs has an ant?")).near == ()
    tier.close()


async def test_what_has_no_vector_or_changes_with_time_is_not_understood() -> None:
    tier = Tier(Alike(), Index(10))

    assert await tier.understand(POLICY, "", partition) is None
    assert await tier.understand(POLICY, "What is the weather today?", partition) is None
    tier.close()


async def test_calls_do_not_wait_for_a_model_that_is_too_slow() -> None:
    model = Alike()
    model.gate.clear()
    tier = Tier(model, Index(10))
    waiting = [asyncio.ensure_future(tier.understand(POLICY, "a", partition)) for _ in range(32)]
    await asyncio.sleep(0)

    assert await tier.understand(POLICY, "a", partition) is None
    model.gate.set()
    assert None not in await asyncio.gather(*waiting)
    assert await tier.understand(POLICY, "a", partition) is not None
    tier.close()


async def test_after_the_end_nothing_is_understood_or_added() -> None:
    tier = Tier(Alike(), Index(10))
    question = await understood(tier, "a")
    tier.close()
    tier.add(question, "entry")

    assert await tier.understand(POLICY, "a", partition) is None


async def test_a_tier_is_opened_with_the_policy_s_model(tmp_path: Path) -> None:
    folder = static_model(tmp_path)
    tier = open_tier(CacheStorage(embedder=Embedder(folder=folder), questions=5))

    assert await understood(tier, "cat")
    tier.close()


def test_a_model_has_to_be_named() -> None:
    with pytest.raises(StateError, match=r"cache_storage\.embedder\.folder"):
        open_tier(CacheStorage())


def test_without_the_packages_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    monkeypatch.delitem(sys.modules, "tollgate.cache.semantic.models")
    monkeypatch.delitem(sys.modules, "tollgate.cache.semantic.index")

    with pytest.raises(StateError, match=r"tokenizers: pip install 'llm-tollgate\[semantic\]'"):
        open_tier(CacheStorage(embedder=Embedder(folder=tmp_path)))
