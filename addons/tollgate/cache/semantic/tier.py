"""Questions that mean the same, found in a thread of its own: models are slow."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from tollgate.cache.semantic.guards import Marks, depends_on_time, differ, marks
from tollgate.policy.cache import CacheStorage, Semantic
from tollgate.store import StateError

if TYPE_CHECKING:
    from tollgate.cache.semantic.index import Index, Near
    from tollgate.cache.semantic.models import Model, Vector

_MOST_WAITING = 32
"""Questions that may wait for the model. With more, calls go on without: it would cost them too much time."""
_TRIED = 3
"""Entries that are looked at: the others may be too old, or gone."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A question with what is needed to keep it."""

    partition: str
    vector: Vector
    marks: Marks
    near: tuple[Near, ...]
    """Those before it that may have the same answer, the likest first."""
    tier: Tier
    """That understood it: vectors of another model say nothing."""


class Tier:
    """Finds questions that mean the same. One thread does all of its work, so that nothing is locked."""

    def __init__(self, model: Model, index: Index) -> None:
        self._model = model
        self._index = index
        self._thread = ThreadPoolExecutor(1, "cache meaning")
        self._waiting = 0
        self._closed = False

    async def understand(
        self, policy: Semantic, text: str, partition: Callable[[], str]
    ) -> Understood | None:
        """None for a question that has no vector, or whose answer changes; and where too many wait."""
        if self._closed or self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._understand, policy, text, partition)
        finally:
            self._waiting -= 1

    def add(self, question: Understood, name: str) -> None:
        """Have a question found from now on, with the entry of that name."""
        if not self._closed:
            told = question.partition, name, question.vector, question.marks
            self._thread.submit(self._index.add, *told)

    def close(self) -> None:
        self._closed = True
        self._thread.shutdown()

    def _understand(self, policy: Semantic, text: str, partition: Callable[[], str]) -> Understood | None:
        vector = None if depends_on_time(text) else self._model.embed(text)
        if vector is None:
            return None
        own, place = marks(text), partition()
        found = self._index.near(place, vector, policy.threshold)
        same = (near for near in found if not differ(own, near.marks, policy.words))
        return Understood(place, vector, own, tuple(islice(same, _TRIED)), self)


def open_tier(storage: CacheStorage) -> Tier:
    """With the model that the policy names. StateError where it cannot be used."""
    embedder = storage.embedder
    if embedder.folder is None:
        raise StateError("cache.semantic needs a model: name its folder in cache_storage.embedder.folder")
    try:
        from tollgate.cache.semantic.index import Index
        from tollgate.cache.semantic.models import load
    except ImportError as e:
        raise StateError(
            f"cache.semantic needs the package {e.name}: pip install 'llm-tollgate[semantic]'"
        ) from e
    return Tier(load(embedder.kind, embedder.folder.expanduser()), Index(storage.questions))
