"""Who still wants an answer."""

from tollgate.calls import Audience


def test_a_call_is_given_up_when_its_own_client_leaves() -> None:
    given_up: list[bool] = []
    audience = Audience()
    audience.when_empty(lambda: given_up.append(True))

    audience.leave()

    assert given_up == [True]
    assert audience.empty


def test_a_call_that_others_share_goes_on_until_the_last_one_leaves() -> None:
    given_up: list[bool] = []
    audience = Audience()
    audience.when_empty(lambda: given_up.append(True))

    audience.join()
    audience.leave()
    assert (given_up, audience.empty) == ([], False)

    audience.leave()
    assert given_up == [True]


def test_nothing_happens_where_nobody_said_what() -> None:
    audience = Audience()

    audience.leave()

    assert audience.empty
