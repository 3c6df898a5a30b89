"""The hooks that a user's addon may have."""

from tollgate.calls import (
    HOOKS,
    HearsTheEnd,
    StandsIn,
    TakesAnswers,
    TakesEvents,
    TakesHeads,
    TakesRequests,
)

PROTOCOLS = (TakesRequests, TakesEvents, TakesAnswers, TakesHeads, StandsIn, HearsTheEnd)


def test_every_hook_of_a_call_is_described() -> None:
    described = {name for protocol in PROTOCOLS for name in vars(protocol)}

    assert set(HOOKS) <= described
