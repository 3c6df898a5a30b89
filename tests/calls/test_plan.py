from support.routes import as_it_is, call_of
from tollgate.calls import CLIENT, SAME, Standing, Target
from tollgate.policy.routing import Breaker, Limits


def test_a_target_is_its_own_and_well_at_first() -> None:
    one, two = (Target("a", "p", "h", "m", as_it_is, Limits(), Breaker()) for _ in range(2))

    assert one != two
    assert one.standing == Standing()
    assert one.standing is not two.standing
    assert one.render(call_of()).losses == ()


def test_names_that_a_policy_may_not_give() -> None:
    assert (SAME, CLIENT) == ("same", "client")
