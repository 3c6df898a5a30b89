from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tollgate.dlp.views.normalise import pieces
from tollgate.dlp.views.signs import Signs
from tollgate.dlp.views.view import in_order, original

SECRET = "AKIA-3f7@x.io"


def normalised(text: str) -> str:
    """The text as its normalised view shows it; itself where it has none."""
    return (
        "|".join(view.text for view in original(text).rewritten("n", in_order(pieces(text, Signs(text)))))
        or text
    )


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5\u200b3\u200d6\u2060-\u00ad2\ufeff2", "536-22"),
        ("j\ufe0fa\u034fn\U000e0041e", "jane"),
        (fullwidth(SECRET), SECRET),
        ("\U0001d400\U0001d40a\U0001d408\U0001d7d3", "AKI5"),
        ("\u24d9\u24d0\u24dd\u24d4 \u2460\u2461", "jane 12"),
        ("\U0001f150\U0001f171\U0001f1e8", "ABC"),
        ("\u0664\u0661\u0967\u0967", "4111"),
        ("536\u201122\u20138941", "536-22-8941"),
        ("536\u201422", "536-22"),
        ("4111\u00a01111\u20091111", "4111 1111 1111"),
        ("j\u0430n\u0435.d\u043e\u0435@\u0441\u043entoso.\u0441\u043em", "jane.doe@contoso.com"),
        ("x@gmail.\u0441\u043e", "x@gmail.co"),
        ("gh\u0440_\u0410\u0391b\u13aa", "ghp_AAbA"),
        ("\u1d00\u1d0bɪa", "AKIa"),
        ("5\u03363\u03366\u0336", "536"),
        ("5\x003\x076\x1f-22", "536-22"),
        ("\u212a\u00aa\ufb01", "Kafi"),
    ],
)
def test_characters_are_read_as_what_they_look_like(text: str, expected: str) -> None:
    assert normalised(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "plain ASCII, with 536-22-8941\n\tand tabs",
        "Это обычный русский текст, сера и мороз.",
        "Αυτό είναι κείμενο.",
        "中文，全角标点。",
        "He said – “well…” — and left: 10 %\u00a0!",
        "naïve café, Müller, Ångström",
        "🙂 emoji 🎉",
    ],
)
def test_ordinary_text_has_no_view(text: str) -> None:
    assert list(pieces(text, Signs(text))) == []


def test_text_spelled_in_tags_or_variation_selectors_is_read() -> None:
    tags = "".join(chr(0xE0000 + ord(c)) for c in "key " + SECRET)
    selectors = "".join(
        chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in f"{SECRET}\n".encode()
    )

    assert normalised(f"hello{tags}.") == f"hellokey {SECRET}."
    assert normalised(f"🙂{selectors}") == f"🙂{SECRET}\n"


def test_a_text_is_looked_at_where_it_is_not_ascii() -> None:
    text = f"{'a' * 700}\u200b{'b' * 700}é\u200b{'c' * 700}"

    assert [(piece.start, piece.end) for piece in pieces(text, Signs(text))] == [(700, 701), (1402, 1403)]


def test_every_digit_of_every_script_is_read() -> None:
    foreign = [
        chr(c) for c in range(0x80, sys.maxunicode + 1) if unicodedata.decimal(chr(c), None) is not None
    ]

    assert [c for c in foreign if normalised(c) != str(unicodedata.decimal(c))] == []


def test_every_invisible_character_is_left_out() -> None:
    formats = [chr(c) for c in range(0x80, sys.maxunicode + 1) if unicodedata.category(chr(c)) == "Cf"]

    assert [hex(ord(c)) for c in formats if normalised(f"4{c}1") != "41"] == []


@settings(deadline=None)
@given(st.text(st.characters(codec="utf-8"), max_size=300))
def test_a_normalised_text_is_normalised(text: str) -> None:
    for _ in range(4):
        text = normalised(text)

    assert normalised(text) == text


@settings(deadline=None)
@given(st.text(), st.integers(0, 2000))
def test_what_is_found_does_not_depend_on_where_it_stands(text: str, before: int) -> None:
    alone = [(piece.start, piece.end, piece.text) for piece in in_order(pieces(text, Signs(text)))]
    moved = f"{'a' * before} {text}"
    shifted = in_order(pieces(moved, Signs(moved)))

    assert [(p.start - before - 1, p.end - before - 1, p.text) for p in shifted] == alone


@pytest.mark.parametrize("blank", [" ", ""])
def test_long_foreign_texts_are_searched_in_parts_and_nothing_is_lost(blank: str) -> None:
    line = f"проверка текста{blank}ｋｅｙ"
    found = starts(line * 2000)
    once = starts(line + line)[: len(found) // 2000]

    assert once
    assert found == [start + n * len(line) for n in range(2000) for start in once]


def starts(text: str) -> list[int]:
    return [piece.start for piece in in_order(pieces(text, Signs(text)))]
