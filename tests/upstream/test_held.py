from __future__ import annotations

from collections.abc import Sequence

from support.rooms import Batches, sse
from tollgate.calls import End, Event
from tollgate.upstream.held import GIVEN_UP, Held, translated


class Doubling:
    """Says everything twice, and goodbye."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def feed(self, event: Event) -> list[Event]:
        if self.fails:
            raise ValueError("no such event")
        return [event, event] if event.data != b"hidden" else []

    def close(self) -> list[Event]:
        return [Event(b"goodbye")]


async def read(held: Held) -> list[Sequence[Event]]:
    return [batch async for batch in held]


def texts(batches: list[Sequence[Event]]) -> list[bytes | None]:
    return [event.data for batch in batches for event in batch if not isinstance(event, End)]


async def test_what_was_looked_at_comes_again_then_the_rest_as_it_is() -> None:
    told: list[str] = []
    first, rest = sse("a")[:1], sse("b")
    held = Held(Batches(first, rest), told.append)

    assert await held.peek() == first
    assert [*await read(held)] == [first, rest]
    assert told == [""]


async def test_nothing_need_be_looked_at_before() -> None:
    held = Held(Batches(sse("a")), lambda error: None)

    assert texts(await read(held)) == [b"a"]


async def test_how_it_broke_off_is_told_once() -> None:
    told: list[str] = []
    held = Held(Batches(sse("a", error="cut")), told.append)
    await read(held)
    await held.aclose()

    assert told == ["cut"]


async def test_hanging_up_is_passed_on() -> None:
    told: list[str] = []
    events = Batches(sse("a"))
    await Held(events, told.append).aclose()

    assert (events.closed, told) == (True, [GIVEN_UP])


async def test_a_translation_stands_in_for_the_events() -> None:
    quiet, hidden = Event(None, raw=b": ping\n\n"), [Event(b"hidden")]
    held = Held(Batches(sse("a")[:1], hidden, [quiet], sse("b")), lambda error: None, Doubling())
    batches = await read(held)

    assert texts(batches) == [b"a", b"a", b"b", b"b", b"goodbye"]
    assert all(batches)
    assert isinstance(batches[-1][-1], End)


def test_what_broke_off_gets_no_good_end() -> None:
    assert texts([translated([Event(b"a"), End("cut")], Doubling())]) == [b"a", b"a"]


async def test_a_translation_that_fails_ends_the_stream() -> None:
    told: list[str] = []
    events = Batches(sse("a"))
    held = Held(events, told.append, Doubling(fails=True))
    end = (await anext(held))[-1]

    assert isinstance(end, End)
    assert end.error == "it cannot be translated: no such event"
    assert (events.closed, told) == (True, [end.error])
