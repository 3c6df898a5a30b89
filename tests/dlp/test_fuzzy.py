"""Finding the token that was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.dlp.fuzzy import Near, distance
from tollgate.dlp.tokens import Minter, core

KNOWN = [core(Minter(b"k").token("SECRET", str(n))) for n in range(200)]
NEAR = Near(KNOWN)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@pytest.mark.parametrize(
    ("one", "other", "apart"),
    [("", "", 0), ("a", "", 1), ("", "ab", 2), ("abc", "abc", 0), ("kitten", "sitting", 3), ("ab", "ba", 2)],
)
def test_distance_counts_changes(one: str, other: str, apart: int) -> None:
    assert distance(one, other) == apart


@given(data=st.data(), known=st.sampled_from(KNOWN), changes=st.integers(0, 2))
def test_a_token_with_up_to_two_changes_is_found(data: st.DataObject, known: str, changes: int) -> None:
    word = known
    for _ in range(changes):
        at = data.draw(st.integers(4, len(word)))
        put = data.draw(st.sampled_from(["", *LETTERS]))
        skip = data.draw(st.integers(0 if put else 1, 1))
        word = word[:at] + put + word[at + skip :]

    assert NEAR.find(word) == known


@given(word=st.text(LETTERS, min_size=8, max_size=14))
def test_what_is_found_is_within_reach(word: str) -> None:
    found = NEAR.find("qzxs" + word)

    assert found is None or distance("qzxs" + word, found) <= 2


def test_two_within_reach_are_none() -> None:
    near = Near(["qzxsaaaaaaaaaa", "qzxsaaaaaaaabb"])

    assert near.find("qzxsaaaaaaaaab") is None
    assert near.find("qzxsaaaaaaacaa") == "qzxsaaaaaaaaaa"


def test_a_token_of_another_kind_is_not_meant() -> None:
    assert Near(["qzxsaaaaaaaaaa"]).find("qzxcaaaaaaaaaa") is None
