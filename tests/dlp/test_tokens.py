"""Tokens: their shape, and that they are the same everywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.tokens import BRAND, KINDS, WIDTH, Book, Minter, Numbered, core, pattern

MINTER = Minter(b"k" * 32)


@pytest.mark.parametrize(
    ("entity", "shape"),
    [
        ("SECRET", r"QZXS[A-Z2-7]{10}"),
        ("CREDIT_CARD", r"QZXC[A-Z2-7]{10}"),
        ("EMPLOYEE_ID", r"QZXX[A-Z2-7]{10}"),
        ("EMAIL_ADDRESS", r"qzxe[a-z2-7]{10}@pii\.invalid"),
        ("PERSON", r"Qzxp([bcdfghjklmnpqrstvwxz][aeiouy]){5}"),
        ("LOCATION", r"Qzxl([bcdfghjklmnpqrstvwxz][aeiouy]){5}"),
    ],
)
@given(value=st.text())
def test_a_token_has_the_shape_of_its_kind(entity: str, shape: str, value: str) -> None:
    token = MINTER.token(entity, value)

    assert re.fullmatch(shape, token)
    assert pattern().fullmatch(token)
    assert core(token) == token[:WIDTH].lower()


def test_the_same_key_gives_the_same_token_in_every_process() -> None:
    """Written down: a token that changes makes prompt caches and stored conversations stale."""
    assert Minter(b"k" * 32).token("SECRET", "hunter2") == "QZXSE4HXFFPNQ6"
    assert Minter(b"k" * 32).token("EMAIL_ADDRESS", "bob@corp.com") == "qzxe55djbs5257@pii.invalid"
    assert Minter(b"k" * 32).token("PERSON", "Bob Smith") == "Qzxpwifyboxuci"


def test_key_kind_and_value_all_matter() -> None:
    tokens = {
        MINTER.token("SECRET", "a"),
        MINTER.token("SECRET", "b"),
        MINTER.token("SECRET", "a", again=1),
        MINTER.token("US_SSN", "a"),
        Minter(b"other").token("SECRET", "a"),
    }

    assert len({core(token)[len(BRAND) + 1 :] for token in tokens}) == 5


def test_kinds_have_letters_of_their_own() -> None:
    assert len(set(KINDS.values())) == len(KINDS)
    assert "X" not in KINDS.values()


def test_many_values_have_tokens_that_differ_whatever_their_case() -> None:
    tokens = {core(MINTER.token("PERSON", f"Name {n}")) for n in range(20_000)}

    assert len(tokens) == 20_000


@pytest.mark.parametrize("text", ["QZXS", "qzxtest", "QZXS6WP7BY3PT", "QZXS6WP7BY3P10", "QZ XS6WP7BY3PTP"])
def test_other_text_has_not_the_shape(text: str) -> None:
    assert not pattern().search(text)


def test_a_book_says_what_stands_for_what() -> None:
    book = Book(MINTER)

    token = book.token("SECRET", "hunter2")

    assert book.token("SECRET", "hunter2") == token
    assert book.originals == {token: "hunter2"}


def test_two_values_never_share_a_token() -> None:
    """A token that stands for something else already, as by chance, is not used again."""
    taken = MINTER.token("SECRET", "hunter2")
    book = Book(MINTER, {taken: "something else"})

    token = book.token("SECRET", "hunter2")

    assert token == MINTER.token("SECRET", "hunter2", again=1) != taken
    assert book.originals == {taken: "something else", token: "hunter2"}
    assert book.token("SECRET", "hunter2") == token


def test_a_copy_of_a_book_goes_its_own_way() -> None:
    book = Book(Minter(b"k"))
    token = book.token("SECRET", "x")
    copy = book.copy()

    assert copy.token("SECRET", "x") == token
    copy.token("SECRET", "y")
    assert list(book.originals.values()) == ["x"]


def test_numbered_tokens_say_which_value_of_its_kind_it_is_and_nothing_of_it() -> None:
    one, other = Book(Numbered()), Book(Numbered())
    values = [
        ("SECRET", "a"),
        ("SECRET", "b"),
        ("EMAIL_ADDRESS", "a@b.com"),
        ("SECRET", "a"),
        ("SECRET", "b"),
    ]
    first = [one.token(*value) for value in values]
    second = [other.token(entity, f"not {value}") for entity, value in values]

    assert first == second
    assert first[3:] == first[:2]
    assert len(set(first)) == 3
    assert [pattern().fullmatch(token) is not None for token in first] == [True] * 5
    assert one.originals[first[0]] == "a"


def test_tokens_of_a_text_are_entered_until_one_stands_for_something_else() -> None:
    book = Book(Minter(b"k" * 32), {"two": "b"})

    assert book.enter_all([("one", "a"), ("two", "b")])
    assert not book.enter_all([("three", "c"), ("two", "d"), ("four", "e")])
    assert book.originals == {"one": "a", "two": "b", "three": "c"}
