"""What is remembered of bodies, and for how long."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
import pytest

from tollgate.calls import Body, Finding, Slot
from tollgate.calls.literals import patched
from tollgate.dlp import history as module
from tollgate.dlp.history import History, Segment, Settled, Track, extend
from tollgate.dlp.sight import Outcome
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Dlp

POLICY = Dlp()


def body_of(*texts: str) -> Body:
    body = Body(
        orjson.dumps({"model": "m", "messages": [{"role": "user", "content": text} for text in texts]})
    )
    body.parse({"model": "skip", "messages": {"role": "skip", "content": "text"}})
    return body


def tracked(history: History, body: Body, policy: Dlp = POLICY, dialect: str = "d") -> Track:
    return Track(history, body, body.slots, dialect, policy)


def settled(slot: Slot, *, again: bool = True) -> Settled:
    """The word "secret" in a slot becomes "token"."""
    at = slot.text.index("secret")
    pieces = (Piece(at, at + 6, "token"),)
    outcome = Outcome(POLICY, pieces, pieces, (("SECRET", "replace", 1),)) if again else None
    return Settled(slot.place, pieces, outcome)


def extended(history: History, *texts: str, again: Sequence[bool] = (), keep: bool = True) -> bytes:
    body = body_of(*texts)
    track = tracked(history, body)
    found = {
        slot.ordinal: settled(slot, again=again[n] if again else True)
        for n, slot in enumerate(body.slots)
        if "secret" in slot.text and n >= track.last.slots
    }
    known = list(track.patches)
    return patched(body.content, known + extend(track, body, body.slots, found, keep=keep))


@pytest.fixture(autouse=True)
def _each_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 1)


def test_all_but_the_last_item_is_known_the_next_time() -> None:
    history = History()
    texts = ["a", 'b "secret" é', "c", "d secret"]

    first = extended(history, *texts)
    known = tracked(history, body_of(*texts, "e"))

    assert first == body_of(*texts).content.replace(b"secret", b"token")
    assert [segment.slots for segment in known.segments] == [0, 1, 2, 3]
    assert known.last.findings == ()
    assert known.segments[2].findings == (Finding("SECRET", "messages[1].content", "replace"),)
    assert extended(history, *texts, "e") == body_of(*texts, "e").content.replace(b"secret", b"token")


def test_short_stretches_are_remembered_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 7)
    history = History()

    extended(history, "four", "four", "four", "four", "four")

    assert [s.slots for s in tracked(history, body_of(*["four"] * 5)).segments] == [0, 2, 4]


@pytest.mark.parametrize(
    ("texts", "known"),
    [("x b c", 0), ("a x c", 1), ("ab b c", 0), ("a", 0), ("a b", 1), ("a b x", 2), ("a b c d e", 3)],
)
def test_what_differs_is_known_up_to_there(texts: str, known: int) -> None:
    history = History()
    extended(history, "a", "b", "c", "d")

    assert tracked(history, body_of(*texts.split())).last.slots == known


def test_two_that_look_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SIGN", 1)
    history = History()
    extended(history, "a1z", "b", "c")

    assert tracked(history, body_of("a2z", "b", "c")).last.slots == 0
    extended(history, "a2z", "b", "c")
    assert tracked(history, body_of("a2z", "b", "c")).last.slots == 2


def test_what_need_not_come_again_ends_what_is_known() -> None:
    history = History()

    extended(history, "a", "secret b", "c", "d", again=[True, False, True, True])

    assert tracked(history, body_of("a", "secret b", "c", "d")).last.slots == 1


def test_nothing_is_kept_where_that_is_not_wanted() -> None:
    history = History()

    assert b"token" in extended(history, "a", "secret", "c", keep=False)

    assert tracked(history, body_of("a", "secret", "c")).last.slots == 0


def test_it_is_known_for_one_policy_and_dialect() -> None:
    history, body = History(), body_of("a", "b", "c")
    extended(history, "a", "b", "c")

    assert tracked(history, body).last.slots == 2
    assert tracked(history, body, policy=Dlp()).last.slots == 0
    assert tracked(history, body, dialect="other").last.slots == 0
    assert tracked(History(), body).last.slots == 0


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    history = History(room=7)
    extended(history, "a", "b", "c")
    extended(history, "a", "x", "y", "z")
    tracked(history, body_of("a", "b", "c"))
    extended(history, "a", "n", "o secret", "p")

    assert tracked(history, body_of("a", "b", "c")).last.slots == 2
    assert tracked(history, body_of("a", "x", "y", "z")).last.slots == 1
    assert tracked(history, body_of("a", "n", "o secret", "p")).last.slots == 3


def test_ways_to_go_on_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLLOWING", 2)
    history = History()
    for first in "abc":
        extended(history, first, "x", "y")

    assert tracked(history, body_of("c", "x")).last.slots == 1
    assert tracked(history, body_of("a", "x")).last.slots == 0


def test_two_calls_may_bring_the_same() -> None:
    history = History()
    one, other = Segment(POLICY, following={1: 2}), Segment(POLICY, following={3: 4})

    history.keep(b"a", one)
    history.keep(b"a", other)

    assert history.recall(b"a") is other
    assert other.following == {1: 2, 3: 4}
