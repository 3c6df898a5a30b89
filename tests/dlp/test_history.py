"""What is remembered of bodies, and for how long."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from tollgate.calls import Body, Finding, Slot
from tollgate.calls.contents import Contents, Shape
from tollgate.calls.literals import patched
from tollgate.dlp import history as module
from tollgate.dlp.history import History, Segment, Settled, Track, between, extend
from tollgate.dlp.sight import Outcome
from tollgate.dlp.views.view import Piece
from tollgate.policy.dlp import Dlp

POLICY = Dlp()
pytestmark = pytest.mark.usefixtures("each_item")


def body_of(*texts: str, **more: object) -> Body:
    messages = [{"role": "user", "content": text, **more} for text in texts]
    body = Body(orjson.dumps({"model": "m", "messages": messages}))
    named: Shape = {"role": "skip", "content": "text", "number": "skip", "file_id": "skip"}
    body.parse({"model": "skip", "messages": named})
    return body


def tracked(history: History, body: Body, policy: Dlp = POLICY, dialect: str = "d") -> Track:
    return Track(history, body, dialect, policy)


SIGNS, SIGN, LEAST = module._SIGNS, module._SIGN, module.LEAST


def known(history: History, *texts: str, **track: Any) -> int:
    """How many messages of a body are known."""
    path = tracked(history, body_of(*texts), **track).last.slot
    return int(path.path[1]) if path else 0


def settled(slot: Slot, *, again: bool = True) -> Settled:
    """The word "secret" in a slot becomes "token"."""
    at = slot.text.index("secret")
    pieces = (Piece(at, at + 6, "token"),)
    outcome = Outcome(POLICY, pieces, pieces, (("SECRET", "replace", 1),)) if again else None
    return Settled(slot.place, pieces, outcome)


def extended(
    history: History, *texts: str, again: Sequence[bool] = (), keep: bool = True, **more: Any
) -> bytes:
    body = body_of(*texts, **more)
    track = tracked(history, body)
    found = {
        slot.ordinal: settled(slot, again=again[n] if again else True)
        for n, slot in enumerate(body.slots)
        if "secret" in slot.text and slot.ordinal >= track.ordinal
    }
    before = list(track.patches)
    everything, since = body.contents, (track.ordinal, 10**9)
    new = Contents(
        [slot for slot in everything.slots if slot.ordinal >= track.ordinal],
        between(everything.numbers, *since),
        between(everything.files, *since),
    )
    return patched(body.content, before + extend(track, new, found, keep=keep))


def test_all_but_the_last_item_is_known_the_next_time() -> None:
    history = History()
    texts = ["a", 'b "secret" é', "c", "d secret"]

    first = extended(history, *texts)
    track = tracked(history, body_of(*texts, "e"))

    assert first == body_of(*texts).content.replace(b"secret", b"token")
    assert [segment.slot and segment.slot.path[1] for segment in track.segments] == [None, 1, 2, 3]
    assert track.last.findings == ()
    assert track.segments[2].findings == (Finding("SECRET", "messages[1].content", "replace"),)
    assert list(track.stood) == [("token", "secret")]
    assert [(slot.text, text()) for slot, text in track.edits if callable(text)] == [
        (texts[1], 'b "token" é')
    ]
    assert extended(history, *texts, "e") == body_of(*texts, "e").content.replace(b"secret", b"token")


def test_what_is_kept_holds_no_text() -> None:
    history = History()
    extended(history, "mail of the secret", "b", "c", number=4111111111111111)

    kept = repr(list(history._segments.values()))
    assert "mail" not in kept
    assert "4111" not in kept


def test_numbers_and_files_of_what_is_known_are_known() -> None:
    history = History()
    more: dict[str, Any] = {"number": 1234567890, "file_id": "f-1"}
    extended(history, "a", "b", "c", **more)

    body = body_of("a", "b", "c", "d", **more)
    track = tracked(history, body)

    assert list(track.numbers) == body.numbers[:2]
    assert [segment.files for segment in track.segments] == [(), ("f-1",), ("f-1",)]


def test_a_token_is_kept_where_it_comes_first() -> None:
    history = History()
    extended(history, "secret", "my secret", "c")

    track = tracked(history, body_of("secret", "my secret", "c"))

    assert [len(segment.tokens) for segment in track.segments] == [0, 1, 0]


def test_short_stretches_are_remembered_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST", 7)
    history = History()

    extended(history, "four", "four", "four", "four", "four")

    assert len(tracked(history, body_of(*["four"] * 5)).segments) == 3
    assert known(history, *["four"] * 5) == 4


@pytest.mark.parametrize(
    ("texts", "count"),
    [("x b c", 0), ("a x c", 1), ("ab b c", 0), ("a", 0), ("a b", 1), ("a b x", 2), ("a b c d e", 3)],
)
def test_what_differs_is_known_up_to_there(texts: str, count: int) -> None:
    history = History()
    extended(history, "a", "b", "c", "d")

    assert known(history, *texts.split()) == count


def test_two_that_look_alike_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_WAYS", 3)
    history = History()
    for first in ("a", "bb", "ccc"):
        extended(history, first, "b", "c")

    assert known(history, "x", "b", "c") == 0
    assert known(history, "a", "b", "c") == 2
    extended(history, "dddd", "b", "c")
    assert known(history, "a", "b", "c") == 0, "so many are tried, and no more"
    assert known(history, "bb", "b", "c") == known(history, "dddd", "b", "c") == 2


def test_signs_are_of_bytes_that_every_stretch_has() -> None:
    assert all(0 <= at <= LEAST - SIGN for at in SIGNS)


def test_what_need_not_come_again_ends_what_is_known() -> None:
    history = History()

    extended(history, "a", "secret b", "c", "d", again=[True, False, True, True])

    assert known(history, "a", "secret b", "c", "d") == 1


def test_nothing_is_kept_where_that_is_not_wanted() -> None:
    history = History()

    assert b"token" in extended(history, "a", "secret", "c", keep=False)

    assert known(history, "a", "secret", "c") == 0


def test_it_is_known_for_one_policy_and_dialect() -> None:
    history = History()
    extended(history, "a", "b", "c")

    assert known(history, "a", "b", "c") == 2
    assert known(history, "a", "b", "c", policy=Dlp()) == 0
    assert known(history, "a", "b", "c", dialect="other") == 0
    assert known(History(), "a", "b", "c") == 0


def test_what_was_asked_for_longest_ago_is_forgotten_first() -> None:
    history = History(room=7)
    extended(history, "a", "b", "c")
    extended(history, "a", "x", "y", "z")
    known(history, "a", "b", "c")
    extended(history, "a", "n", "o secret", "p")

    assert known(history, "a", "b", "c") == 2
    assert known(history, "a", "x", "y", "z") == 1
    assert known(history, "a", "n", "o secret", "p") == 3


def test_ways_to_go_on_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLLOWING", 2)
    monkeypatch.setattr(module, "_SIGNS", (body_of("first").content.index(b"first"),))
    history = History()
    for first in "abc":
        extended(history, first, "x", "y")

    assert known(history, "c", "x") == 1
    assert known(history, "a", "x") == 0


def test_two_calls_may_bring_the_same() -> None:
    history = History()
    one, other = Segment(POLICY, following={1: (2,)}), Segment(POLICY, following={3: (4,)})

    history.keep(b"a", one)
    history.keep(b"a", other)

    assert history.recall(b"a") is other
    assert other.following == {1: (2,), 3: (4,)}
