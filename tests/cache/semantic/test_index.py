"""Questions in memory."""

from __future__ import annotations

import numpy as np
import pytest

from tollgate.cache.semantic.guards import marks
from tollgate.cache.semantic.index import Index
from tollgate.cache.semantic.models import Vector

MARKS = marks("a question")


def towards(degrees: float) -> Vector:
    angle = np.radians(degrees)
    return np.array([np.cos(angle), np.sin(angle)], np.float32)


def names(index: Index, degrees: float, least: float, partition: str = "p") -> list[str]:
    return [near.name for near in index.near(partition, towards(degrees), least)]


def filled(room: int, *degrees: float) -> Index:
    index = Index(room)
    for each in degrees:
        index.add("p", f"at {each}", towards(each), MARKS)
    return index


def test_the_likest_come_first_and_the_unlike_not_at_all() -> None:
    index = filled(10, 0, 90, 10, 30)

    assert names(index, 12, 0.9) == ["at 10", "at 0", "at 30"]
    assert names(index, 180, 0.9) == []


def test_the_score_is_the_cosine() -> None:
    [near] = filled(10, 60).near("p", towards(0), 0.1)

    assert near.score == pytest.approx(0.5)
    assert near.marks is MARKS


def test_partitions_do_not_see_each_other() -> None:
    index = filled(10, 0)

    assert names(index, 0, 0.0, "other") == []


def test_the_search_is_exact_however_many_there_are() -> None:
    degrees = [float(n) for n in range(180)]
    index = filled(1000, *degrees)

    for asked in (0.2, 44.9, 120.4):
        assert names(index, asked, 0.0)[0] == f"at {float(round(asked))}"


def test_an_entry_is_found_once() -> None:
    index = filled(10, 5, 5)

    assert (len(index), names(index, 5, 0.9)) == (1, ["at 5"])


def test_in_a_full_partition_the_oldest_makes_place() -> None:
    index = filled(3, 0, 20, 40, 60, 80)

    assert len(index) == 3
    assert sorted(names(index, 40, 0.0)) == ["at 40", "at 60", "at 80"]


def test_the_partition_that_was_used_longest_ago_makes_place() -> None:
    index = Index(4)
    for partition in ("a", "b"):
        for degrees in (0, 10):
            index.add(partition, f"{partition}{degrees}", towards(degrees), MARKS)
    names(index, 0, 0.0, "a")
    index.add("c", "c0", towards(0), MARKS)

    assert len(index) == 3
    assert [names(index, 0, 0.0, partition) for partition in "abc"] == [["a0", "a10"], [], ["c0"]]
