from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.views.view import Budget, Piece, TooMuch, View, ViewError, in_order, original


@st.composite
def texts_with_pieces(draw: st.DrawFn) -> tuple[str, list[Piece]]:
    """A text of words, long gaps included, with pieces that are in order."""
    text = draw(
        st.lists(st.sampled_from(["a", "bc", " ", "\n", "x" * 200, " " * 400]), max_size=12).map("".join)
    )
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pieces = [
        Piece(start, end, draw(st.sampled_from(["", "Y", "YZ", " "])))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    return text, in_order(piece for piece in pieces if piece.start < piece.end)


def origins(text: str, pieces: list[Piece]) -> list[tuple[str, int, int]]:
    """Each character of the rewritten text, and where it came from: the plain way to say it."""
    out, done = [], 0
    for piece in pieces:
        out += [(text[at], at, at + 1) for at in range(done, piece.start)]
        out += [(char, piece.start, piece.end) for char in piece.text]
        done = piece.end
    return out + [(text[at], at, at + 1) for at in range(done, len(text))]


def shown(view: View) -> list[tuple[str, tuple[int, int] | None]]:
    return [(char, view.span(at, at + 1)) for at, char in enumerate(view.text)]


@given(texts_with_pieces())
def test_every_character_of_a_view_knows_what_it_came_from(case: tuple[str, list[Piece]]) -> None:
    text, pieces = case
    expected = [(char, (start, end)) for char, start, end in origins(text, pieces)]
    rest = expected

    for view in original(text).rewritten("x", pieces):
        seen = shown(view)
        at = next(n for n in range(len(rest) + 1) if rest[n : n + len(seen)] == seen)
        rest = rest[at + len(seen) :]


@given(texts_with_pieces(), st.data())
def test_a_stretch_of_a_view_spans_what_its_ends_span(
    case: tuple[str, list[Piece]], data: st.DataObject
) -> None:
    text, pieces = case
    for view in original(text).rewritten("x", pieces):
        if not view.text:
            continue
        start = data.draw(st.integers(0, len(view.text) - 1))
        end = data.draw(st.integers(start + 1, len(view.text)))
        first, last = view.span(start, start + 1), view.span(end - 1, end)
        assert first
        assert last

        assert view.span(start, end) == (first[0], last[1])


@given(texts_with_pieces())
def test_every_piece_is_shown_in_exactly_one_stretch(case: tuple[str, list[Piece]]) -> None:
    text, pieces = case
    count = sum(len(view.text) for view in original(text).rewritten("x", pieces))
    changes = sum(len(piece.text) - (piece.end - piece.start) for piece in pieces)

    assert count <= len(text) + changes
    assert bool(pieces) == bool(list(original(text).rewritten("x", pieces)))


def test_a_view_of_a_view_leads_back_to_the_original() -> None:
    first = next(original("a%2540b").rewritten("one", [Piece(1, 4, "%")]))
    second = next(first.rewritten("two", [Piece(1, 4, "@")]))

    assert (first.text, second.text, second.name) == ("a%40b", "a@b", "one/two")
    assert second.span(0, 3) == (0, 7)
    assert second.span(1, 2) == (1, 6)


def test_what_is_left_out_at_the_ends_of_a_value_is_not_part_of_it() -> None:
    view = next(original("-x-y-").rewritten("x", [Piece(0, 1, ""), Piece(2, 3, ""), Piece(4, 5, "")]))

    assert view.text == "xy"
    assert view.span(0, 2) == (1, 4)


def test_a_view_shows_the_surroundings_of_a_change_and_no_more() -> None:
    text = f"{'far ' * 100}near=%40 {'far ' * 100}"
    at = text.index("%")

    (view,) = original(text).rewritten("x", [Piece(at, at + 3, "@")])

    assert "near=@ far" in view.text
    assert len(view.text) < 400
    assert view.text.startswith("far")


def test_a_view_does_not_cut_words() -> None:
    text = "a" * 500 + "%40" + "b" * 500

    (view,) = original(text).rewritten("x", [Piece(500, 503, "@")])

    assert view.text == "a" * 500 + "@" + "b" * 500


def test_what_stands_in_an_encoding_cannot_be_rewritten() -> None:
    enclosed = View("abc %40", "base64", (10, 20))
    below = next(enclosed.rewritten("percent", [Piece(4, 7, "@")]))

    assert enclosed.span(0, 3) is None
    assert below.span(0, 3) is None
    assert below.enclosing == (10, 20)
    assert below.name == "base64/percent"


def test_of_pieces_that_overlap_the_first_counts() -> None:
    pieces = [Piece(5, 6, "c"), Piece(0, 4, "a"), Piece(0, 2, "b"), Piece(3, 5, "d")]

    assert in_order(pieces) == [Piece(0, 4, "a"), Piece(5, 6, "c")]


def test_a_budget_is_spent_once() -> None:
    budget = Budget(10)
    budget.take(6)
    with pytest.raises(ViewError, match="more than 10 bytes") as error:
        budget.take(5)

    assert error.value.code == "too_large"
    assert budget.left == 4


def test_no_more_is_looked_at_than_a_budget_allows() -> None:
    budget = Budget(10, unseen=5)
    budget.look(5)
    with pytest.raises(TooMuch):
        budget.look(1)

    Budget(10).look(10**9)


def test_what_is_decoded_is_looked_at_too() -> None:
    with pytest.raises(TooMuch):
        Budget(10, unseen=5).take(6)


def test_a_view_shows_no_text_in_logs() -> None:
    view = next(original("a%40b").rewritten("percent", [Piece(1, 4, "@")]))

    assert repr(view) == "View(name='percent', enclosing=(0, 5))"
