"""What becomes of what was found in one text."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest

from tollgate.dlp.examine import Examiner
from tollgate.dlp.operators import Operators
from tollgate.dlp.redact import replaced
from tollgate.dlp.settle import Settling, Where, action_for, overlaps, split
from tollgate.dlp.sight import Found
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter, Numbered
from tollgate.policy.dlp import Dlp, Views

KEY = b"k" * 32
RUN = b64encode(b"my key is sk-abcd1234, so").decode()


class Finds:
    def scan(self, text: str, key: str = "") -> list[Span]:
        return [Span(m.start(), m.end(), "SECRET", 0.9) for m in re.finditer(r"sk-[a-z0-9]{8}", text)]


def settling(**policy: Any) -> Settling:
    examiner = Examiner(Finds(), Views(), lambda data: data.hex())
    return Settling(Dlp.model_validate(policy), examiner, Book(Minter(KEY)), Operators(KEY).apply)


@pytest.mark.parametrize(
    ("actions", "action"),
    [
        ({}, "replace"),
        ({"SECRET": "mask"}, "mask"),
        ({"SECRET": "mask", "sk-rule": "block"}, "block"),
        ({"PERSONAL": "report"}, "replace"),
    ],
)
def test_the_most_specific_action_holds(actions: dict[str, Any], action: str) -> None:
    assert action_for(Span(0, 1, "SECRET", 0.9, "sk-rule"), actions) == action


def test_findings_are_told_apart_by_whether_they_can_be_rewritten() -> None:
    direct, one, other = Span(0, 1, "A", 0.9), Span(2, 9, "B", 0.9), Span(2, 9, "C", 0.9)
    found = [Found(direct, True, ""), Found(one, False, "hex"), Found(other, False, "hex")]

    assert split(found) == ([direct], {(2, 9): [one, other]})


@pytest.mark.parametrize(
    ("stretch", "does"), [((0, 2), False), ((0, 3), True), ((3, 4), True), ((5, 9), False)]
)
def test_overlaps(stretch: tuple[int, int], does: bool) -> None:
    assert overlaps(Span(2, 5, "A", 0.9), stretch) is does


def test_a_stretch_that_overlaps_a_change_in_part_is_not_rewritten() -> None:
    text = f"{RUN} tail"
    found = [
        Found(Span(4, len(text), "SECRET", 0.9), True, ""),
        Found(Span(0, len(RUN), "SECRET", 0.9), False, "base64"),
    ]
    blocked, dropping = settling(), settling(on_unrewritable="drop_part")

    blocked.changes(text, found, Where("here"))
    assert blocked.stuck == ("SECRET", "here")
    assert dropping.changes(text, found, Where("here")) == [(0, len(RUN), "")]


def test_base64_that_shows_something_else_from_inside_is_not_rewritten() -> None:
    found = [Found(Span(0, len(RUN), "EMAIL_ADDRESS", 0.9), False, "base64")]
    settled = settling()

    assert settled.changes(RUN, found, Where("here")) == []
    assert settled.stuck == ("EMAIL_ADDRESS", "here")


def test_a_rewritten_run_goes_where_what_holds_it_is_dropped() -> None:
    text = f"a {RUN} b"
    inner, outer = Span(2, 2 + len(RUN), "SECRET", 0.9), Span(0, len(text), "US_SSN", 0.9)
    found = [Found(inner, False, "base64"), Found(outer, False, "joined/hex")]

    assert settling(on_unrewritable="drop_part").changes(text, found, Where("here")) == [(0, len(text), "")]


# -- what is remembered --------------------------------------------------------------------------------------


class Calls:
    """Settles a text in one call after the other, as an agent sends it again and again."""

    def __init__(self, minter: Minter | None = None) -> None:
        self.examiner = Examiner(Finds(), Views(), lambda data: data.hex())
        self.minter = minter or Minter(KEY)
        self.policy = Dlp()

    def settle(self, text: str, place: str = "here", **known: str) -> tuple[str, Settling, Book]:
        book = Book(self.minter, known)
        settling = Settling(self.policy, self.examiner, book, Operators(KEY).apply)
        sight = self.examiner.sight(text, "text", "", settling.budget)
        pieces = settling.known(text, sight, Where(place)).pieces
        return replaced(text, pieces), settling, book


KEYS = "one sk-abcd1234, two sk-abcd1234, three sk-zzzz9999"


def test_a_text_that_comes_again_becomes_the_same_without_another_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = Calls()
    first, _, book = calls.settle(KEYS, "messages[0]")
    monkeypatch.delattr(Minter, "token")
    again, settling, other = calls.settle(KEYS, "messages[1]")

    assert (again, other.originals) == (first, book.originals)
    assert "sk-" not in again
    assert settling.seen == {("SECRET", "messages[1]", "replace"): 3}


@pytest.mark.parametrize("text", [KEYS, f"see {RUN}", '{"a": "sk-abcd1234"}', "nothing"])
def test_what_is_remembered_is_what_would_be_done_anew(text: str) -> None:
    calls = Calls()
    calls.settle(text)
    known, settling, book = calls.settle(text)
    fresh, other, afresh = Calls().settle(text)

    assert (known, settling.seen, book.originals) == (fresh, other.seen, afresh.originals)


def test_another_policy_settles_anew() -> None:
    calls = Calls()
    calls.settle(KEYS)
    calls.policy = Dlp(actions={"SECRET": "redact"})

    assert calls.settle(KEYS)[0] == "one , two , three "


def test_a_token_that_stands_for_something_else_is_made_anew() -> None:
    calls = Calls()
    first, _, _ = calls.settle("sk-abcd1234")
    other, _, book = calls.settle("sk-abcd1234", **{first: "another value"})

    assert other != first
    assert book.originals == {first: "another value", other: "sk-abcd1234"}


def test_tokens_that_are_numbered_are_made_anew() -> None:
    calls = Calls(Numbered())
    first, _, _ = calls.settle("sk-abcd1234")
    book = Book(calls.minter)
    book.token("SECRET", "sk-before00")
    settling = Settling(calls.policy, calls.examiner, book, Operators(KEY).apply)
    sight = calls.examiner.sight("sk-abcd1234", "text", "", settling.budget)

    assert replaced("sk-abcd1234", settling.known("sk-abcd1234", sight, Where("here")).pieces) != first


def test_what_is_blocked_is_blocked_again() -> None:
    calls = Calls()
    calls.policy = Dlp(actions={"SECRET": "block"})

    assert [calls.settle(KEYS)[1].stuck for _ in range(2)] == [("SECRET", "here")] * 2


def test_a_value_that_was_written_with_escapes_is_read_anew() -> None:
    """It is not what stands in the text."""

    class Escaped:
        def scan(self, text: str, key: str = "") -> list[Span]:
            at = text.find("pass\\\\word1")
            return [Span(at, at + 11, "SECRET", 0.9)] if at >= 0 else []

    calls = Calls()
    calls.examiner = Examiner(Escaped(), Views(), lambda data: data.hex())
    text = '{"secret": "pass\\\\word1"}'
    books = [calls.settle(text)[2] for _ in range(2)]

    assert [list(book.originals.values()) for book in books] == [["pass\\word1"]] * 2
