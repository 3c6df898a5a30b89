"""Pieces of a text, and the events that carry them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.echoes import pieces
from tollgate.calls import Event, Slot
from tollgate.dlp.channel import Channel, Edit, Waiting, edited
from tollgate.dlp.place import Place
from tollgate.dlp.reader import Reader
from tollgate.dlp.running import Running


def edits_of(text: str, edits: list[Edit]) -> str:
    for start, end, stand_in in reversed(edits):
        text = text[:start] + stand_in + text[end:]
    return text


@given(
    cuts=st.lists(st.integers(0, 26), max_size=8),
    at=st.lists(st.integers(0, 26), min_size=4, max_size=4, unique=True),
)
def test_pieces_have_their_part_of_the_edits(cuts: list[int], at: list[int]) -> None:
    text = "abcdefghijklmnopqrstuvwxyz"
    a, b, c, d = sorted(at)
    edits = [Edit(a, b, "<1>"), Edit(c, d, "")]
    parts, offset = [], 0
    for piece in pieces(text, cuts):
        parts.append(edited(piece, edits, offset))
        offset += len(piece)

    assert "".join(parts) == edited(text, edits) == edits_of(text, edits)


def channel() -> Channel:
    text = Running()
    return Channel(Reader(text, lambda text: [], 40), text, Place("text", piece=True), ())


def waiting_for(channel: Channel, text: str) -> Waiting:
    waiting = Waiting(Event(b"{}"))
    channel.take(Slot(7, text, "text", ("text",)), waiting)
    channel.reader.feed(text)
    channel.settle()
    return waiting


def test_an_event_waits_until_its_text_is_judged() -> None:
    talk = channel()
    first, second = waiting_for(talk, "one "), waiting_for(talk, "")
    assert (first.open, second.open) == (1, 1)

    talk.reader.finish()
    talk.settle()

    assert (first.open, second.open) == (0, 0)
    assert first.edits == {}, "nothing changed"


def test_a_string_that_changes_is_told_by_its_ordinal() -> None:
    talk = channel()
    first, second = waiting_for(talk, "one two"), waiting_for(talk, " three")
    talk.edits.append(Edit(4, 9, "*"))
    talk.reader.finish()
    talk.settle()

    assert (first.edits, second.edits) == ({7: "one *"}, {7: "hree"})


@pytest.mark.parametrize("cut", [0, 3, 8])
def test_the_digest_is_that_of_the_whole_text(cut: int) -> None:
    one, other = channel(), channel()
    one.take(Slot(0, "a\ud800 text", "text", ()), None)
    for piece in ("a\ud800 text"[:cut], "a\ud800 text"[cut:]):
        other.take(Slot(0, piece, "text", ()), None)

    assert one.digest.digest() == other.digest.digest()
    assert one.length == other.length
