"""The hooks that a user's addon may have."""

from tollgate.calls import HOOKS, HearsTheEnd, TakesAnswers, TakesEvents, TakesRequests


def test_every_hook_of_a_call_is_described() -> None:
    described = {name for p in (TakesRequests, TakesEvents, TakesAnswers, HearsTheEnd) for name in vars(p)}

    assert set(HOOKS) <= described
