"""Reading while a text is written."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.echoes import pieces
from support.screens import Finds
from tollgate.dlp.engine import resolve
from tollgate.dlp.reader import CONTEXT, LONGEST, LONGEST_WORD, STEP, STRIDE, Reader, Seen, read_whole
from tollgate.dlp.running import Running, RunningJson
from tollgate.dlp.span import Span

WINDOW = 40
PARTS = st.sampled_from(
    [
        "bob@corp.io",
        "sk-abcdefgh12345678",
        "536-22-8941",
        "4111 1111 1111 1111",
        " ",
        "\n",
        "a few words ",
        "密",
        '"',
        "x",
    ]
)
TEXTS = st.lists(PARTS, max_size=60).map("".join)
CUTS = st.lists(st.integers(0, 900), max_size=40)


def look(text: str) -> list[Span]:
    return resolve(Finds().scan(text))


def read(raw: str, cuts: list[int], text: Running | None = None) -> list[Seen]:
    reader = Reader(text or Running(), look, WINDOW)
    seen = [one for piece in pieces(raw, cuts) for one in reader.feed(piece)]
    seen += reader.finish()
    assert reader.decided == len(raw)
    return seen


def told(seen: list[Seen]) -> list[tuple[str, int]]:
    return [(one.value, one.stretches[0].start) for one in seen]


@settings(deadline=None)  # the machine may be busy
@given(text=TEXTS, cuts=CUTS)
def test_any_cut_gives_the_same_as_the_whole_text(text: str, cuts: list[int]) -> None:
    assert told(read(text, cuts)) == told(read_whole(Running(), text, look))


@settings(deadline=None)  # the machine may be busy
@given(text=TEXTS, step=st.integers(1, 300))
def test_in_strides_too(text: str, step: int) -> None:
    """What comes at once is looked at less often than what comes little by little."""
    long = f"{text} and so on, " * (2 * STRIDE // (len(text) + 12))

    assert told(read(long, [])) == told(read(long, list(range(0, len(long), step))))


@settings(deadline=None)  # the machine may be busy
@given(text=TEXTS, cuts=CUTS)
def test_in_json_too(text: str, cuts: list[int]) -> None:
    raw = json.dumps({"path": "/tmp", "content": text})

    assert told(read(raw, cuts, RunningJson())) == told(read_whole(RunningJson(), raw, look))


@settings(deadline=None)  # the machine may be busy
@given(text=TEXTS, cuts=CUTS)
def test_what_is_not_judged_stays_within_bounds(text: str, cuts: list[int]) -> None:
    """A window, a step, and the word or the finding in which these begin."""
    reader = Reader(Running(), look, WINDOW)
    fed = 0
    for piece in pieces(text, cuts):
        reader.feed(piece)
        fed += len(piece)
        started = max((m for m in range(reader.decided, fed) if text[m] in " \n密"), default=fed)
        assert fed - reader.decided <= WINDOW + STEP + 2 * LONGEST_WORD
        assert started - reader.decided <= 2 * LONGEST_WORD


def test_prose_waits_for_little_more_than_the_window() -> None:
    reader = Reader(Running(), look, WINDOW)
    waited = []
    for n in range(200):
        reader.feed("word ")
        waited.append(5 * (n + 1) - reader.decided)

    assert max(waited) <= WINDOW + STEP + 10


def test_foreign_letters_are_words_of_their_own() -> None:
    reader = Reader(Running(), look, WINDOW)
    reader.feed("密" * 300)

    assert reader.decided >= 300 - WINDOW - 2 * STEP


def test_a_long_word_waits_as_a_whole_and_a_longer_one_does_not() -> None:
    token = "sk-" + "a" * (LONGEST_WORD - 100)
    assert told(read(f"key {token} end", list(range(0, 2000, 7)))) == [(token, 4)]

    reader = Reader(Running(), lambda text: [], WINDOW)
    for _ in range(100):
        reader.feed("a" * 100)
    assert 10_000 - reader.decided <= 2 * LONGEST_WORD


def test_what_has_begun_waits_for_its_end() -> None:
    key = "-----BEGIN KEY-----\n" + "abcd efgh\n" * 200 + "-----END KEY-----"
    reader = Reader(Running(), look, WINDOW)
    seen = reader.feed("take ")
    for piece in pieces(key, list(range(0, len(key), 11))):
        assert not seen
        seen = reader.feed(piece)
    assert reader.decided == 5

    assert told(seen + reader.feed(". That was it, and more words follow." * 40)) == [(key, 5)]


def test_what_is_too_long_to_wait_for_goes_in_parts() -> None:
    """It begins to go before its end is there, and no part of it stays."""
    whole = "take -----BEGIN KEY-----\n" + "abcd efgh\n" * (LONGEST // 10 + 300)

    def begun(text: str) -> list[Span]:
        return [Span(text.index("-----"), len(text), "SECRET", 1.0)] if "-----" in text else []

    reader = Reader(Running(), begun, WINDOW)
    seen = reader.feed(whole)

    assert seen
    assert all(one.stretches[0].end <= reader.decided for one in seen)
    assert seen[0].stretches[0].start == 5
    assert reader.decided > len(whole) - LONGEST - STRIDE


def test_what_comes_at_once_is_looked_at_in_strides() -> None:
    looks: list[int] = []

    def counting(text: str) -> list[Span]:
        looks.append(len(text))
        return look(text)

    text = "a few words " * 10_000 + "bob@corp.io"
    reader = Reader(Running(), counting, WINDOW)
    found = reader.feed(text) + reader.finish()

    assert [one.value for one in found] == ["bob@corp.io"]
    assert len(looks) < len(text) / STRIDE * 1.5 + STRIDE / STEP
    assert max(looks) < STRIDE + CONTEXT + 2 * LONGEST_WORD


def test_a_text_that_goes_on_after_all_is_read_on() -> None:
    reader = Reader(Running(), look, WINDOW)
    assert reader.feed("mail bob@co") == []
    assert reader.catch_up() == []
    assert reader.decided == len("mail bob@co")

    (rest,) = reader.feed("rp.io and more") + reader.finish()

    assert (rest.value, rest.stretches[0].start) == ("rp.io", len("mail bob@co")), "what went out is gone"


def test_what_was_found_at_the_very_end_waits_whether_the_text_goes_on() -> None:
    reader = Reader(Running(), look, WINDOW)
    assert reader.feed("push with sk-abcdefgh") == []
    assert reader.catch_up() == []
    assert reader.decided == len("push with ")

    assert told(reader.feed("12345678") + reader.finish()) == [("sk-abcdefgh12345678", len("push with "))]


def test_what_is_too_long_does_not_wait_for_the_text_to_go_on() -> None:
    reader = Reader(Running(), look, WINDOW)
    reader.feed("-----BEGIN KEY-----" + "abcd " * (LONGEST // 5))
    reader.catch_up()

    assert reader.decided == len("-----BEGIN KEY-----") + LONGEST // 5 * 5


@pytest.mark.parametrize("text", ["", "bob@corp.io"])
def test_short_texts_are_judged_at_their_end(text: str) -> None:
    assert [one.value for one in read(text, [3, 5])] == ([text] if text else [])
