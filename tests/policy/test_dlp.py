"""What is looked for, and what is done about it."""

import pytest
from pydantic import ValidationError

from tollgate.policy.dlp import AnswerScan, Detection, Dlp, Pattern


def test_nothing_is_looked_into_unless_it_is_turned_on() -> None:
    assert not Dlp().enabled
    assert Dlp().actions == {"SECRET": "replace", "PERSONAL": "replace"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "lower", "regex": "x"},
        {"name": "Half-Lower", "regex": "x"},
        {"name": "ID", "regex": "x", "score": 1.5},
        {"name": "ID", "regexp": "x"},
        {"name": "ID"},
        {"name": "ID", "regex": "x", "words": ["y"]},
        {"name": "ID", "regex": "(x"},
        {},
    ],
)
def test_a_pattern_of_ones_own_has_a_name_and_a_score(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate(wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"allow": {"regexes": ["[a"]}},
        {"thresholds": {"EMAIL_ADDRESS": 1.5}},
        {"ner": {"engine": "spacy"}},
    ],
)
def test_what_could_never_work_is_an_error(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Detection.model_validate(wrong)


def test_a_pattern_has_a_regex_or_words() -> None:
    assert Pattern(name="ID", regex=r"\d+").words == []
    assert Pattern(name="ID", words=["Bluebird"]).regex is None


def test_actions_are_a_closed_list() -> None:
    with pytest.raises(ValidationError):
        Dlp.model_validate({"actions": {"SECRET": "shred"}})


def test_documentation_domains_are_no_findings() -> None:
    assert "example.com" in Detection().allow.domains


def test_answers_are_first_only_reported_and_that_when_asked_for() -> None:
    assert not Dlp().answers.scan
    assert set(Dlp().answers.actions.values()) == {"report"}


@pytest.mark.parametrize("window", [31, 4097])
def test_the_window_of_answers_is_neither_too_small_nor_a_buffer(window: int) -> None:
    with pytest.raises(ValidationError):
        AnswerScan(window=window)
