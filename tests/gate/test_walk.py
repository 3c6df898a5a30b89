"""The way down and back up, and what becomes of a room that fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from support.rooms import Answers, Spy
from support.upstream import make_call
from tollgate.calls import Answer, End, Event, Failed, Refused
from tollgate.gate.walk import Walk, name_of, rooms_of
from tollgate.store import StateError

SECRET = ValueError("the prompt: hello there")


def walk(*rooms: object, **policy: Any) -> Walk:
    return Walk(make_call(policy=policy), rooms_of(rooms))


class OnlyRequests:
    async def llm_request(self, call: object) -> None:
        pass


class Last(OnlyRequests):
    llm_last = True


def test_rooms_are_the_addons_with_llm_hooks_and_the_last_stands_nearest_the_provider() -> None:
    last, own = Last(), OnlyRequests()

    rooms = rooms_of([object(), last, own])

    assert [room.addon for room in rooms] == [own, last]
    assert [room.last for room in rooms] == [False, True]
    assert rooms[0].event is None


@pytest.mark.parametrize(("addon", "name"), [(Spy("dlp"), "dlp"), (OnlyRequests(), "onlyrequests")])
def test_a_room_has_the_name_that_mitmproxy_gives_it(addon: object, name: str) -> None:
    assert name_of(addon) == name


async def test_a_call_goes_down_and_comes_back_up_through_the_rooms_it_passed() -> None:
    seen: list[str] = []
    w = walk(Spy("a", seen), Spy("b", seen), Answers(Answer(200)), Spy("c", seen))

    await w.down()
    await w.up(Answer(200))
    w.end()

    down, up, end = seen[:2], seen[2:4], seen[4:]
    assert (down, up) == (["a.request", "b.request"], ["b.response", "a.response"])
    assert end == ["c.end", "b.end", "a.end"]


async def test_events_come_up_through_the_rooms_that_were_passed() -> None:
    seen: list[str] = []
    w = walk(Spy("a", seen), Spy("b", seen), Answers(Answer(200)), Spy("c", seen))
    await w.down()
    seen.clear()

    out = w.event(Event(b"x"))

    assert [e.data for e in out] == [b"x"]
    assert seen == ["b.event", "a.event"]


async def test_bytes_go_through_plainly_where_no_room_looks_at_events() -> None:
    w = walk(OnlyRequests(), Answers(Answer(200)))
    await w.down()

    assert w.plain


def half(event: Event) -> Iterator[Event]:
    yield event
    raise SECRET


TAKES: dict[str, tuple[Any, list[bytes | None]]] = {
    "drops": (lambda event: [], [None]),
    "doubles": (lambda event: [event] if isinstance(event, End) else [event, event], [b"x", b"x", None]),
    "changes": (lambda event: [] if event.data is None else [event.with_data(b"y")], [b"y", None]),
    "flushes": (lambda event: [Event(b"z"), event] if isinstance(event, End) else [], [b"z", None]),
    "fails half-way": (half, [b"x", None]),
}


@pytest.mark.parametrize(("take", "given"), TAKES.values(), ids=TAKES)
async def test_a_room_may_drop_add_and_change_events_but_not_the_end(take: Any, given: list[Any]) -> None:
    first = Spy("first")
    w = walk(first, Spy("dlp", event=take), Answers(Answer(200)), on_error={"dlp": "open"})
    await w.down()

    out = [*w.event(Event(b"x")), *w.event(End("cut"))]

    assert [event.data for event in out] == given
    assert isinstance(out[-1], End)
    assert out[-1].error == "cut"
    assert sum(isinstance(event, End) for event in out) == 1
    assert first.seen.count("first.event") == len(given)


@pytest.mark.parametrize("hook", ["request", "response", "event"])
async def test_a_room_that_fails_is_a_refusal_that_names_it(
    hook: str, caplog: pytest.LogCaptureFixture
) -> None:
    w = walk(Spy("dlp", **{hook: SECRET}))

    with pytest.raises(Refused, match="its dlp room failed") as refusal:
        await run(w)

    assert (refusal.value.code, refusal.value.always) == ("room_failed", True)
    assert [(v.room, v.action, v.reason) for v in w.call.verdicts] == [("dlp", "error", "ValueError")]
    assert "dlp room failed with ValueError at" in caplog.text
    assert "the prompt" not in caplog.text + str(refusal.value) + str(w.call.verdicts)


async def test_a_disk_that_fails_is_told_to_the_client() -> None:
    w = walk(Spy("cost", request=StateError("The ledger /x cannot be written: disk full.")))

    with pytest.raises(
        Refused, match=r"its cost room failed \(The ledger /x cannot be written: disk full\)\."
    ):
        await w.down()


async def run(w: Walk) -> None:
    """All that can happen to a call."""
    await w.down()
    w.event(Event(b"x"))
    await w.up(Answer(200))


@pytest.mark.parametrize("hook", ["request", "response", "event"])
async def test_a_room_that_fails_open_is_asked_no_more(hook: str) -> None:
    spy = Spy("dlp", **{hook: SECRET})
    w = walk(spy, on_error={"dlp": "open"})

    await run(w)
    spy.seen.clear()
    assert [e.data for e in w.event(Event(b"y"))] == [b"y"]
    await w.up(Answer(200))

    assert spy.seen == []
    assert [v.action for v in w.call.verdicts] == ["error"]


async def test_a_policy_that_only_observes_does_not_let_a_failing_room_pass() -> None:
    with pytest.raises(Refused):
        await walk(Spy("dlp", request=SECRET), mode="observe").down()


@pytest.mark.parametrize(
    ("mode", "always", "counts"),
    [("enforce", False, True), ("observe", False, False), ("observe", True, True)],
)
@pytest.mark.parametrize("hook", ["request", "response", "event"])
async def test_a_refusal_counts_unless_it_is_only_observed(
    hook: str, mode: str, always: bool, counts: bool
) -> None:
    no = Refused("No secrets, please.", code="secret", always=always)
    w = walk(Spy("dlp", **{hook: no}), mode=mode)

    if counts:
        with pytest.raises(Refused, match="No secrets"):
            await run(w)
    else:
        await run(w)

    action = "refuse" if counts else "observe"
    assert [(v.room, v.action, v.code) for v in w.call.verdicts] == [("dlp", action, "secret")]


async def test_every_room_hears_the_end_even_where_one_fails(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []
    w = walk(OnlyRequests(), Spy("a", seen), Spy("b", seen, end=SECRET))

    w.end()

    assert seen == ["b.end", "a.end"]
    assert w.call.verdicts == []
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


async def test_a_client_that_leaves_is_no_failure_of_the_room() -> None:
    w = walk(Spy("a", request=asyncio.CancelledError()))

    with pytest.raises(asyncio.CancelledError):
        await w.down()

    assert w.call.verdicts == []


class StandIn(Spy):
    """Has an answer in place of a failure."""

    def __init__(self, name: str, seen: Any, answer: Answer | None) -> None:
        super().__init__(name, seen)
        self.answer = answer

    def llm_head(self, call: Any, answer: Answer) -> None:
        self.seen.append(f"{self.name}.head")
        answer.headers["x-seen-by"] = self.name

    async def llm_failed(self, call: Any, error: Failed) -> None:
        self.seen.append(f"{self.name}.failed")
        call.answer = self.answer


FAILURE = Failed("Nobody is there.", code="unreachable")


async def test_a_room_may_stand_in_for_a_failure_and_its_answer_goes_up_from_there() -> None:
    seen: list[str] = []
    answer = Answer(200)
    w = walk(Spy("a", seen), StandIn("b", seen, answer), StandIn("c", seen, None), Spy("d", request=FAILURE))

    await w.down()
    await w.up(answer)

    assert w.call.answer is answer
    assert seen == ["a.request", "b.request", "c.request", "c.failed", "b.failed", "a.response"]


async def test_a_failure_for_which_nobody_stands_in_is_one() -> None:
    seen: list[str] = []

    with pytest.raises(Failed):
        await walk(StandIn("a", seen, None), Spy("b", request=FAILURE)).down()

    assert seen == ["a.request", "a.failed"]


async def test_nobody_stands_in_for_a_refusal() -> None:
    seen: list[str] = []

    with pytest.raises(Refused):
        await walk(StandIn("a", seen, Answer(200)), Spy("b", request=Refused("No.", code="no"))).down()

    assert seen == ["a.request"]


async def test_the_head_of_a_stream_is_shown_to_those_who_were_passed() -> None:
    seen: list[str] = []
    answer = Answer(200)
    w = walk(StandIn("a", seen, None), Spy("b", seen), Answers(answer), StandIn("c", seen, None))
    await w.down()
    seen.clear()

    w.head(answer)

    assert seen == ["a.head"]
    assert answer.headers["x-seen-by"] == "a"
