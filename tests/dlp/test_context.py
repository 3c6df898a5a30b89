"""Words that say what a value is."""

from __future__ import annotations

import pytest
import regex

from tollgate.dlp.context import WIDTH, Context, words

SSN = Context(["ssn", "social security", "tax#"])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("userSSN_no", ["user", "ssn", "no"]),
        ("HTTPServer2", ["http", "server", "2"]),
        ("HTTPServeré2", ["http", "serveré", "2"]),
        ("Steuer-Nr. für Ä", ["steuer", "nr", "für", "ä"]),
        ("여권 번호", ["여권", "번호"]),
    ],
)
def test_texts_and_keys_are_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "is_there"),
    [
        ("my SSN is ", True),
        ("social-security number: ", True),
        ("their ssns: ", True),
        ("Tax: ", True),
        ("ssn of the second of my three brothers: ", False),  # more than five words before
        ("ssn" + " " * 80, False),  # farther than it may be
        ("assn is ", False),
        ("né à Nîmes, SSN ", True),
        ("né à Nîmes, assn ", False),
        ("", False),
    ],
)
def test_a_word_is_near_or_is_not(text: str, is_there: bool) -> None:
    assert SSN.before(text, len(text)) is is_there


@pytest.mark.parametrize(
    ("key", "is_there"),
    [("ssn", True), ("userSsn", True), ("social_security_no", True), ("id", False), ("", False)],
)
def test_a_json_key_is_context(key: str, is_there: bool) -> None:
    assert SSN.within(key) is is_there


def test_no_words_are_never_near() -> None:
    assert not Context([]).before("anything ", 9)
    assert not Context([]).within("anything")


@pytest.mark.parametrize(
    "text",
    ["Social Security", "social_security", "socialSecurity", "SSN", "userSsn", "für tax", "2tax", "税务"],
)
def test_the_gate_opens_wherever_a_word_may_be(text: str) -> None:
    assert regex.search(Context(["ssn", "social security", "tax#", "税务"]).gate, text, regex.IGNORECASE)


@pytest.mark.parametrize("text", ["syntax", "assn", "antisocial security"])
def test_the_gate_stays_shut_within_a_word(text: str) -> None:
    assert not regex.search(SSN.gate, text, regex.IGNORECASE)


def test_what_is_left_of_a_word_where_one_ceases_to_look_says_nothing() -> None:
    behind = "n".rjust(WIDTH - 2, ".")

    assert Context(["ssn"]).before(f"ssn{behind[1:]}", WIDTH)
    assert not Context(["ssn"]).before(f"xssn{behind[1:]}", WIDTH + 1)
