"""What is looked for, and what is done about it."""

import pytest
from pydantic import ValidationError

from tollgate.policy.dlp import AnswerScan, Detection, Dlp, Pattern


def test_nothing_is_looked_into_unless_it_is_turned_on() -> None:
    assert not Dlp().enabled
    assert Dlp().actions == {"SECRET": "replace", "PERSONAL": "replace"}


@pytest.mark.parametrize(
    "wrong",
    [{"name": "lower"}, {"name": "ID", "score": 1.5}, {"name": "ID", "regexp": "x"}, {}],
)
def test_a_pattern_of_ones_own_has_a_name_and_a_score(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Pattern.model_validate(wrong)


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
