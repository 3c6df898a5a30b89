"""How a room says no."""

import pytest

from tollgate.calls import CallError, Failed, Refused


@pytest.mark.parametrize(
    ("error", "status", "action"),
    [
        (Refused("no", code="x"), 400, "refuse"),
        (Refused("no", code="x", status=426), 426, "refuse"),
        (Failed("down", code="x"), 502, "error"),
        (Failed("late", code="x", status=504), 504, "error"),
        (CallError("bug", code="x"), 500, "error"),
    ],
)
def test_every_error_has_a_status_and_an_action(error: CallError, status: int, action: str) -> None:
    assert (error.status, error.action, error.code) == (status, action, "x")
    assert str(error) == error.message


def test_an_error_is_recorded_as_it_is_told_or_in_words_of_its_own() -> None:
    told, apart = Refused("no", code="x"), Failed("no, since you said A", code="x", record="no")

    assert (told.message, told.record) == ("no", "no")
    assert (apart.message, apart.record, str(apart)) == ("no, since you said A", "no", "no")


def test_a_refusal_may_hold_in_observe_mode_too() -> None:
    assert not Refused("no", code="x").always
    assert Refused("no", code="x", always=True).always
