"""What was seen is remembered, up to a bound."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tollgate.dlp.sight import Found, Memory, Sight
from tollgate.dlp.span import Span

FOUND = Found(Span(0, 1, "SECRET", 1.0), True, "")


def test_what_was_asked_for_longest_ago_is_forgotten() -> None:
    memory = Memory(2)
    memory.keep("a", Sight(()))
    memory.keep("b", Sight(()))
    assert memory.recall("a") is not None
    memory.keep("c", Sight(()))

    assert memory.recall("b") is None
    assert memory.recall("a") is not None
    assert memory.recall("c") is not None


def test_findings_take_room_too() -> None:
    memory = Memory(5)
    memory.keep("a", Sight(()))
    memory.keep("b", Sight((FOUND, FOUND, FOUND)))
    assert memory.recall("a") is not None
    memory.keep("c", Sight(()))

    assert memory.recall("b") is None
    assert memory.recall("a") is not None


def test_what_takes_more_than_there_is_is_not_remembered() -> None:
    memory = Memory(2)
    memory.keep("a", Sight((FOUND,) * 3))

    assert memory.recall("a") is None
    memory.keep("b", Sight(()))
    assert memory.recall("b") is not None


def test_the_same_text_is_counted_once() -> None:
    memory = Memory(2)
    for _ in range(5):
        memory.keep("a", Sight(()))
    memory.keep("b", Sight(()))

    assert memory.recall("a") is not None


def test_threads_may_share_it() -> None:
    memory = Memory(50)

    def work(number: int) -> None:
        for n in range(500):
            memory.keep(str(n * number % 70), Sight((FOUND,) * (n % 3)))
            memory.recall(str(n % 70))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(1, 9)))

    for n in range(50):
        memory.keep(f"new {n}", Sight(()))
    assert all(memory.recall(f"new {n}") for n in range(50)), "what was forgotten gave its room back"
