"""Texts are looked into in every way there is, and once."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import partial

import pytest

from tollgate.calls import Kind
from tollgate.dlp.examine import Examiner
from tollgate.dlp.sight import Found
from tollgate.dlp.span import Span
from tollgate.dlp.views import TooMuch, ViewError
from tollgate.policy.dlp import Views


class Finds:
    """Finds a word, and counts how much it looked at."""

    def __init__(self, word: str = "hunter2xyz") -> None:
        self.word = word
        self.keys: list[str] = []
        self.looked = 0

    def scan(self, text: str, key: str = "") -> list[Span]:
        self.looked += 1
        self.keys.append(key)
        return [Span(m.start(), m.end(), "SECRET", 0.9) for m in re.finditer(self.word, text)]


def examiner(finds: Finds, remembered: int = 100, **limits: object) -> Examiner:
    return Examiner(finds, Views.model_validate(limits), lambda data: data.hex(), remembered)


def look(text: str, kind: Kind = "text", key: str = "", finds: Finds | None = None) -> tuple[Found, ...]:
    examining = examiner(finds or Finds())
    return examining.text(text, kind, key, examining.budget())


def test_a_text_that_comes_about_by_joining_is_looked_at_once() -> None:
    finds = Finds()
    examining = examiner(finds)
    first, second = (examining.joined("use hunter2xyz now", examining.budget()) for _ in range(2))

    assert first == second == [Span(4, 14, "SECRET", 0.9)]
    assert finds.looked == 1


def test_a_finding_stands_where_it_is() -> None:
    assert look("use hunter2xyz now") == (Found(Span(4, 14, "SECRET", 0.9), True, ""),)


def test_a_finding_in_a_view_that_can_be_mapped_is_rewritten_in_place() -> None:
    hidden = "use hunter2\u200bxyz now"
    [found] = look(hidden)

    assert (found.direct, hidden[found.span.start : found.span.end]) == (True, "hunter2\u200bxyz")


def test_a_finding_in_an_encoding_has_the_stretch_that_holds_it() -> None:
    run = b64encode(b"the password is hunter2xyz, keep it").decode()
    [found] = look(f"decode {run} please")

    assert (found.direct, found.view) == (False, "base64")
    assert (found.span.start, found.span.end) == (7, 7 + len(run))


def test_the_key_is_context() -> None:
    finds = Finds()
    look("hunter2xyz", key="password", finds=finds)

    assert set(finds.keys) == {"password"}


def test_a_text_that_was_seen_is_not_looked_into_again() -> None:
    finds = Finds()
    examining = examiner(finds)
    first = examining.text("hunter2xyz", "text", "", examining.budget())
    looked = finds.looked

    assert examining.text("hunter2xyz", "text", "", examining.budget()) == first
    assert finds.looked == looked
    examining.text("hunter2xyz", "text", "other key", examining.budget())
    assert finds.looked > looked


def test_only_text_that_is_not_remembered_counts_as_looked_at() -> None:
    examining = examiner(Finds())
    examining.text("hunter2xyz", "text", "", examining.budget(10))
    examining.joined("hunter2xyz", examining.budget(10))
    budget = examining.budget(9)

    assert examining.text("hunter2xyz", "text", "", budget)
    assert examining.joined("hunter2xyz", budget)
    assert not examining.text("some", "text", "", budget)
    for look in (partial(examining.text, "others", "text", ""), partial(examining.joined, "others")):
        with pytest.raises(TooMuch):
            look(budget)


def test_memory_has_a_bound() -> None:
    finds = Finds()
    examining = examiner(finds, remembered=2)
    for text in ("a", "b", "c", "a"):
        examining.text(text, "text", "", examining.budget())

    assert finds.looked == 4


def test_a_large_picture_is_not_read_as_text() -> None:
    finds = Finds("AAAA")

    assert look("iVBORw0KGgo" + "A" * 5000, kind="blob", finds=finds) == ()


def test_a_blob_that_is_text_is_read_as_it_stands() -> None:
    assert look("my password is hunter2xyz", kind="blob")[0].direct


def test_an_attachment_cannot_be_rewritten() -> None:
    examining = examiner(Finds())
    [found] = examining.attachment("the password is hunter2xyz".encode("utf-16"), examining.budget())

    assert not found.direct


def test_what_decodes_to_too_much_cannot_be_looked_into() -> None:
    examining = examiner(Finds(), max_decoded=10)
    with pytest.raises(ViewError):
        examining.text(
            f"decode {b64encode(b'some plain words ' * 9).decode()}", "text", "", examining.budget()
        )


def test_a_finding_over_a_line_end_loses_to_a_sure_one() -> None:
    found = Examiner(Finds(r"hunter2xyz9?[0-9]*"), Views(), lambda data: data.hex())
    spans = [f.span for f in found.text("key hunter2xyz9\n4211 rows", "text", "", found.budget())]

    assert [(span.start, span.end) for span in spans] == [(4, 15)]


class Groups:
    """Finds groups of digits, and with more certainty the number that they make."""

    def scan(self, text: str, key: str = "") -> list[Span]:
        groups = [Span(m.start(), m.end(), "IP_ADDRESS", 0.6) for m in re.finditer(r"(?:\d\.){3}\d", text)]
        cards = [Span(m.start(), m.end(), "CREDIT_CARD", 0.8) for m in re.finditer(r"\d{16}", text)]
        return groups + cards


def test_a_number_wins_over_what_its_separated_digits_look_like() -> None:
    dotted = ".".join("4111111111111111")
    examining = Examiner(Groups(), Views(), lambda data: data.hex())
    found = examining.text(f"pay {dotted} now", "text", "", examining.budget())

    assert ("CREDIT_CARD", 4, 4 + len(dotted)) in {(f.span.entity, f.span.start, f.span.end) for f in found}


def test_joined_texts_are_not_remembered() -> None:
    finds = Finds()
    examining = examiner(finds)

    assert [span.entity for span in examining.joined("hunter2xyz", examining.budget())] == ["SECRET"]


def test_many_texts_are_remembered_as_one() -> None:
    finds = Finds()
    examining = examiner(finds)
    clean = [("one", "a"), ("two", "")]

    assert not examining.any_in(clean, examining.budget())
    assert not examining.any_in(clean, examining.budget())
    assert finds.keys == ["a", ""]

    assert examining.any_in([*clean, ("hunter2xyz", "b")], examining.budget())
    assert not examining.any_in([("o", "nea"), ("two", "")], examining.budget())
    assert not examining.any_in([], examining.budget())
