"""What tells two questions apart that a model finds alike."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tollgate.cache.semantic.guards import Words, depends_on_time, differ, marks

DATA = Path(__file__).parents[1] / "data"
PAIRS, HARD = (
    [json.loads(line) for line in (DATA / name).read_text().splitlines()]
    for name in ("pairs.jsonl", "hard_pairs.jsonl")
)
NUMBERS = [
    ("Add 2 to it", "Add 3 to it"),
    ("2 of 3", "3 of 2"),
    ("two cats", "three cats"),
    ("v3.9", "v3.10"),
]
NEGATIONS = [("Is it safe?", "Is it not safe?"), ("Can I?", "Can't I?"), ("with milk", "without milk")]
NAMES = [
    ("Who lives in Rome?", "Who lives in Oslo?"),
    ("Call the US team", "Call the us team"),
    ("Is it may?", "Is it May?"),
    ("ask QZXABCDEFGHIJK", "ask QZXBCDEFGHIJKL"),
    ("ask qzxabcdefghijk", "ask qzxbcdefghijkl"),
]
ORDERS = [("from left to right", "from right to left"), ("does a dog bite cats", "does cats bite a dog")]


@pytest.mark.parametrize("words", ["same", "order"])
@pytest.mark.parametrize(
    ("guard", "pairs"),
    [("numbers", NUMBERS), ("negation", NEGATIONS), ("names", NAMES), ("", ORDERS)],
    ids=["numbers", "negation", "names", "order"],
)
def test_each_guard_tells_what_it_is_for(guard: str, pairs: list[tuple[str, str]], words: str) -> None:
    expected = guard or {"same": "words", "order": "order"}[words]

    assert [differ(marks(a), marks(b), words) for a, b in pairs] == [expected] * len(pairs)  # type: ignore[arg-type]


def test_other_words_count_where_all_have_to_be_the_same() -> None:
    one, other = marks("How do I encrypt a file?"), marks("How do I decrypt a file?")

    assert differ(one, other, "same") == "words"
    assert differ(one, other, "order") == ""


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10²", "102"),
        (".5", "5"),
        ("-5", "5"),
        ("5!", "5"),
        ("f(x)+1", "f(x+1)"),
        ("की", "के"),
        ("你好吗", "你好"),
        ("a > b", "a < b"),
        ("What does a? match", "What does a match"),
        ("What is !x", "What is x"),
        ("What is the point?", "What is a point?"),
        ("Translate please into French", "Translate thanks into French"),
        ("Hello in French?", "Hi in French?"),
        ("What does std::move do", "What does std move do"),
        ("grep -I does what", "grep -i does what"),
        ("What does print 'a' do", "What does print a do"),
        ("Is this right?\nif a:\n    b\nc", "Is this right?\nif a:\n    b\n    c"),
        ("Was ist hier erlaubt?", "Was ist hier verboten?"),
        ("What does this do:\nls", "What does this do:\nls?"),
    ],
)
def test_signs_and_other_scripts_count(one: str, other: str) -> None:
    assert differ(marks(one), marks(other), "same")


@pytest.mark.parametrize("pair", [p for p in PAIRS + HARD if not p["same"]], ids=lambda p: p["one"])
def test_no_near_miss_gets_past_the_guards(pair: dict[str, str]) -> None:
    """Whatever a model says: the guards alone hold here."""
    assert differ(marks(pair["one"]), marks(pair["other"]), "same")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Why can I log in but can't post?", "why can i log in but can not post"),
        ("Spell “resume”!", 'Spell "resume"'),
        ("Spell ‘resume’", "Spell `resume`?"),
        ("First, sort it; then print it.", "first sort it, then print the it"),
        ("Could you please explain it, please?", "Explain it"),
    ],
)
def test_the_punctuation_of_prose_does_not_count(one: str, other: str) -> None:
    assert differ(marks(one), marks(other), "same") == ""


def test_the_guards_let_most_that_differs_in_spelling_and_courtesies_pass() -> None:
    passed = {kind: [0, 0] for kind in ("spelling", "courtesy")}
    for pair in PAIRS:
        if pair["kind"] in passed:
            found = passed[pair["kind"]]
            found[differ(marks(pair["one"]), marks(pair["other"]), "same") != ""] += 1

    assert passed == {"spelling": [13, 2], "courtesy": [11, 4]}


def test_the_pairs_are_many_and_both_kinds() -> None:
    assert len(PAIRS) >= 120
    assert sum(pair["same"] for pair in PAIRS) >= 40


@pytest.mark.parametrize("words", ["same", "order"])
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Translate: He left.", "Translate: He left?"),
        ("Translate: tea, please", "Translate: tea"),
        ('Which article misses "the cat"?', 'Which article misses "cat"?'),
        ("Mend this\na = 1", "Mend this\n  a = 1"),
    ],
)
def test_text_to_be_worked_on_counts_as_it_stands(one: str, other: str, words: Words) -> None:
    assert differ(marks(one), marks(other), words) == "literals"


def test_what_is_no_literal_has_no_guard_of_its_own() -> None:
    assert marks("Meet me at 3:30, don't be late; it's far").literals == ()


@given(st.text(alphabet=string.printable + "äßñ你कि²½😀", max_size=60))
def test_a_question_never_differs_from_itself(text: str) -> None:
    assert differ(marks(text), marks(text), "same") == differ(marks(text), marks(text), "order") == ""


@given(st.text(max_size=30), st.text(max_size=30))
def test_it_does_not_matter_which_was_first(one: str, other: str) -> None:
    assert differ(marks(one), marks(other), "same") == differ(marks(other), marks(one), "same")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What is the weather today?", True),
        ("Who is the CURRENT champion?", True),
        ("What happened last week?", True),
        ("What is the last word?", False),
        ("How do I know?", False),
    ],
)
def test_questions_about_now_are_left_alone(text: str, expected: bool) -> None:
    assert depends_on_time(text) == expected
