"""Card numbers, and the numbers that only look like them."""

from __future__ import annotations

import random

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.cards import CardJudge, card_score, luhn
from tollgate.dlp.prefilter import Letters, loosen

JUDGE = CardJudge(0.4)

CARDS = [  # test numbers that the issuers publish
    "4111111111111111",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "30569309025904",
    "3530111333300000",
    "6011111111111117",
    "6200000000000005",
]


def found(text: str, key: str = "", judge: CardJudge = JUDGE) -> list[str]:
    return [text[span.start : span.end] for span in judge.judge(text, 0, len(text), key)]


@pytest.mark.parametrize("card", CARDS)
@pytest.mark.parametrize(
    "text", ["{}", "my card is {}.", "({})", '{{"number":{}}}', "卡号{}", "a,{},12/27,123"]
)
def test_cards_are_found(card: str, text: str) -> None:
    assert found(text.format(card)) == [card]


@pytest.mark.parametrize(
    "card",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111.1111.1111.1111",
        "3782 822463 10005",
        "411111 1111111111",
    ],
)
@pytest.mark.parametrize("text", ["{}", "12 {}", "{} 123", "exp 12/27 {} cvv 123", "{}-"])
def test_cards_in_groups_are_found(card: str, text: str) -> None:
    assert found(text.format(card)) == [card]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # the check digit
        "1111111111111117",  # no issuer
        "0.4111111111111111",
        "4111111111111111.5",
        "x4111111111111111",
        "4111111111111111a",
        "4111 1111-1111 1111",
        "41 11 11 11 11 11 11 11",
        "1234 4111 1111 1111 1111 4321",  # a row of fours
        "4444444444444448" * 2,
        "0000000000000000",
        '"request_id": 4111111111111111',
        "EAN 4111111111111111",
        "imei: 4111111111111111",
        "2026-11-22 14:52:10.123456",
        "50180000000009",  # rare, and no word says so
    ],
)
def test_other_numbers_are_none(text: str) -> None:
    assert found(text) == []


def test_an_id_is_none_but_a_word_wins() -> None:
    assert found("4111111111111111", "order_id") == []
    assert found("card id: 4111111111111111") == ["4111111111111111"]
    assert found("4111111111111111", "card_id") == ["4111111111111111"]


def test_rare_and_unknown_issuers_need_a_word_or_groups() -> None:
    assert found("Maestro 50180000000009") == ["50180000000009"]
    assert found("9792 0303 9444 0796") == ["9792 0303 9444 0796"]
    assert found("my card 3521213764418048") == ["3521213764418048"] * luhn("3521213764418048")


def test_two_cards_in_a_row_are_two() -> None:
    text = "4111 1111 1111 1111, 5555 5555 5555 4444"
    assert found(text) == text.split(", ")


def test_the_score_rises_with_a_word() -> None:
    strict = CardJudge(0.9)
    assert found("4111111111111111", judge=strict) == []
    assert found("visa 4111111111111111", judge=strict) == ["4111111111111111"]
    assert not strict.wants("card")


@given(st.integers(min_value=10**11, max_value=10**18))
def test_one_of_ten_last_digits_is_right(number: int) -> None:
    assert sum(luhn(f"{number}{digit}") for digit in range(10)) == 1


def test_machines_make_no_cards() -> None:
    shuffle = random.Random(5)
    for _ in range(3000):
        number = (
            repr(shuffle.random()),
            str(shuffle.randrange(10**9, 10**10)),
            f"{shuffle.getrandbits(128):032x}",
        )
        assert found(" ".join(number)) == []


def test_no_card_has_too_few_kinds_of_digits() -> None:
    assert card_score("8" * 16, said=True) == 0.0


@pytest.mark.parametrize("card", [*CARDS, "4111 1111 1111 1111", "3782-822463-10005", "411111 1111111111"])
def test_the_gate_opens_for_every_card(card: str) -> None:
    assert regex.search(loosen(JUDGE.gate.pattern, Letters.ANY), card.encode())


@pytest.mark.parametrize("text", ["Id {}", "id: {}", "my key {}", '"request_id": "{}"'])
def test_a_number_in_groups_is_no_id(text: str) -> None:
    grouped, plain = "4111 1111 1111 1111", "4111111111111111"

    assert found(text.format(grouped)) == [grouped]
    assert found(text.format(plain)) == []
