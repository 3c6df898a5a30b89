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


def test_a_refusal_may_hold_in_observe_mode_too() -> None:
    assert not Refused("no", code="x").always
    assert Refused("no", code="x", always=True).always
