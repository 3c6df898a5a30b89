"""What becomes of what was found in one text."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest

from tollgate.dlp.examine import Examiner, Found
from tollgate.dlp.operators import Operators
from tollgate.dlp.settle import Settling, Where, action_for, overlaps, split
from tollgate.dlp.span import Span
from tollgate.dlp.tokens import Book, Minter
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
